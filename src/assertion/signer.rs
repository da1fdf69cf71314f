//! Signing, with the keys that all processes share.

use super::{Claims, SigningKeyError, SigningKeys};
use crate::{
    clock::{Clock, Timestamp},
    secret::{Entropy, Keys},
    store::{SigningKeyStore, StoreError, StoredSigningKeys},
};
use serde_json::Value;
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How often a process looks whether the keys were rotated.
const LOOK: Duration = Duration::from_secs(10);
/// How long a rotation has to be past before the next one: programs that verify may have fetched
/// the public keys before it, and know no key that comes after the next one.
const PUBLISHED: Duration = Duration::from_mins(15);
/// How often a write is tried that another process overtakes.
const TRIES: u32 = 8;

/// Signs assertions. Cheap to clone; clones share the keys.
#[derive(Clone)]
pub struct Signer {
    store: Arc<dyn SigningKeyStore>,
    clock: Arc<dyn Clock>,
    keys: Arc<Keys>,
    current: Arc<RwLock<Result<Arc<SigningKeys>, SigningKeyError>>>,
}

/// The keys were not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The last rotation was so short a time ago that programs which verify may not know the next
    /// key yet.
    #[error("the last rotation was too short a time ago; the next one may be in {} s", .0.as_secs())]
    TooSoon(Duration),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] SigningKeyError),
    /// The store could not do its work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Signer {
    /// A signer with the keys of the `store`, which are made if there are none yet. Those that were
    /// sealed under a former key are sealed anew.
    ///
    /// # Errors
    /// [`RotateError`] if the keys do not open, or the store could not do its work.
    pub async fn open(
        store: Arc<dyn SigningKeyStore>,
        clock: Arc<dyn Clock>,
        keys: Arc<Keys>,
        entropy: &dyn Entropy,
    ) -> Result<Self, RotateError> {
        for _ in 0..TRIES {
            let stored = store.signing_keys().await?;
            let (signing, rotated_at) = match &stored {
                Some(stored) => (SigningKeys::open(&stored.sealed, &keys)?, stored.rotated_at),
                None => (SigningKeys::generate()?, clock.now()),
            };
            let is_good = stored
                .as_ref()
                .is_some_and(|stored| stored.sealed.key_id == keys.fingerprint());
            let next = || StoredSigningKeys {
                sealed: signing.seal(&keys, entropy),
                rotated_at,
            };
            if is_good || store.replace_signing_keys(stored.as_ref(), &next()).await? {
                return Ok(Self {
                    store,
                    clock,
                    keys,
                    current: Arc::new(RwLock::new(Ok(Arc::new(signing)))),
                });
            }
        }
        Err(overtaken().into())
    }

    /// Has all processes sign with the next key, and publishes another one to come. They do within
    /// ten seconds, and no verifier notices.
    ///
    /// With `now`, the rules of a calm rotation do not count: none of the keys that were published
    /// before stays, and programs that have fetched those refuse what is signed until they fetch
    /// them again. It is for keys that someone else may know, or that do not open any more.
    ///
    /// # Errors
    /// [`RotateError`] if it is too soon, or the keys do not open, or the store could not do its
    /// work.
    pub async fn rotate(
        store: &dyn SigningKeyStore,
        at: Timestamp,
        keys: &Keys,
        entropy: &dyn Entropy,
        now: bool,
    ) -> Result<String, RotateError> {
        for _ in 0..TRIES {
            let stored = store.signing_keys().await?;
            let next = match &stored {
                Some(stored) if !now => {
                    let past = at.since(stored.rotated_at);
                    if past < PUBLISHED {
                        return Err(RotateError::TooSoon(PUBLISHED.saturating_sub(past)));
                    }
                    SigningKeys::open(&stored.sealed, keys)?.rotate()?
                }
                _ => SigningKeys::generate()?,
            };
            let replaced = StoredSigningKeys {
                sealed: next.seal(keys, entropy),
                rotated_at: at,
            };
            if store
                .replace_signing_keys(stored.as_ref(), &replaced)
                .await?
            {
                return Ok(next.current_id().to_owned());
            }
        }
        Err(overtaken().into())
    }

    /// Signs what `claims` say.
    ///
    /// # Errors
    /// [`SigningKeyError`] if there are no keys that can be used.
    pub fn sign(&self, claims: &Claims<'_>) -> Result<String, SigningKeyError> {
        self.current()?.sign(claims)
    }

    /// The public keys, as a JWK set.
    ///
    /// # Errors
    /// [`SigningKeyError`] if there are no keys that can be used.
    pub fn jwks(&self) -> Result<Value, SigningKeyError> {
        Ok(self.current()?.jwks())
    }

    /// Follows rotations by other processes until `stop`.
    pub async fn follow(self, stop: CancellationToken) {
        let following = async {
            loop {
                self.clock.sleep_until(self.clock.now() + LOOK).await;
                self.look().await;
            }
        };
        let _ = stop.run_until_cancelled(following).await;
    }

    /// Takes over what another process may have made of the keys. Those that do not open are the
    /// ones that count all the same: the ones before may be known to someone else.
    pub async fn look(&self) {
        let next = match self.store.signing_keys().await {
            Ok(Some(stored)) => SigningKeys::open(&stored.sealed, &self.keys),
            Ok(None) => Err(SigningKeyError::Gone),
            Err(error) => {
                return tracing::warn!(%error, "the keys that sign assertions were not read");
            }
        };
        if let Err(error) = &next {
            tracing::error!(%error, "nothing is signed");
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next.map(Arc::new);
    }

    fn current(&self) -> Result<Arc<SigningKeys>, SigningKeyError> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn overtaken() -> StoreError {
    StoreError::Unavailable("other processes change the signing keys again and again".to_owned())
}
