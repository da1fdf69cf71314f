//! Asking for a link: a confirmation that waits, the link that it waits for, and a mail with the
//! link.

use super::{MagicLinks, Registration};
use crate::{
    caps::Shares,
    confirmation::{ConfirmationId, Decision, Rejection},
    device::Device,
    email_address::Address,
    link::{Asker, Code, Link, LinkToken, RESEND_AFTER, Terms, Tries, WRONG_CODES, tries},
    mail::{LinkMail, MAILS, Mail, MailBody, MailClass, MailId, Posted, Posting, SealedMailBody},
    path::LocalPath,
    pending::PendingCookie,
    sign_ins::Pending,
    store::{BeginError, StoreError},
    token::Token,
    user::PASSWORD_ISSUER,
};
use std::time::Duration;

/// How long a request for a link counts.
pub const WINDOW: Duration = Duration::from_hours(1);
/// How long a waiting confirmation outlives its link: long enough to be told that the link has
/// expired.
const AFTER: Duration = Duration::from_mins(1);

/// A request for a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The address to send it to.
    pub address: Address,
    /// The device that asks for it, if known.
    pub device: Option<Device>,
    /// Where the sign-in leads, if not to the default.
    pub next: Option<LocalPath>,
    /// Who asks for it.
    pub asker: Asker,
}

/// What the requester gets, whether or not a link was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    /// The token of the waiting confirmation.
    pub token: Token,
    /// Its pending cookie, for the response to set.
    pub pending: Pending,
}

impl MagicLinks {
    /// Sends a link and makes the browser wait for it. The answer is the same, and takes as long,
    /// if no link is sent because no user has that address or it has had enough: asking reveals
    /// nothing about an address. Within [`WINDOW`] a client may ask as often as it may have
    /// undecided confirmations.
    ///
    /// A browser that asks twice within [`RESEND_AFTER`], to lead to the same place, waits for one
    /// link: a second mail would not help.
    ///
    /// # Errors
    /// [`BeginError`] if a cap was met or it could not be stored: nothing is sent then, and nothing
    /// has begun.
    pub async fn request(&self, ask: Ask) -> Result<Requested, BeginError> {
        let keys = self.sign_ins.keys();
        let entropy = self.sign_ins.entropy();
        let now = self.sign_ins.now();
        let token = LinkToken::generate(entropy);
        let code = Code::generate(entropy);
        let Ask {
            address,
            device,
            next,
            asker,
        } = ask;
        let link = Link::new(keys, entropy, now, &address, &token, &code, device);
        let user = self
            .sign_ins
            .stores
            .users
            .user_by_identity(PASSWORD_ISSUER, address.as_str())
            .await?;
        let to = user
            .as_ref()
            .map_or_else(|| address.clone(), |user| address.of_user(&user.identity));
        let allows_new_user = self.registration == Registration::Open;
        let stranger = allows_new_user && user.is_none();
        let own = asker.pending(keys, link.id, now);
        let cookie = own.unwrap_or_else(|| PendingCookie::mint(entropy, now));
        let waiting = token.waiting(keys);
        let times = (link.expires_at, link.expires_at + AFTER);
        let secret = cookie.secret.hash();
        let confirmation = self
            .sign_ins
            .wait(&waiting, secret, times, asker.client, asker.known)
            .await?;
        let tries = Tries {
            address,
            known: asker.known,
        };
        let has_code = self.store.codes_tried(&tries, tries::since(now)).await? < WRONG_CODES;
        let body = MailBody::Link(LinkMail {
            link: token,
            code: has_code.then_some(code),
            device: link.device.clone(),
        });
        let id = MailId::generate(entropy);
        let posting = Posting {
            mail: Mail {
                id,
                to,
                class: MailClass::of_link(asker.known, stranger),
                body: SealedMailBody::seal(keys, entropy, id, &body),
                failed: 0,
                due_at: now,
                expires_at: link.expires_at,
            },
            stranger,
            delivered: user.map_or(allows_new_user, |user| !user.disabled),
            client: asker.client,
            browser: asker.browser.as_ref().map(|browser| browser.tag(keys)),
            since: now - WINDOW,
            held: [now - RESEND_AFTER, now + RESEND_AFTER],
            terms: Terms {
                shares: Shares::new(self.sign_ins.room.caps().of_client),
                in_all: MAILS,
                strangers: self.strangers,
            },
        };
        let link = Link {
            waiting: Some(confirmation),
            allows_new_user,
            known: asker.known,
            next,
            ..link
        };
        match self.store.post_link(&link, &posting).await {
            Ok(Posted::New) => {}
            Ok(Posted::Held(held)) => {
                self.give_up(confirmation).await;
                return Ok(self.held(&held, &asker).await?);
            }
            Err(error) => {
                self.give_up(confirmation).await;
                return Err(error);
            }
        }
        self.mail_wake.notify_one();
        // Browsers that wait for a former link must be told.
        self.sign_ins.dispatch.wake();
        Ok(Requested {
            token: waiting,
            pending: Pending {
                cookie,
                fresh: true,
            },
        })
    }

    /// What the browser got when it asked for `link` just before.
    async fn held(&self, link: &Link, asker: &Asker) -> Result<Requested, StoreError> {
        let keys = self.sign_ins.keys();
        let token = LinkToken::waiting_of(keys, &link.token);
        for cookie in asker.pending_each(keys, link.id, link.requested_at) {
            if self
                .sign_ins
                .stores
                .confirmations
                .confirmation_by_secret(&cookie.secret.hash())
                .await?
                .is_some()
            {
                return Ok(Requested {
                    token,
                    pending: Pending {
                        cookie,
                        fresh: true,
                    },
                });
            }
        }
        // The confirmation has gone, or was begun at another address; the page that waits says so.
        let cookie = PendingCookie::mint(self.sign_ins.entropy(), self.sign_ins.now());
        Ok(Requested {
            token,
            pending: Pending {
                cookie,
                fresh: false,
            },
        })
    }

    /// No link will come for this confirmation, so it must not count as undecided.
    async fn give_up(&self, confirmation: ConfirmationId) {
        let _ = self
            .sign_ins
            .decide(confirmation, &Decision::Rejected(Rejection::Expired))
            .await;
    }
}
