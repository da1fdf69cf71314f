//! Who asks for a link, and how many links a mailbox is sent: a stranger uses up nothing that is
//! the owner's.
//!
//! A browser that has signed in to the address before has a budget apart from all others. What the
//! others have is shared out: one client cannot use up all of it.

use crate::{
    caps::{Capped, Client, Shares, Usage},
    clock::Timestamp,
    link::LinkId,
    pending::PendingCookie,
    secret::{Keys, Mac, PendingSecret, Purpose},
};
use std::fmt;

/// How many links an address is sent within [`WINDOW`](super::WINDOW) that were asked for in
/// browsers that have signed in to it before, and how many its mailbox is sent that were asked for
/// in other browsers. To ask for more looks the same.
pub const PER_ADDRESS: u32 = 5;
/// How many of the other browsers' links may all be one client's. Of the rest there is one for each
/// client.
const FREE: u32 = 3;

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

/// The terms on which links are posted: how much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How many links the client and its networks may ask for within [`WINDOW`](super::WINDOW).
    pub shares: Shares,
    /// How many mails may wait, with this one. A browser that is known finds a tenth more.
    pub in_all: u32,
    /// How many links may be mailed within [`WINDOW`](super::WINDOW) to addresses that no user has,
    /// all together.
    pub strangers: u32,
}

/// What becomes of the mail of a link that is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mailing {
    /// It is sent.
    Sent,
    /// It is never sent, but takes a mail's time: the requester cannot tell.
    Unsent,
    /// There is none: the address has had its share.
    None,
}

/// What is there when a link is posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Links mailed to the address lately that were asked for in browsers that have signed in to
    /// it.
    pub to_known: u32,
    /// Links mailed to its mailbox lately that were asked for in other browsers.
    pub to_others: u32,
    /// Of those, how many in each of the client's [networks](Client::networks).
    pub to_networks: [u32; 3],
    /// Links that each of the client's networks has asked for lately, mailed or not.
    pub asked: [u32; 3],
    /// How many of those still wait to be sent.
    pub waiting: [u32; 3],
    /// Mails that wait, in all.
    pub in_all: u32,
    /// Links mailed lately to all addresses that no user has, if this is one more of those.
    pub to_strangers: u32,
}

impl Terms {
    /// How many waiting mails make a difference.
    pub(crate) const fn at_most(&self) -> u32 {
        self.in_all.saturating_add(self.in_all / 10)
    }

    /// What becomes of a link's mail where this is `there`: one that is asked for in a browser that
    /// is `known`, or not, and that goes to a user's address, or to a `stranger`'s. What strangers
    /// have asked for, from the same network or anywhere, counts for no browser that is known; and
    /// the requester does not learn whether an address is a stranger's.
    pub(crate) fn judge(
        &self,
        known: bool,
        stranger: bool,
        there: &Counts,
    ) -> Result<Mailing, Capped> {
        if known && there.to_known < PER_ADDRESS {
            return if there.in_all < self.at_most() {
                Ok(Mailing::Sent)
            } else {
                Err(Capped::All)
            };
        }
        if !self.shares.admit(there.asked) {
            return Err(Capped::Links);
        }
        if !self
            .shares
            .during(Usage::of(there.in_all, self.in_all))
            .admit(there.waiting)
        {
            return Err(Capped::All);
        }
        Ok(if known || !there.leaves_one_for_others() {
            Mailing::None
        } else if stranger && !self.admit_stranger(there) {
            Mailing::Unsent
        } else {
            Mailing::Sent
        })
    }

    /// Whether one more link may go to an address that no user has: in the last tenth, only for a
    /// client that has asked for nothing else.
    fn admit_stranger(&self, there: &Counts) -> bool {
        let usage = Usage::of(there.to_strangers, self.strangers);
        if usage == Usage::Full {
            tracing::warn!(
                most = self.strangers,
                "too many links to addresses without an account; sending no more of them"
            );
        }
        self.shares.during(usage).admit(there.asked)
    }
}

impl Counts {
    fn leaves_one_for_others(&self) -> bool {
        self.to_others < FREE
            || self.to_others < PER_ADDRESS && Shares::new(1).admit(self.to_networks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms {
        shares: Shares::new(100),
        in_all: 1000,
        strangers: 50,
    };

    #[test]
    fn what_strangers_have_asked_for_is_not_counted_for_a_known_browser() {
        let flooded = Counts {
            to_known: PER_ADDRESS - 1,
            to_others: 99,
            to_networks: [99; 3],
            asked: [100, 200, 400],
            waiting: [100, 200, 400],
            in_all: 1000,
            to_strangers: 50,
        };
        assert_eq!(TERMS.judge(true, false, &flooded), Ok(Mailing::Sent));
        assert_eq!(TERMS.judge(false, false, &flooded), Err(Capped::Links));
        assert_eq!(
            TERMS.judge(
                false,
                false,
                &Counts {
                    asked: [0; 3],
                    ..flooded
                }
            ),
            Err(Capped::All)
        );
        assert_eq!(
            TERMS.judge(
                true,
                false,
                &Counts {
                    in_all: 1100,
                    ..flooded
                }
            ),
            Err(Capped::All),
            "a bound all the same"
        );
    }

    #[test]
    fn a_known_browser_that_has_had_its_own_is_mailed_none_of_the_others_and_counts_as_its_client()
    {
        let enough = Counts {
            to_known: PER_ADDRESS,
            ..Counts::default()
        };
        assert_eq!(TERMS.judge(true, false, &enough), Ok(Mailing::None));
        assert_eq!(
            TERMS.judge(
                true,
                false,
                &Counts {
                    asked: [100; 3],
                    ..enough
                }
            ),
            Err(Capped::Links)
        );
    }

    #[test]
    fn a_client_and_the_networks_around_it_leave_some_for_others() {
        for (to_others, to_networks, mailing) in [
            (2, [2, 2, 2], Mailing::Sent),
            (3, [3, 3, 3], Mailing::None),
            (3, [1, 1, 1], Mailing::None),
            (3, [0, 1, 3], Mailing::Sent),
            (3, [0, 2, 2], Mailing::None),
            (4, [0, 0, 4], Mailing::None),
            (4, [0, 0, 0], Mailing::Sent),
            (5, [0, 0, 0], Mailing::None),
        ] {
            let there = Counts {
                to_others,
                to_networks,
                ..Counts::default()
            };
            assert_eq!(
                TERMS.judge(false, false, &there),
                Ok(mailing),
                "{to_others} {to_networks:?}"
            );
        }
    }

    #[test]
    fn a_network_asks_for_so_many_and_of_the_last_tenth_of_the_mails_each_client_has_one() {
        let judged = |asked, waiting, in_all| {
            TERMS.judge(
                false,
                false,
                &Counts {
                    asked,
                    waiting,
                    in_all,
                    ..Counts::default()
                },
            )
        };
        for full in [[100, 100, 100], [1, 200, 200], [1, 1, 400]] {
            assert_eq!(judged(full, [0; 3], 0), Err(Capped::Links), "{full:?}");
        }
        assert_eq!(judged([99, 199, 399], [50; 3], 899), Ok(Mailing::Sent));
        assert_eq!(judged([99, 199, 399], [1; 3], 900), Err(Capped::All));
        assert_eq!(judged([99, 199, 399], [0, 1, 3], 999), Ok(Mailing::Sent));
        assert_eq!(judged([0; 3], [0; 3], 1000), Err(Capped::All));
    }

    #[test]
    fn strangers_are_mailed_so_many_together_and_users_all_the_same() {
        for (asked, to_strangers, stranger, mailing) in [
            ([9, 9, 9], 44, true, Mailing::Sent),
            ([1, 1, 1], 45, true, Mailing::Unsent),
            ([0, 1, 3], 45, true, Mailing::Sent),
            ([0; 3], 50, true, Mailing::Unsent),
            ([9, 9, 9], 50, false, Mailing::Sent),
        ] {
            let there = Counts {
                asked,
                to_strangers,
                ..Counts::default()
            };
            assert_eq!(
                TERMS.judge(false, stranger, &there),
                Ok(mailing),
                "{asked:?} {to_strangers} {stranger}"
            );
            let enough = Counts {
                to_others: PER_ADDRESS,
                ..there
            };
            assert_eq!(
                TERMS.judge(false, stranger, &enough),
                Ok(Mailing::None),
                "a stranger's address has no other share"
            );
        }
    }

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
