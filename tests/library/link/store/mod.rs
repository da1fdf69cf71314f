//! What every database of links promises.

mod codes;
mod limits;
mod mails;
mod post;
mod revoke;
mod strangers;

use crate::support::{Postgres, at, keys};
use std::sync::Arc;
use vestibule::{
    caps::{Client, Shares},
    confirmation::ConfirmationId,
    device::Device,
    email_address::Address,
    link::{Code, Link, LinkId, LinkState, LinkToken, Number, Terms},
    mail::{LinkMail, Mail, MailBody, MailClass, MailId, Posting, SealedMailBody},
    secret::SystemEntropy,
    store::{
        ConfirmationQueue, ConfirmationStore, LinkStore, MailStore, SessionStore, UserStore,
        sqlite::SqliteStore,
    },
};

/// A database of links and of their users.
trait Database:
    ConfirmationStore + ConfirmationQueue + SessionStore + UserStore + LinkStore + MailStore
{
}

impl<D> Database for D where
    D: ConfirmationStore + ConfirmationQueue + SessionStore + UserStore + LinkStore + MailStore
{
}

/// One empty database of each kind, and what has to live as long as it.
async fn databases() -> Vec<(Arc<dyn Database>, Option<tempfile::TempDir>)> {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(&folder.path().join("vestibule.db"), &keys(&[7]))
        .await
        .unwrap();
    let mut all: Vec<(Arc<dyn Database>, _)> = vec![(Arc::new(sqlite), Some(folder))];
    if let Some(postgres) = Postgres::fresh().await {
        all.push((Arc::new(postgres.open().await), None));
    }
    all
}

fn sample(number: u8, address: &Address) -> (Link, Posting) {
    let id = LinkId::from_bytes([number; 16]);
    let token = LinkToken::from_bytes([number; 32]);
    let code = Code::generate(&SystemEntropy);
    let link = Link {
        id,
        revision: 0,
        token: token.hash(),
        waiting: Some(ConfirmationId::from_bytes([number; 16])),
        address: address.clone(),
        allows_new_user: false,
        code: code.mac(&keys(&[7]), id),
        mailed: true,
        known: false,
        guesses: 0,
        number: Number::new(42).unwrap(),
        device: Device::new("Firefox on Linux"),
        next: None,
        requested_at: at(i64::from(number)),
        expires_at: at(i64::from(number) + 900),
        state: LinkState::Open,
    };
    let body = MailBody::Link(LinkMail {
        link: token,
        code: Some(code),
        device: link.device.clone(),
    });
    let id = MailId::from_bytes([number; 16]);
    let body = SealedMailBody::seal(&keys(&[7]), &SystemEntropy, id, &body);
    let mail = Mail {
        id,
        to: address.clone(),
        class: MailClass::User,
        body,
        failed: 0,
        due_at: link.requested_at,
        expires_at: link.expires_at,
    };
    let client = Client::from_bytes([number; 16]);
    let held = [at(i64::from(number) - 30), at(i64::from(number) + 30)];
    let terms = Terms {
        shares: Shares::new(u32::MAX),
        in_all: u32::MAX,
        strangers: u32::MAX,
    };
    let posting = Posting {
        mail,
        delivered: true,
        client,
        browser: None,
        stranger: false,
        since: at(-99),
        held,
        terms,
    };
    (link, posting)
}

/// The same, asked for in the browser with this tag.
fn in_browser(number: u8, address: &Address, tag: u8) -> (Link, Posting) {
    let (link, posting) = sample(number, address);
    (
        link,
        Posting {
            browser: Some([tag; 16]),
            ..posting
        },
    )
}

/// The same, which has signed in to the address before.
fn in_known(number: u8, address: &Address, tag: u8) -> (Link, Posting) {
    let (link, posting) = in_browser(number, address, tag);
    (
        Link {
            known: true,
            ..link
        },
        posting,
    )
}

/// The same, to lead to `next`.
fn leading_to((link, posting): (Link, Posting), next: &str) -> (Link, Posting) {
    (
        Link {
            next: Some(next.parse().unwrap()),
            ..link
        },
        posting,
    )
}

async fn stored(store: &Arc<dyn Database>, link: &Link) -> Link {
    store
        .link_by_token(&link.token)
        .await
        .unwrap()
        .expect("it is kept")
}
