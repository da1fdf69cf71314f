//! The pending cookie: what a landing gives a browser before anything is known of its token.
//!
//! Its values point to nowhere: the landing stores nothing. The cookie carries the pending secret,
//! when it was minted, and a MAC over both and the token, so that a secret that this server did not
//! mint *for this token* is never adopted.

use crate::{
    clock::Timestamp,
    secret::{Entropy, Keys, Mac, PendingSecret, Purpose},
    token::Token,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{fmt, str::FromStr};

/// 64 bits of an HMAC of a token. It names the token's cookie, so links open in several tabs do not
/// disturb each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenTag([u8; 8]);

impl TokenTag {
    /// The tag of `token` under the newest key: what is begun or named from now on has it.
    #[must_use]
    pub fn of(keys: &Keys, token: &Token) -> Self {
        Self::cut(&keys.mac(Purpose::TokenTag, &[token.expose().as_bytes()]))
    }

    /// The tags of `token` under each key, the newest key's first: what was begun or named before a
    /// rotation has one of the others.
    #[must_use]
    pub fn each(keys: &Keys, token: &Token) -> Vec<Self> {
        keys.macs(Purpose::TokenTag, &[token.expose().as_bytes()])
            .map(|mac| Self::cut(&mac))
            .collect()
    }

    fn cut(mac: &Mac) -> Self {
        Self(std::array::from_fn(|place| mac.as_bytes()[place]))
    }

    /// The tag with these bytes, as a store kept them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The tag's bytes, for a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// The same as a slice: what drivers of databases bind.
    #[must_use]
    pub const fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for TokenTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for TokenTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenTag({self})")
    }
}

/// The text is no tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token's tag is 16 hexadecimal digits in lower case")]
pub struct InvalidTag;

impl FromStr for TokenTag {
    type Err = InvalidTag;

    fn from_str(text: &str) -> Result<Self, InvalidTag> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 16 || !text.bytes().all(digit) {
            return Err(InvalidTag);
        }
        u64::from_str_radix(text, 16)
            .map(|bits| Self(bits.to_be_bytes()))
            .map_err(|_| InvalidTag)
    }
}

/// What a genuine pending cookie says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCookie {
    /// The pending secret.
    pub secret: PendingSecret,
    /// When this server minted it.
    pub minted: Timestamp,
}

impl PendingCookie {
    /// A fresh cookie.
    #[must_use]
    pub fn mint(entropy: &dyn Entropy, now: Timestamp) -> Self {
        Self {
            secret: PendingSecret::generate(entropy),
            minted: now,
        }
    }

    /// The cookie's text: base64url of secret (32 bytes), minting time (8), MAC (32).
    #[must_use]
    pub fn encode(&self, keys: &Keys, token: &Token) -> String {
        let minted = self.minted.as_millis().to_be_bytes();
        let mac = keys.mac(
            Purpose::PendingCookie,
            &[self.secret.expose(), &minted, token.expose().as_bytes()],
        );
        URL_SAFE_NO_PAD.encode([self.secret.expose().as_slice(), &minted, mac.as_bytes()].concat())
    }

    /// Reads a cookie's text; `None` unless this server minted it for `token`. Its age is for the
    /// caller to judge.
    #[must_use]
    pub fn decode(keys: &Keys, token: &Token, text: &str) -> Option<Self> {
        let (unverified, minted, mac) = Self::parts(text)?;
        let parts: [&[u8]; 3] = [unverified.expose(), &minted, token.expose().as_bytes()];
        let genuine = keys.verify(Purpose::PendingCookie, &parts, &mac);
        genuine.then(|| Self {
            secret: unverified,
            minted: Timestamp::from_millis(i64::from_be_bytes(minted)),
        })
    }

    /// Of a browser's `cookies`, under the tags in their names, the text of the one that counts for
    /// `token`: what this server minted for it, under whichever key.
    ///
    /// Tabs that landed on two servers while the keys were rotated may have left one under each
    /// key's tag. The one that was minted last counts, on each server alike, whichever key is its
    /// newest.
    #[must_use]
    pub fn among<'c>(
        keys: &Keys,
        token: &Token,
        cookies: impl IntoIterator<Item = (TokenTag, &'c str)>,
    ) -> Option<&'c str> {
        let tags = TokenTag::each(keys, token);
        let minted = |(tag, text): (TokenTag, &'c str)| {
            let cookie = Self::decode(keys, token, text).filter(|_| tags.contains(&tag))?;
            Some(((cookie.minted, tag), text))
        };
        cookies
            .into_iter()
            .filter_map(minted)
            .max_by_key(|(age, _)| *age)
            .map(|(_, text)| text)
    }

    /// The secret that a cookie's text claims, without a proof that this server minted it: good for
    /// looking up a session by its hash, which only a secret that was once adopted has.
    #[must_use]
    pub fn claimed_secret(text: &str) -> Option<PendingSecret> {
        Self::parts(text).map(|(secret, ..)| secret)
    }

    /// When a cookie's text claims to have been minted, for throwing the oldest away.
    #[must_use]
    pub fn claimed_minting(text: &str) -> Option<Timestamp> {
        Self::parts(text).map(|(_, minted, _)| Timestamp::from_millis(i64::from_be_bytes(minted)))
    }

    fn parts(text: &str) -> Option<(PendingSecret, [u8; 8], [u8; 32])> {
        let bytes: [u8; 72] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (secret, rest) = bytes.split_first_chunk::<32>()?;
        let (minted, mac) = rest.split_first_chunk::<8>()?;
        Some((
            PendingSecret::from_bytes(*secret),
            *minted,
            mac.try_into().ok()?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    fn token(text: &str) -> Token {
        text.parse().unwrap()
    }

    #[test]
    fn a_pending_cookie_is_good_for_its_own_token_and_server_alone() {
        let keys = Keys::from_secret(&[1; 32]);
        let cookie = PendingCookie::mint(&SystemEntropy, Timestamp::from_millis(5));
        let text = cookie.encode(&keys, &token("mine"));
        assert_eq!(
            PendingCookie::decode(&keys, &token("mine"), &text),
            Some(cookie)
        );
        assert_eq!(PendingCookie::decode(&keys, &token("other"), &text), None);
        assert_eq!(
            PendingCookie::decode(&Keys::from_secret(&[2; 32]), &token("mine"), &text),
            None
        );
    }

    #[test]
    fn a_pending_cookie_with_any_byte_changed_is_not_adopted() {
        let keys = Keys::from_secret(&[1; 32]);
        let text = PendingCookie::mint(&SystemEntropy, Timestamp::from_millis(5))
            .encode(&keys, &token("t"));
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for place in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[place] ^= 1;
            assert_eq!(
                PendingCookie::decode(&keys, &token("t"), &URL_SAFE_NO_PAD.encode(forged)),
                None,
                "byte {place}"
            );
        }
        assert_eq!(PendingCookie::decode(&keys, &token("t"), ""), None);
    }

    fn two_keys(first: u8, second: u8) -> Keys {
        Keys::from_secrets(&[first, second].map(|number| [number; 32]))
    }

    #[test]
    fn a_cookie_counts_under_the_tag_of_each_key_and_under_no_other() {
        let old = Keys::from_secret(&[1; 32]);
        let rotated = two_keys(2, 1);
        let link = token("t");
        let text =
            PendingCookie::mint(&SystemEntropy, Timestamp::from_millis(5)).encode(&old, &link);
        let found = |keys: &Keys, tag| PendingCookie::among(keys, &link, [(tag, &*text)]).is_some();
        assert!(found(&rotated, TokenTag::of(&old, &link)));
        assert!(!found(&rotated, TokenTag::of(&old, &token("other"))));
        assert!(!found(
            &Keys::from_secret(&[2; 32]),
            TokenTag::of(&old, &link)
        ));
    }

    #[test]
    fn of_one_cookie_under_each_key_every_server_takes_the_same() {
        let before = two_keys(1, 2);
        let after = two_keys(2, 1);
        let link = token("t");
        let mint = |keys: &Keys, minted| {
            PendingCookie::mint(&SystemEntropy, Timestamp::from_millis(minted)).encode(keys, &link)
        };
        for (one, two) in [(5, 6), (6, 5), (5, 5)] {
            let texts = [mint(&before, one), mint(&after, two)];
            let shown = || {
                [
                    (TokenTag::of(&before, &link), &*texts[0]),
                    (TokenTag::of(&after, &link), &*texts[1]),
                ]
            };
            let taken = PendingCookie::among(&before, &link, shown());
            assert!(taken.is_some());
            assert_eq!(taken, PendingCookie::among(&after, &link, shown()));
        }
    }

    #[test]
    fn a_tag_reads_back_from_its_cookie_name() {
        let tag = TokenTag::of(&Keys::from_secret(&[1; 32]), &token("t"));
        assert_eq!(tag.to_string().parse(), Ok(tag));
        for bad in ["", "+123456789012345", "ABCDEF0123456789", "0"] {
            assert_eq!(bad.parse::<TokenTag>(), Err(InvalidTag));
        }
    }
}
