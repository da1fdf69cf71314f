//! The operator's keys and what is derived from them.

use super::{mac::Mac, typed::is_typed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// What a derived key is for. Each has a label of its own, so no MAC means anything for another
/// purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The MAC in a pending cookie.
    PendingCookie,
    /// The tag of a token in the name of its cookie.
    TokenTag,
    /// The new secret of an exchanged session.
    Exchange,
    /// The proof in a form for browsers that send neither `Sec-Fetch-Site` nor `Origin`.
    Form,
    /// Sealing tokens and mail bodies while they wait.
    Seal,
    /// The credentials of the embedded broker.
    Broker,
    /// Who is counted together, without their address.
    Client,
    /// The tag in the token of a link of ours.
    Link,
    /// The code of a link.
    LinkCode,
    /// What a page calls a session.
    SessionHandle,
    /// The users that a browser is known for.
    KnownBrowser,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::PendingCookie => b"vestibule/1 pending cookie",
            Self::TokenTag => b"vestibule/1 token tag",
            Self::Exchange => b"vestibule/1 exchange",
            Self::Form => b"vestibule/1 form",
            Self::Seal => b"vestibule/1 seal",
            Self::Broker => b"vestibule/1 broker",
            Self::Client => b"vestibule/1 client",
            Self::Link => b"vestibule/1 link",
            Self::LinkCode => b"vestibule/1 link code",
            Self::SessionHandle => b"vestibule/1 session handle",
            Self::KnownBrowser => b"vestibule/1 known browser",
        }
    }
}

/// The operator's keys, newest first: the first mints, all verify.
///
/// The keys of each purpose are derived once, and overwritten when they are dropped. `Debug` prints
/// nothing of them.
pub struct Keys(Vec<DerivedKeys>);

#[derive(ZeroizeOnDrop)]
struct DerivedKeys {
    #[zeroize(skip)]
    id: u32,
    derived: [[u8; 32]; PURPOSES.len()],
}

const PURPOSES: [Purpose; 11] = [
    Purpose::PendingCookie,
    Purpose::TokenTag,
    Purpose::Exchange,
    Purpose::Form,
    Purpose::Seal,
    Purpose::Broker,
    Purpose::Client,
    Purpose::Link,
    Purpose::LinkCode,
    Purpose::SessionHandle,
    Purpose::KnownBrowser,
];

/// The text is no list of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// It is not of the form.
    #[error(
        "a key is base64 of 32 bytes or more; several are separated by commas, the newest first"
    )]
    Form,
    /// A person typed one of them, or a program counted up.
    #[error(
        "a key is not random: it is a text, a pattern or a sequence; make one by `openssl rand -base64 32`"
    )]
    Typed,
}

impl Keys {
    /// Reads keys as an operator writes them: base64 of 32 bytes or more each, separated by commas,
    /// newest first.
    ///
    /// # Errors
    /// [`InvalidKey`] if there is none, or one is not base64, is short or is not random.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        text.split(',')
            .map(|key| DerivedKeys::parse(key.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Keys from one secret of 32 bytes.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self::from_secrets([secret])
    }

    /// Keys from secrets of 32 bytes, the newest first. Without one, nothing can be minted: at
    /// least one is given.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn from_secrets<'a>(secrets: impl IntoIterator<Item = &'a [u8; 32]>) -> Self {
        let keys: Vec<DerivedKeys> = secrets
            .into_iter()
            .map(|secret| DerivedKeys::derive(secret))
            .collect();
        assert!(!keys.is_empty(), "there is a key");
        Self(keys)
    }

    /// The MAC of `parts` for `purpose` under the newest key. Each part is framed by its length.
    #[must_use]
    pub fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> Mac {
        self.newest().mac(purpose, parts)
    }

    /// Whether `mac` is the MAC of `parts` for `purpose` under any key, compared in constant time.
    #[must_use]
    pub fn verify(&self, purpose: Purpose, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.macs(purpose, parts)
            .any(|good| bool::from(good.as_slice().ct_eq(mac)))
    }

    /// The MACs of `parts` for `purpose` under each key, newest first.
    pub fn macs<'a>(
        &'a self,
        purpose: Purpose,
        parts: &'a [&'a [u8]],
    ) -> impl Iterator<Item = Mac> + 'a {
        self.0.iter().map(move |key| key.mac(purpose, parts))
    }

    /// A name of the newest key that tells nothing of it; a database keeps it to notice another key
    /// at start.
    #[must_use]
    pub fn fingerprint(&self) -> u32 {
        self.newest().id
    }

    /// The names of all keys, newest first.
    pub fn fingerprints(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().map(|key| key.id)
    }

    pub(super) fn sealing(&self) -> (u32, &[u8; 32]) {
        (self.newest().id, self.newest().of(Purpose::Seal))
    }

    pub(super) fn unsealing(&self, id: u32) -> Option<&[u8; 32]> {
        self.0
            .iter()
            .find(|key| key.id == id)
            .map(|key| key.of(Purpose::Seal))
    }

    fn newest(&self) -> &DerivedKeys {
        &self.0[0]
    }
}

impl DerivedKeys {
    fn parse(text: &str) -> Result<Self, InvalidKey> {
        let secret = Zeroizing::new(STANDARD.decode(text).map_err(|_| InvalidKey::Form)?);
        if secret.len() < 32 {
            return Err(InvalidKey::Form);
        }
        if is_typed(text, &secret) {
            return Err(InvalidKey::Typed);
        }
        Ok(Self::derive(&secret))
    }

    fn derive(secret: &[u8]) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, secret);
        let expand = |label: &[u8]| {
            let mut key = [0; 32];
            hkdf.expand(label, &mut key)
                .expect("32 bytes are within HKDF's limit of 255 hashes");
            key
        };
        let fingerprint: [u8; 32] = Sha256::digest(expand(b"vestibule/1 fingerprint")).into();
        let [a, b, c, d, ..] = fingerprint;
        Self {
            id: u32::from_be_bytes([a, b, c, d]),
            derived: PURPOSES.map(|purpose| expand(purpose.label())),
        }
    }

    fn of(&self, purpose: Purpose) -> &[u8; 32] {
        &self.derived[purpose as usize]
    }

    fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> Mac {
        let mut hmac = Hmac::<Sha256>::new_from_slice(self.of(purpose))
            .expect("HMAC takes a key of any length");
        for part in parts {
            hmac.update(&(part.len() as u64).to_be_bytes());
            hmac.update(part);
        }
        Mac::from_bytes(hmac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys(… {})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secrets: &[[u8; 32]]) -> Keys {
        Keys::from_secrets(secrets)
    }

    #[test]
    fn each_purpose_has_the_key_at_its_place() {
        for (place, purpose) in PURPOSES.into_iter().enumerate() {
            assert_eq!(place, purpose as usize);
        }
    }

    #[test]
    fn a_mac_of_one_purpose_means_nothing_for_another() {
        let keys = keys(&[[1; 32]]);
        let mac = keys.mac(Purpose::Form, &[b"x"]);
        assert!(keys.verify(Purpose::Form, &[b"x"], mac.as_bytes()));
        assert!(!keys.verify(Purpose::PendingCookie, &[b"x"], mac.as_bytes()));
    }

    #[test]
    fn parts_cannot_be_moved_across_their_borders() {
        let keys = keys(&[[1; 32]]);
        let mac = keys.mac(Purpose::Form, &[b"ab", b"c"]);
        assert!(!keys.verify(Purpose::Form, &[b"a", b"bc"], mac.as_bytes()));
    }

    #[test]
    fn the_first_key_mints_and_all_verify() {
        let old = keys(&[[1; 32]]);
        let rotated = keys(&[[2; 32], [1; 32]]);
        assert!(rotated.verify(
            Purpose::Form,
            &[b"x"],
            old.mac(Purpose::Form, &[b"x"]).as_bytes()
        ));
        assert!(!old.verify(
            Purpose::Form,
            &[b"x"],
            rotated.mac(Purpose::Form, &[b"x"]).as_bytes()
        ));
    }

    #[test]
    fn a_short_or_broken_key_is_refused() {
        let good = STANDARD.encode(Sha256::digest(b"random"));
        for bad in [
            "",
            "AAAA",
            "!",
            &STANDARD.encode([0; 31]),
            &format!("{good},"),
        ] {
            assert_eq!(Keys::parse(bad).err(), Some(InvalidKey::Form), "{bad}");
        }
        assert!(Keys::parse(&good).is_ok());
    }

    #[test]
    fn a_typed_key_is_refused_beside_a_good_one_too() {
        let good = STANDARD.encode(Sha256::digest(b"random"));
        let typed = STANDARD.encode([0; 32]);
        for keys in [
            typed.clone(),
            format!("{typed},{good}"),
            format!("{good}, {typed}"),
        ] {
            assert_eq!(Keys::parse(&keys).err(), Some(InvalidKey::Typed), "{keys}");
        }
        assert_eq!(
            Keys::parse(&format!("{good},{good}"))
                .map(|keys| keys.0.len())
                .ok(),
            Some(2)
        );
    }
}
