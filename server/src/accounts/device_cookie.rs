//! Browsers that have signed in before: a cookie proves it, with a MAC for each of their users.
//!
//! The cookie signs no one in. It limits mails about new browsers to those that are new, and keeps
//! an account's own browsers able to try its password while strangers try too (OWASP's "device
//! cookies").

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule::{
    secret::{Keys, Mac, Purpose},
    user::User,
};

/// The most users that a browser is known for.
const MOST: usize = 8;

/// The users that a browser is known for: a MAC each, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceCookie(Vec<Mac>);

impl DeviceCookie {
    /// Reads the cookie.
    #[must_use]
    pub fn read(text: Option<&str>) -> Self {
        let mac = |text: &str| {
            Some(Mac::from_bytes(
                URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?,
            ))
        };
        Self(
            text.unwrap_or_default()
                .split('.')
                .take(MOST)
                .filter_map(mac)
                .collect(),
        )
    }

    /// The cookie's text.
    pub fn to_text(&self) -> String {
        self.0
            .iter()
            .map(|mac| URL_SAFE_NO_PAD.encode(mac.as_bytes()))
            .collect::<Vec<_>>()
            .join(".")
    }

    /// Whether the browser has signed in as `user` before.
    pub fn contains(&self, keys: &Keys, user: &User) -> bool {
        macs(keys, user).iter().any(|mac| self.0.contains(mac))
    }

    /// The same plus `user`, under the newest key: a browser is still known when older keys are
    /// dropped.
    #[must_use]
    pub fn with(mut self, keys: &Keys, user: &User) -> Self {
        let macs = macs(keys, user);
        self.0.retain(|mac| !macs.contains(mac));
        self.0.splice(0..0, macs.into_iter().take(1));
        self.0.truncate(MOST);
        self
    }
}

/// The user's MACs under each key, the newest key's first. They change when the user changes how
/// they sign in or ends sessions of other browsers, so that a browser that was signed in before is
/// no longer known.
fn macs(keys: &Keys, user: &User) -> Vec<Mac> {
    let valid_from = user
        .valid_from
        .max(user.known_from)
        .as_millis()
        .to_be_bytes();
    keys.macs(Purpose::KnownBrowser, &[user.id.as_bytes(), &valid_from])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule::{
        clock::Timestamp,
        user::{Identity, UserId},
    };

    fn user(number: u8) -> User {
        let identity = Identity {
            issuer: "i".into(),
            subject: number.to_string(),
            name: None,
            email: None,
        };
        User::new(
            UserId::from_bytes([number; 16]),
            identity,
            Timestamp::from_millis(0),
        )
    }

    fn keys(numbers: &[u8]) -> Keys {
        let secrets: Vec<_> = numbers.iter().map(|number| [*number; 32]).collect();
        Keys::from_secrets(&secrets)
    }

    #[test]
    fn a_browser_is_known_only_for_users_it_has_signed_in() {
        let keys = keys(&[1]);
        let ada = user(1);
        let bob = user(2);
        let read = DeviceCookie::read(Some(&DeviceCookie::read(None).with(&keys, &ada).to_text()));
        assert!(read.contains(&keys, &ada) && !read.contains(&keys, &bob));
        assert!(!read.contains(&self::keys(&[2]), &ada));
        let both = read.with(&keys, &bob);
        assert!(both.contains(&keys, &ada) && both.contains(&keys, &bob));
    }

    #[test]
    fn a_browser_is_known_no_more_once_its_user_signs_in_in_another_way() {
        let keys = keys(&[1]);
        let ada = user(1);
        let changed = User {
            valid_from: Timestamp::from_millis(7),
            ..ada.clone()
        };
        let thrown_out = User {
            known_from: Timestamp::from_millis(7),
            ..ada.clone()
        };
        for user in [changed, thrown_out] {
            assert!(
                !DeviceCookie::default()
                    .with(&keys, &ada)
                    .contains(&keys, &user)
            );
        }
    }

    #[test]
    fn a_browser_stays_known_when_the_key_is_changed_and_the_old_one_dropped() {
        let ada = user(1);
        let bob = user(2);
        let known = DeviceCookie::default()
            .with(&keys(&[2]), &ada)
            .with(&keys(&[2]), &bob);
        let renewed = known.with(&keys(&[1, 2]), &ada);
        assert!(renewed.contains(&keys(&[1]), &ada) && !renewed.contains(&keys(&[1]), &bob));
        assert_eq!(
            renewed.clone().with(&keys(&[1, 2]), &ada),
            renewed,
            "nothing is left to do"
        );
        assert_eq!(renewed.0.len(), 2);
    }

    #[test]
    fn what_is_no_mac_is_passed_over_and_no_more_are_kept_than_may_be() {
        assert_eq!(
            DeviceCookie::read(Some("..x.AAAA")),
            DeviceCookie::default()
        );
        let keys = keys(&[1]);
        let crowd = (0..20).fold(DeviceCookie::default(), |known, number| {
            known.with(&keys, &user(number))
        });
        assert!(crowd.contains(&keys, &user(19)) && !crowd.contains(&keys, &user(0)));
        assert!(crowd.to_text().len() < 400);
    }
}
