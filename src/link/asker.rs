//! Who asks for a link: by the cookie of their browser, and their network address.

use crate::{
    caps::Client,
    clock::Timestamp,
    link::LinkId,
    pending::PendingCookie,
    secret::{Keys, Mac, PendingSecret, Purpose},
};
use std::fmt;

/// Who asks for a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// The network address.
    pub client: Client,
    /// The browser; `None` for one that shows no cookie of its own.
    pub browser: Option<Browser>,
    /// Whether that browser has signed in to the address before.
    pub known: bool,
}

/// A browser, by the text of a cookie that no other browser has.
#[derive(Clone, PartialEq, Eq)]
pub struct Browser(String);

/// What a store keeps in place of a [`Browser`]: a keyed hash.
pub type BrowserTag = [u8; 16];

impl Browser {
    /// The browser whose cookie has this text.
    #[must_use]
    pub fn new(cookie: impl Into<String>) -> Self {
        Self(cookie.into())
    }

    /// What a store keeps in its place.
    #[must_use]
    pub fn tag(&self, keys: &Keys) -> BrowserTag {
        let mac = keys.mac(Purpose::Link, &[b"browser", self.0.as_bytes()]);
        std::array::from_fn(|place| mac.as_bytes()[place])
    }
}

impl Asker {
    /// The pending cookie with which the browser waits for `link`, asked for at `asked`. It follows
    /// from the browser's own cookie, so two requests that it makes at once are answered with the
    /// same one; and from its network address, so that someone who steals the browser's cookie gets
    /// a different one elsewhere.
    #[must_use]
    pub fn pending(&self, keys: &Keys, link: LinkId, asked: Timestamp) -> Option<PendingCookie> {
        let browser = self.browser.as_ref()?;
        let mac = keys.mac(Purpose::Link, &self.pending_parts(browser, &link));
        Some(pending_cookie(&mac, asked))
    }

    /// The same under each of the keys: which one was the newest when the link was asked for is not
    /// known.
    #[must_use]
    pub fn pending_each(&self, keys: &Keys, link: LinkId, asked: Timestamp) -> Vec<PendingCookie> {
        let Some(browser) = &self.browser else {
            return Vec::new();
        };
        let parts = self.pending_parts(browser, &link);
        let macs = keys.macs(Purpose::Link, &parts);
        macs.map(|mac| pending_cookie(&mac, asked)).collect()
    }

    fn pending_parts<'p>(&'p self, browser: &'p Browser, link: &'p LinkId) -> [&'p [u8]; 4] {
        [
            b"pending",
            browser.0.as_bytes(),
            self.client.as_bytes(),
            link.as_bytes(),
        ]
    }
}

fn pending_cookie(mac: &Mac, minted: Timestamp) -> PendingCookie {
    PendingCookie {
        secret: PendingSecret::from_bytes(*mac.as_bytes()),
        minted,
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Browser(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_to_wait_with_follows_from_link_browser_and_network_address() {
        let keys = Keys::from_secret(&[1; 32]);
        let asker = |cookie, address| Asker {
            client: Client::from_bytes([address; 16]),
            browser: Some(Browser::new(cookie)),
            known: false,
        };
        let link = |number| LinkId::from_bytes([number; 16]);
        let pending = |asker: Asker, number| {
            asker
                .pending(&keys, link(number), Timestamp::from_millis(7))
                .unwrap()
        };
        let first = pending(asker("cookie", 1), 1);
        assert_eq!(pending(asker("cookie", 1), 1), first);
        let each = asker("cookie", 1).pending_each(&keys, link(1), Timestamp::from_millis(7));
        assert_eq!(each, std::slice::from_ref(&first));
        for (cookie, address, number) in [("cookie", 1, 2), ("another", 1, 1), ("cookie", 2, 1)] {
            assert_ne!(
                pending(asker(cookie, address), number),
                first,
                "{cookie} {address} {number}"
            );
        }
        let tag = |cookie| Browser::new(cookie).tag(&keys);
        assert_ne!(tag("cookie"), tag("another"));
    }
}
