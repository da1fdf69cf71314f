//! Passwords: argon2id with the parameters that OWASP advises (Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane).

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::timeout,
};
use vestibule::{
    clock::Timestamp,
    link::Address,
    secret::{Entropy, random},
    store::{Store, StoreError},
    user::{Identity, PASSWORD_ISSUER, User, UserId},
};

/// How many passwords are checked or set at once: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest password that is read, in bytes.
const MAX_LENGTH: usize = 1024;
/// The shortest that is taken (NIST SP 800-63B, section 3.1.1.2), in characters.
const MIN_LENGTH: usize = 8;

/// Checks passwords, a few at a time.
#[derive(Clone, Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash of nobody's password, so that an unknown address takes as long as a known one.
    nobody: Arc<str>,
}

/// The password was neither checked nor set.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are being checked.
    #[error("too many passwords are being checked")]
    Busy,
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A password that is not taken, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// It is too short.
    #[error("Use at least {MIN_LENGTH} characters.")]
    Short,
    /// It is too long.
    #[error("That password is too long.")]
    Long,
    /// It is among the first that somebody would try.
    #[error("That password is easy to guess. {0}Try a few unrelated words.")]
    Guessable(String),
}

/// Whether `password` may become one. Those that somebody would try first are not taken: leaked and common ones, names and
/// words, dates, patterns on a keyboard, and what is known of the person (OWASP ASVS 5.0, 6.2.4 and 6.2.12).
///
/// # Errors
/// [`WeakPassword`] says why not.
pub fn strong(password: &str, about: &Identity) -> Result<(), WeakPassword> {
    if password.chars().count() < MIN_LENGTH {
        return Err(WeakPassword::Short);
    }
    if password.len() > MAX_LENGTH {
        return Err(WeakPassword::Long);
    }
    let known = [Some(about.subject.as_str()), about.name.as_deref(), about.email.as_deref(), Some("vestibule")];
    let words: Vec<&str> = known.into_iter().flatten().flat_map(|text| text.split(['@', '.', ' '])).collect();
    let entropy = zxcvbn::zxcvbn(password, &words);
    // Some 10^8 guesses and more, each of which costs argon2id.
    if entropy.score() >= zxcvbn::Score::Three {
        return Ok(());
    }
    let warning = entropy.feedback().and_then(zxcvbn::feedback::Feedback::warning);
    Err(WeakPassword::Guessable(warning.map(|warning| format!("{warning} ")).unwrap_or_default()))
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
        let turn = self.turn().await?;
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

    /// The hash (a PHC string) of a password that is to be set.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] if too many are being checked.
    pub async fn hash(&self, entropy: Arc<dyn Entropy>, password: String) -> Result<String, PasswordError> {
        let turn = self.turn().await?;
        let hash = spawn_blocking(move || {
            let hash = hash(&*entropy, &password);
            drop(turn);
            hash
        });
        hash.await.map_err(|_| PasswordError::Busy)
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, PasswordError> {
        match timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(PasswordError::Busy),
        }
    }
}

/// Adds a user who signs in with a password, or gives the known one a new password.
///
/// # Errors
/// [`StoreError`] if the user could not be stored.
pub async fn put_user(
    store: &dyn Store,
    entropy: &dyn Entropy,
    since: Timestamp,
    identity: Identity,
    password: &str,
) -> Result<UserId, StoreError> {
    let user = User::new(UserId::generate(entropy), identity, since);
    store.put_user(&user, Some(&hash(entropy, password))).await
}

/// The identity of a user who signs in with a password.
#[must_use]
pub fn identity(email: &str, name: Option<String>) -> Identity {
    let typed = email.parse().map_or_else(|_| email.trim().to_owned(), |address: Address| address.typed().to_owned());
    Identity { issuer: PASSWORD_ISSUER.into(), subject: subject(email), name, email: Some(typed) }
}

/// By which subject whoever types this address is known. No character is taken for one of ASCII: what is no address is only
/// who was added under just that before there was one parser for all.
#[must_use]
pub fn subject(email: &str) -> String {
    email.parse().map_or_else(|_| email.trim().to_ascii_lowercase(), |address: Address| address.as_str().to_owned())
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
    fn what_somebody_would_try_first_is_no_password() {
        let about = identity("grace.hopper@example.com", Some("Grace Hopper".into()));
        for (weak, told) in [
            ("1234567", "Use at least 8 characters."),
            ("password", "easy to guess. This is a top-10 common password."),
            ("qwertyuiop", "easy to guess. "),
            ("GraceHopper1", "easy to guess. "),
            ("vestibule", "easy to guess. "),
            ("12345678", "easy to guess. "),
            ("iloveyou2026", "easy to guess. "),
        ] {
            let why = strong(weak, &about).expect_err(weak).to_string();
            assert!(why.contains(told), "{weak}: {why}");
        }
        assert_eq!(strong(&"x1!Y".repeat(257), &about), Err(WeakPassword::Long));
        for good in ["correct-horse-battery-9", "open-sesame-42", "träumen vier Zitronen"] {
            assert_eq!(strong(good, &about), Ok(()), "{good}");
        }
    }

    #[test]
    fn passwords_are_hashed_as_owasp_advises() {
        let hash = hash(&SystemEntropy, "open sesame");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(&hash, "open sesame") && !verify(&hash, "open sesam"));
    }
}
