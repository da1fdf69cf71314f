//! The token of a link, and the one that the waiting browser has.

use crate::{
    secret::{Keys, LinkToken, Mac, Purpose, labelled_hash},
    token::Token,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// As a [`Token`] a link carries 64 bits of a MAC, so that a landing knows our own links from an external service's without
/// a look at the database: a flood of invented ones costs no more than before.
const TAG: usize = 8;

impl LinkToken {
    /// The one in `token`, if that is one of ours.
    #[must_use]
    pub fn read(keys: &Keys, token: &Token) -> Option<Self> {
        let bytes: [u8; 32 + TAG] = URL_SAFE_NO_PAD.decode(token.expose()).ok()?.try_into().ok()?;
        let (secret, tag) = bytes.split_first_chunk::<32>()?;
        let genuine = keys.macs(Purpose::Link, &[secret]).any(|mac| mac.as_bytes().starts_with(tag));
        genuine.then(|| Self::from_bytes(*secret))
    }

    /// The token in the link's address.
    #[must_use]
    pub fn token(&self, keys: &Keys) -> Token {
        let mac = keys.mac(Purpose::Link, &[self.expose()]);
        base64url(&[self.expose().as_slice(), &mac.as_bytes()[..TAG]].concat())
    }

    /// Whether `token` is one that a browser waits with for a link of ours.
    #[must_use]
    pub fn is_waiting(keys: &Keys, token: &Token) -> bool {
        let bytes = URL_SAFE_NO_PAD.decode(token.expose()).ok();
        let bytes = bytes.and_then(|bytes| <[u8; 16 + TAG]>::try_from(bytes).ok());
        let Some((name, tag)) = bytes.as_ref().and_then(|bytes| bytes.split_first_chunk::<16>()) else { return false };
        keys.macs(Purpose::Link, &[b"waiting", name]).any(|mac| mac.as_bytes().starts_with(tag))
    }

    /// The token of the waiting browser's confirmation. It follows from the link's, so a landing sees from the browser's
    /// cookies whether it is the one that asked; nothing leads back from it.
    #[must_use]
    pub fn waiting(&self, keys: &Keys) -> Token {
        self.waiting_under(&keys.mac(Purpose::Link, &[b"waiting", &self.name()]))
    }

    /// The same under each of the keys: which one was the newest when the browser began to wait is not known.
    #[must_use]
    pub fn waiting_each(&self, keys: &Keys) -> Vec<Token> {
        keys.macs(Purpose::Link, &[b"waiting", &self.name()]).map(|mac| self.waiting_under(&mac)).collect()
    }

    fn waiting_under(&self, mac: &Mac) -> Token {
        base64url(&[self.name().as_slice(), &mac.as_bytes()[..TAG]].concat())
    }

    fn name(&self) -> [u8; 16] {
        let hash = labelled_hash("vestibule/1 waiting", &self.hash());
        std::array::from_fn(|place| hash[place])
    }
}

fn base64url(bytes: &[u8]) -> Token {
    URL_SAFE_NO_PAD.encode(bytes).parse().expect("base64url has none but the characters of a token")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    #[test]
    fn a_token_of_ours_is_known_under_each_of_our_keys_and_no_other() {
        let (old, other) = (Keys::from_secret(&[1; 32]), Keys::from_secret(&[2; 32]));
        let link = LinkToken::generate(&SystemEntropy);
        let token = link.token(&old);
        assert_eq!(LinkToken::read(&old, &token), Some(link.clone()));
        assert_eq!(LinkToken::read(&other, &token), None);
        for forged in ["x", &"A".repeat(54), link.waiting(&old).expose()] {
            assert_eq!(LinkToken::read(&old, &forged.parse().unwrap()), None, "{forged}");
        }
    }

    #[test]
    fn the_waiting_token_is_the_links_own_and_is_not_the_link() {
        let (link, other) = (LinkToken::generate(&SystemEntropy), LinkToken::generate(&SystemEntropy));
        let keys = Keys::from_secret(&[1; 32]);
        assert_eq!(link.waiting_each(&keys), [link.waiting(&keys)]);
        assert_ne!(link.waiting(&keys), other.waiting(&keys));
        assert!(LinkToken::is_waiting(&keys, &link.waiting(&keys)));
        assert!(!LinkToken::is_waiting(&Keys::from_secret(&[2; 32]), &link.waiting(&keys)));
        assert!(!LinkToken::is_waiting(&keys, &link.token(&keys)));
    }
}
