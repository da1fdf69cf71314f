//! Browsers that have signed in before: a cookie says for whom, and proves it by a MAC.
//!
//! It signs nobody in. It keeps mails about new browsers to those that are new, and keeps an account's own browsers able to
//! try its password while strangers try too (OWASP's "device cookies").

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule::{
    secret::{Keys, Mac, Purpose},
    user::UserId,
};

/// For how many users a browser is known at most.
const MOST: usize = 8;

/// For whom a browser is known: a MAC each, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known(Vec<Mac>);

impl Known {
    /// Reads the cookie.
    #[must_use]
    pub fn read(text: Option<&str>) -> Self {
        let mac = |text: &str| Some(Mac::from_bytes(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?));
        Self(text.unwrap_or_default().split('.').take(MOST).filter_map(mac).collect())
    }

    /// The cookie's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.iter().map(|mac| URL_SAFE_NO_PAD.encode(mac.as_bytes())).collect::<Vec<_>>().join(".")
    }

    /// Whether the browser has signed in as `user` before.
    #[must_use]
    pub fn contains(&self, keys: &Keys, user: UserId) -> bool {
        keys.macs(Purpose::KnownBrowser, &[user.as_bytes()]).any(|mac| self.0.contains(&mac))
    }

    /// The same, and `user`.
    #[must_use]
    pub fn with(mut self, keys: &Keys, user: UserId) -> Self {
        self.0.insert(0, keys.mac(Purpose::KnownBrowser, &[user.as_bytes()]));
        self.0.truncate(MOST);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: UserId = UserId::from_bytes([1; 16]);
    const BOB: UserId = UserId::from_bytes([2; 16]);

    #[test]
    fn a_browser_is_known_for_whom_it_has_signed_in_and_nobody_else() {
        let keys = Keys::from_secret(&[1; 32]);
        let known = Known::read(None).with(&keys, ADA);
        let read = Known::read(Some(&known.to_text()));
        assert!(read.contains(&keys, ADA) && !read.contains(&keys, BOB));
        assert!(!read.contains(&Keys::from_secret(&[2; 32]), ADA));
        let both = read.with(&keys, BOB);
        assert!(both.contains(&keys, ADA) && both.contains(&keys, BOB));
    }

    #[test]
    fn what_is_no_mac_is_passed_over_and_no_more_are_kept_than_may_be() {
        assert_eq!(Known::read(Some("..x.AAAA")), Known::default());
        let keys = Keys::from_secret(&[1; 32]);
        let crowd = (0..20).fold(Known::default(), |known, number| known.with(&keys, UserId::from_bytes([number; 16])));
        assert!(
            crowd.contains(&keys, UserId::from_bytes([19; 16])) && !crowd.contains(&keys, UserId::from_bytes([0; 16]))
        );
        assert!(crowd.to_text().len() < 400);
    }
}
