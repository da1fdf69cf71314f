//! Links and mails as rows.

use super::{Reading, Row};
use crate::{
    caps::Client,
    confirmation::ConfirmationId,
    device::Device,
    email_address::Address,
    link::{BrowserTag, Counts, Link, LinkId, LinkState, Mailing, Number},
    mail::{Mail, MailClass, MailId, Posting, SealedMailBody},
    secret::{Mac, Sealed, SecretHash},
    store::StoreError,
};

/// Reads a link.
pub(in crate::store) fn link(row: &dyn Row) -> Result<Link, StoreError> {
    let row = Reading::new("links", row);
    let state = match (row.text("state")?, row.optional_bytes("used_by")?) {
        ("open", None) => LinkState::Open,
        ("approved", None) => LinkState::Approved,
        ("used", Some(by)) => LinkState::Used {
            by: ConfirmationId::from_bytes(by),
        },
        ("void", None) => LinkState::Revoked,
        _ => return Err(row.corrupt("state and used_by fit no state")),
    };
    Ok(Link {
        id: LinkId::from_bytes(row.bytes("id")?),
        revision: row.number("revision")?,
        token: SecretHash::from_bytes(row.bytes("token")?),
        waiting: row
            .optional_bytes("waiting")?
            .map(ConfirmationId::from_bytes),
        address: address(&row)?,
        allows_new_user: row.number::<u8>("admits")? == 1,
        code: Mac::from_bytes(row.bytes("code")?),
        mailed: row.number::<u8>("mailed")? == 1,
        known: row.number::<u8>("known")? == 1,
        guesses: row.number("guesses")?,
        number: Number::new(row.number("number")?).ok_or_else(|| row.corrupt("number"))?,
        device: Device::new(row.text("device")?),
        next: row
            .optional_text("next")?
            .map(str::parse)
            .transpose()
            .map_err(|_| row.corrupt("next"))?,
        requested_at: row.time("requested_at")?,
        expires_at: row.time("expires_at")?,
        state,
    })
}

/// Reads mails. One that cannot be read stops itself and nothing else: it is put off, again and
/// again, until it is swept.
pub(in crate::store) fn mails<R: Row>(rows: &[R]) -> Vec<Mail> {
    let readable =
        |row: &R| mail(row).inspect_err(|error| tracing::error!(%error, "a mail cannot be sent"));
    rows.iter().filter_map(|row| readable(row).ok()).collect()
}

fn mail(row: &dyn Row) -> Result<Mail, StoreError> {
    let row = Reading::new("mails", row);
    Ok(Mail {
        id: MailId::from_bytes(row.bytes("id")?),
        to: address(&row)?,
        class: MailClass::from_number(row.number("class")?).ok_or_else(|| row.corrupt("class"))?,
        body: SealedMailBody(Sealed {
            key_id: row.number("letter_key")?,
            bytes: row.blob("letter")?.to_vec(),
        }),
        failed: row.number("failed")?,
        due_at: row.time("due_at")?,
        expires_at: row.time("expires_at")?,
    })
}

fn address(row: &Reading<'_>) -> Result<Address, StoreError> {
    row.text("address")?
        .parse()
        .map_err(|_| row.corrupt("address"))
}

/// Reads what [`COUNT_LINKS`](crate::store::statements::COUNT_LINKS) has counted.
pub(in crate::store) fn link_counts(row: &dyn Row) -> Result<Counts, StoreError> {
    let row = Reading::new("links", row);
    Ok(Counts {
        to_known: row.number("to_known")?,
        to_others: row.number("to_others")?,
        to_networks: [
            row.number("to_64")?,
            row.number("to_56")?,
            row.number("to_48")?,
        ],
        asked: [
            row.number("asked_64")?,
            row.number("asked_56")?,
            row.number("asked_48")?,
        ],
        waiting: [
            row.number("waiting_64")?,
            row.number("waiting_56")?,
            row.number("waiting_48")?,
        ],
        in_all: row.number("in_all")?,
        to_strangers: row.number("to_strangers")?,
    })
}

/// What a link's state is in its row.
pub(in crate::store) fn state_columns(link: &Link) -> (&'static str, Option<&[u8]>) {
    match &link.state {
        LinkState::Open => ("open", None),
        LinkState::Approved => ("approved", None),
        LinkState::Used { by } => ("used", Some(by.as_bytes())),
        LinkState::Revoked => ("void", None),
    }
}

/// Where a link was asked for; nowhere, where an operator has made it.
#[derive(Default)]
pub(in crate::store) struct LinkOrigin {
    client: Option<Client>,
    browser: Option<BrowserTag>,
    stranger: bool,
}

impl LinkOrigin {
    /// Where this one was.
    pub(in crate::store) fn of(posting: &Posting, mailing: Mailing) -> Self {
        let stranger = posting.stranger && mailing == Mailing::Sent;
        Self {
            client: Some(posting.client),
            browser: posting.browser,
            stranger,
        }
    }

    /// The client's networks, the narrowest first.
    pub(in crate::store) fn networks(&self) -> [Option<&[u8]>; 3] {
        std::array::from_fn(|place| {
            self.client
                .as_ref()
                .map(|client| client.networks()[place].as_slice())
        })
    }

    /// The browser.
    pub(in crate::store) fn browser(&self) -> Option<&[u8]> {
        self.browser.as_ref().map(BrowserTag::as_slice)
    }

    /// Whether it was mailed to an address that no user has.
    pub(in crate::store) const fn stranger(&self) -> bool {
        self.stranger
    }
}
