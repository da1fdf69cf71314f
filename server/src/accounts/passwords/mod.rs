//! Passwords: argon2id with the parameters that OWASP advises (Password Storage Cheat Sheet: 19
//! MiB, 2 passes, 1 lane).
//!
//! A password is hashed in the form NFKC of Unicode, so that it is the same however a keyboard
//! composes its letters (NIST SP 800-63B, section 3.1.1.2). Hashes from before that are still good.

mod password;
mod queues;
mod strength;

pub use password::Password;
pub use queues::Lane;
pub use strength::{WeakPassword, strong};

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString},
};
use queues::HashingQueues;
use std::sync::Arc;
use strength::MAX_LENGTH;
use unicode_normalization::UnicodeNormalization as _;
use vestibule::{
    clock::Timestamp,
    email_address::Address,
    secret::{Entropy, random},
    store::{StoreError, UserStore},
    user::{Identity, PASSWORD_ISSUER, PRACTICE_SUBJECT, User, UserId},
};
use zeroize::Zeroizing;

/// The hash of no known password, so that an unknown address takes as long as a known one. It is no
/// hash that is made at the start: that would hold 20 MiB of an idle server's memory.
const PLACEHOLDER: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm8gdXNlcidzIHBhc3N3b3Jk\
                           $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Checks passwords, a few at a time.
#[derive(Clone, Debug)]
pub struct Passwords {
    queues: HashingQueues,
    /// Whether practice mode's user, whose password is public, may sign in.
    practice: bool,
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

impl Passwords {
    /// A checker, in practice mode or not.
    #[must_use]
    pub fn new(practice: bool) -> Self {
        Self {
            queues: HashingQueues::new(),
            practice,
        }
    }

    /// Whose password this is, tried in this `line`: the user as they were when it was.
    pub async fn check(
        &self,
        users: &dyn UserStore,
        entropy: Arc<dyn Entropy>,
        email: &str,
        password: Password,
        line: Lane,
    ) -> Result<Option<User>, PasswordError> {
        let subject = subject(email);
        let known = users
            .password(&subject)
            .await?
            .filter(|_| self.practice || subject != PRACTICE_SUBJECT);
        let kept = known
            .as_ref()
            .map_or_else(|| PLACEHOLDER.to_owned(), |(_, hash)| hash.clone());
        let verify = move || {
            if password.expose().len() <= MAX_LENGTH {
                verify(&*entropy, &kept, password.expose())
            } else {
                Verified::No
            }
        };
        let verified = self.queues.work(line, verify).await?;
        let Some((user, kept)) = known else {
            return Ok(None);
        };
        match verified {
            Verified::No => Ok(None),
            Verified::Yes => Ok(Some(user)),
            Verified::AsTyped { hash } => {
                users.rehash_password(user.id, &kept, &hash).await?;
                Ok(Some(user))
            }
        }
    }

    /// The hash (a PHC string) of a new password, if it is strong enough.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] if too many are being set.
    pub async fn hash(
        &self,
        entropy: Arc<dyn Entropy>,
        password: Password,
        about: Identity,
    ) -> Result<Result<String, WeakPassword>, PasswordError> {
        let hash =
            move || strong(password.expose(), &about).map(|()| hash(&*entropy, password.expose()));
        self.queues.work(Lane::SignedIn, hash).await
    }
}

/// Adds a user who signs in with a password, or gives the known one a new password.
pub async fn put_user(
    users: &dyn UserStore,
    entropy: &dyn Entropy,
    since: Timestamp,
    identity: Identity,
    password: &str,
) -> Result<UserId, StoreError> {
    let user = User::new(UserId::generate(entropy), identity, since);
    users.put_user(&user, Some(&hash(entropy, password))).await
}

/// The identity of a user who signs in with a password.
pub fn identity(email: &str, name: Option<String>) -> Identity {
    let typed = email.parse().map_or_else(
        |_| email.trim().to_owned(),
        |address: Address| address.typed().to_owned(),
    );
    Identity {
        issuer: PASSWORD_ISSUER.into(),
        subject: subject(email),
        name,
        email: Some(typed),
    }
}

/// The subject of the user who types this address. Look-alike characters are not mapped to ASCII.
/// What is not an address only matches a user who was added under exactly that, before there was
/// one parser for all.
pub fn subject(email: &str) -> String {
    email.parse().map_or_else(
        |_| email.trim().to_ascii_lowercase(),
        |address: Address| address.as_str().to_owned(),
    )
}

fn hash(entropy: &dyn Entropy, password: &str) -> String {
    let salt = SaltString::encode_b64(&random::<16>(entropy)).expect("16 bytes are a salt");
    let password: Zeroizing<String> = Zeroizing::new(password.nfkc().collect());
    Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .expect("the default parameters are valid")
        .to_string()
}

/// Whether a password is the one that was set.
enum Verified {
    No,
    Yes,
    /// It is, and was hashed as it was typed: this is the hash to keep.
    AsTyped {
        hash: String,
    },
}

fn verify(entropy: &dyn Entropy, kept: &str, password: &str) -> Verified {
    let normal: Zeroizing<String> = Zeroizing::new(password.nfkc().collect());
    let is = |password: &str| {
        PasswordHash::new(kept).is_ok_and(|kept| {
            Argon2::default()
                .verify_password(password.as_bytes(), &kept)
                .is_ok()
        })
    };
    if is(&normal) {
        Verified::Yes
    } else if *normal != password && is(password) {
        Verified::AsTyped {
            hash: hash(entropy, password),
        }
    } else {
        Verified::No
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule::secret::SystemEntropy;

    fn is(hash: &str, password: &str) -> bool {
        matches!(verify(&SystemEntropy, hash, password), Verified::Yes)
    }

    #[test]
    fn passwords_are_hashed_as_owasp_advises() {
        let hash = hash(&SystemEntropy, "open sesame");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(is(&hash, "open sesame") && !is(&hash, "open sesam"));
    }

    #[test]
    fn an_unknown_address_takes_as_long_as_a_known_one() {
        let real = hash(&SystemEntropy, "open sesame");
        let [real, placeholder] =
            [&real, PLACEHOLDER].map(|hash| PasswordHash::new(hash).expect("a hash"));
        let work = |hash: &PasswordHash<'_>| {
            let length = hash.hash.map(|output| output.len());
            (
                hash.algorithm.to_string(),
                hash.version,
                hash.params.clone(),
                length,
            )
        };
        assert_eq!(work(&placeholder), work(&real));
        assert!(!is(PLACEHOLDER, "no user's password"));
    }

    #[test]
    fn a_password_is_the_same_however_its_letters_are_composed() {
        for forms in [
            ["tr\u{e4}umen-vier", "tra\u{308}umen-vier"],
            ["caf\u{e9}-\u{fb01}n", "cafe\u{301}-fin"],
            ["\u{ff50}\u{ff41}ss-wort-9", "pass-wort-9"],
            [
                "\u{d55c}\u{ae00}-sesame",
                "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}-sesame",
            ],
            ["\u{212b}ngstr\u{f6}m-77", "A\u{30a}ngstro\u{308}m-77"],
        ] {
            for [set, typed] in [forms, [forms[1], forms[0]]] {
                assert!(is(&hash(&SystemEntropy, set), typed), "{set} {typed}");
            }
        }
        assert!(!is(
            &hash(&SystemEntropy, "tr\u{e4}umen-vier"),
            "traumen-vier"
        ));
    }

    #[test]
    fn a_hash_of_what_was_typed_before_is_still_good_and_replaced() {
        let salt = SaltString::encode_b64(&[7; 16]).unwrap();
        let typed = "tra\u{308}umen-vier";
        let old = Argon2::default()
            .hash_password(typed.as_bytes(), &salt)
            .unwrap()
            .to_string();
        let Verified::AsTyped { hash } = verify(&SystemEntropy, &old, typed) else {
            panic!("it was typed like that")
        };
        assert!(
            is(&hash, typed) && is(&hash, "tr\u{e4}umen-vier") && !is(&old, "tr\u{e4}umen-vier")
        );
    }

    #[test]
    fn a_long_password_is_taken_whole() {
        let long = "six purple lanterns wait at the harbour ".repeat(25);
        let long = &long[..1000];
        strong(long, &identity("ada@example.com", None)).expect("it is taken");
        let hash = hash(&SystemEntropy, long);
        assert!(is(&hash, long));
        for other in [
            &long[..999],
            &format!("{}!", &long[..999]),
            &long.to_uppercase(),
        ] {
            assert!(!is(&hash, other), "{other}");
        }
    }
}
