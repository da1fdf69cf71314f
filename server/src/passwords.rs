//! Passwords: argon2id with the parameters that OWASP advises (Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane).

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use vestibule::{
    secret::{Entropy, random},
    store::{Store, StoreError},
    user::{Identity, PASSWORD_ISSUER, User, UserId},
};

/// How many passwords are checked at once: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest password that is read, in bytes.
const MAX_LENGTH: usize = 1024;

/// Checks passwords, a few at a time.
#[derive(Clone, Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash of nobody's password, so that an unknown address takes as long as a known one.
    nobody: Arc<str>,
}

/// The password was not checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are being checked.
    #[error("too many passwords are being checked")]
    Busy,
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Passwords {
    /// A checker.
    #[must_use]
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), nobody: hash(entropy, "nobody's password").into() }
    }

    /// Whose password this is.
    ///
    /// # Errors
    /// [`PasswordError`] if it was not checked.
    pub async fn check(
        &self,
        store: &dyn Store,
        email: &str,
        password: String,
    ) -> Result<Option<UserId>, PasswordError> {
        let Ok(Ok(turn)) = timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await else {
            return Err(PasswordError::Busy);
        };
        let known = store.password(&subject(email)).await?;
        let (user, hash) = match known {
            Some((user, hash)) => (Some(user), hash),
            None => (None, self.nobody.to_string()),
        };
        let matches = spawn_blocking(move || {
            let matches = password.len() <= MAX_LENGTH && verify(&hash, &password);
            drop(turn);
            matches
        });
        let matches = matches.await.unwrap_or(false);
        Ok(user.filter(|_| matches))
    }
}

/// Adds a user who signs in with a password, or gives the known one a new password.
///
/// # Errors
/// [`StoreError`] if the user could not be stored.
pub async fn put_user(
    store: &dyn Store,
    entropy: &dyn Entropy,
    since: vestibule::clock::Timestamp,
    identity: Identity,
    password: &str,
) -> Result<UserId, StoreError> {
    let user = User { id: UserId::generate(entropy), identity, since };
    store.put_user(&user, Some(&hash(entropy, password))).await
}

/// The identity of a user who signs in with a password.
#[must_use]
pub fn identity(email: &str, name: Option<String>) -> Identity {
    Identity { issuer: PASSWORD_ISSUER.into(), subject: subject(email), name, email: Some(email.trim().to_owned()) }
}

fn subject(email: &str) -> String {
    email.trim().to_lowercase()
}

fn hash(entropy: &dyn Entropy, password: &str) -> String {
    let salt = SaltString::encode_b64(&random::<16>(entropy)).expect("16 bytes are a salt");
    Argon2::default().hash_password(password.as_bytes(), &salt).expect("the default parameters are valid").to_string()
}

fn verify(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule::secret::SystemEntropy;

    #[test]
    fn passwords_are_hashed_as_owasp_advises() {
        let hash = hash(&SystemEntropy, "open sesame");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(&hash, "open sesame") && !verify(&hash, "open sesam"));
    }
}
