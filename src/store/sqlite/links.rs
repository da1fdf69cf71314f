//! Links and mails in SQLite.

use super::SqliteStore;
use crate::{
    caps::Capped,
    clock::Timestamp,
    confirmation::ConfirmationId,
    device::Device,
    email_address::Address,
    link::{BrowserTag, Counts, Link, LinkId, LinkState, Mailing, Tries, WRONG_CODES},
    mail::{Mail, MailId, Posted, Posting},
    path::LocalPath,
    secret::SecretHash,
    store::{
        BeginError, LinkStore, MailStore, StoreError,
        row::{self, Origin},
    },
};
use async_trait::async_trait;
use sqlx::{Row as _, SqliteConnection};

#[async_trait]
impl LinkStore for SqliteStore {
    async fn add_link(&self, link: &Link) -> Result<(), StoreError> {
        let link = link.clone();
        self.write(move |connection| {
            let link = link.clone();
            Box::pin(async move { insert(connection, &link, &Origin::default()).await })
        })
        .await
    }

    async fn post_link(&self, link: &Link, posting: &Posting) -> Result<Posted, BeginError> {
        let new = (link.clone(), posting.clone());
        let posted = self.write(move |connection| {
            let (link, posting) = new.clone();
            Box::pin(async move { post(connection, link, &posting).await })
        });
        Ok(posted.await??)
    }

    async fn revoke_links(&self, address: &Address) -> Result<(), StoreError> {
        let address = address.clone();
        self.write(move |connection| {
            let address = address.clone();
            Box::pin(async move { take_back(connection, &address, None).await })
        })
        .await
    }

    async fn link_by_token(&self, token: &SecretHash) -> Result<Option<Link>, StoreError> {
        let select = sqlx::query("select * from links where token = ?").bind(token.as_slice());
        select
            .fetch_optional(&self.readers)
            .await?
            .map(|row| row::link(&row))
            .transpose()
    }

    async fn link_by_waiting(&self, waiting: ConfirmationId) -> Result<Option<Link>, StoreError> {
        let select = sqlx::query("select * from links where waiting = ?").bind(waiting.as_slice());
        select
            .fetch_optional(&self.readers)
            .await?
            .map(|row| row::link(&row))
            .transpose()
    }

    async fn link_of(&self, confirmation: ConfirmationId) -> Result<Option<Link>, StoreError> {
        let select = sqlx::query("select * from links where waiting = ?1 or used_by = ?1");
        let select = select.bind(confirmation.as_slice());
        select
            .fetch_optional(&self.readers)
            .await?
            .map(|row| row::link(&row))
            .transpose()
    }

    async fn replace_link(&self, next: &Link) -> Result<bool, StoreError> {
        let next = next.clone();
        self.write(move |connection| {
            let next = next.clone();
            Box::pin(async move { replace(connection, &next).await })
        })
        .await
    }

    async fn count_code(
        &self,
        tries: &Tries,
        now: Timestamp,
        since: Timestamp,
    ) -> Result<Option<u32>, StoreError> {
        let tries = tries.clone();
        self.write(move |connection| {
            let tries = tries.clone();
            Box::pin(async move {
                let count = sqlx::query_scalar(
                    "insert into wrong_codes (address, known, wrong, last) values (?1, ?2, 1, ?3)
                     on conflict (address, known) do update
                         set wrong = case when last > ?4 then wrong + 1 else 1 end, last = ?3
                         where wrong < ?5 or last <= ?4
                     returning wrong",
                );
                let count = count.bind(tries.address.as_str()).bind(tries.known);
                let count = count
                    .bind(now.as_millis())
                    .bind(since.as_millis())
                    .bind(WRONG_CODES);
                Ok(count.fetch_optional(connection).await?)
            })
        })
        .await
    }

    async fn codes_tried(&self, tries: &Tries, since: Timestamp) -> Result<u32, StoreError> {
        let wrong = "select wrong from wrong_codes where address = ? and known = ? and last > ?";
        let wrong = sqlx::query_scalar(wrong)
            .bind(tries.address.as_str())
            .bind(tries.known)
            .bind(since.as_millis());
        Ok(wrong
            .fetch_optional(&self.readers)
            .await?
            .unwrap_or_default())
    }

    async fn forget_codes(&self, tries: &Tries) -> Result<(), StoreError> {
        let tries = tries.clone();
        self.write(move |connection| {
            let tries = tries.clone();
            Box::pin(async move {
                let forget = sqlx::query("delete from wrong_codes where address = ? and known = ?");
                forget
                    .bind(tries.address.as_str())
                    .bind(tries.known)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    async fn sweep_codes(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from wrong_codes where (address, known) in
                         (select address, known from wrong_codes where last < ? order by last limit ?)";
        self.sweep(sweep, before).await
    }

    async fn sweep_links(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from links where id in (select id from links where expires < ? order by expires limit ?)";
        self.sweep(sweep, before).await
    }
}

#[async_trait]
impl MailStore for SqliteStore {
    async fn take_mail(
        &self,
        limit: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Mail>, StoreError> {
        // Looking first keeps a postman who finds nothing from writing.
        if self.next_mail().await?.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        self.write(move |connection| {
            Box::pin(async move {
                let remove = sqlx::query("delete from mails where address is null and due <= ?").bind(now.as_millis());
                remove.execute(&mut *connection).await?;
                let take = sqlx::query(
                    "update mails set due = ?1
                     where id in (select id from mails where due <= ?2 order by class, due limit ?3) returning *",
                );
                let rows = take.bind(until.as_millis()).bind(now.as_millis()).bind(limit);
                Ok(row::mails(&rows.fetch_all(connection).await?))
            })
        })
        .await
    }

    async fn next_mail(&self) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> = sqlx::query_scalar("select due from mails order by due limit 1")
            .fetch_optional(&self.readers)
            .await?;
        Ok(due.map(Timestamp::from_millis))
    }

    async fn put_mail_off(&self, id: MailId, due: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let put_off =
                    sqlx::query("update mails set due = ?, failed = failed + 1 where id = ?");
                put_off
                    .bind(due.as_millis())
                    .bind(id.as_slice())
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let remove = sqlx::query("delete from mails where id = ?");
                remove.bind(id.as_slice()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn add_mail(&self, mail: &Mail, at_most: u32) -> Result<bool, StoreError> {
        let mail = mail.clone();
        self.write(move |connection| {
            let mail = mail.clone();
            Box::pin(async move {
                let count = "select count(*) from (select 1 from mails where class = ? and link is null limit ?)";
                let count = sqlx::query_scalar(count).bind(mail.class.number()).bind(at_most);
                let waiting: u32 = count.fetch_one(&mut *connection).await?;
                if waiting >= at_most {
                    return Ok(false);
                }
                insert_mail(connection, None, &mail, true).await?;
                Ok(true)
            })
        })
        .await
    }

    async fn sweep_mails(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from mails where id in (select id from mails where expires < ? order by expires limit ?)";
        self.sweep(sweep, before).await
    }
}

/// Takes back the open links to an address that can sign in: mailed, or made by an operator. With
/// `own`, only those asked for in this browser, to lead to this place. Removes their mails, and
/// makes the confirmations that wait for them due. A browser that waits for a link that was never
/// mailed is not told, or it could see when the owner of the address does something.
pub(super) async fn take_back(
    connection: &mut SqliteConnection,
    address: &Address,
    own: Option<(BrowserTag, Option<&LocalPath>)>,
) -> Result<(), StoreError> {
    let void = sqlx::query_as(
        "update links set state = 'void', revision = revision + 1
         where address = ?1 and state = 'open' and (mailed = 1 or waiting is null)
             and (?2 is null or browser = ?2 and next is ?3)
         returning id, waiting",
    );
    let void = void
        .bind(address.as_str())
        .bind(own.as_ref().map(|(browser, _)| browser.as_slice()));
    let void = void.bind(own.and_then(|(_, next)| next).map(LocalPath::as_str));
    let void: Vec<(Vec<u8>, Option<Vec<u8>>)> = void.fetch_all(&mut *connection).await?;
    for (link, waiting) in void {
        unsend(connection, &link, waiting.as_deref()).await?;
    }
    Ok(())
}

/// The link is no longer open: removes its mail and makes the waiting confirmation due.
async fn unsend(
    connection: &mut SqliteConnection,
    link: &[u8],
    waiting: Option<&[u8]>,
) -> Result<(), StoreError> {
    sqlx::query("delete from mails where link = ?")
        .bind(link)
        .execute(&mut *connection)
        .await?;
    let due = sqlx::query("update confirmations set due = 0 where id = ? and state = 'queued'")
        .bind(waiting);
    due.execute(connection).await?;
    Ok(())
}

async fn post(
    connection: &mut SqliteConnection,
    link: Link,
    posting: &Posting,
) -> Result<Result<Posted, Capped>, StoreError> {
    if let Some(held) = held(connection, &link, posting).await? {
        return Ok(Ok(Posted::Held(Box::new(held))));
    }
    let counts = count(connection, &link, posting).await?;
    let mailing = match posting.terms.judge(link.known, posting.stranger, &counts) {
        Ok(mailing) => mailing,
        Err(capped) => return Ok(Err(capped)),
    };
    let mailed = mailing != Mailing::None;
    if mailed {
        if let Some(browser) = posting.browser {
            take_back(
                connection,
                &link.address,
                Some((browser, link.next.as_ref())),
            )
            .await?;
        }
        let delivered = posting.delivered && mailing == Mailing::Sent;
        insert_mail(connection, Some(link.id), &posting.mail, delivered).await?;
    }
    insert(
        connection,
        &Link { mailed, ..link },
        &Origin::of(posting, mailing),
    )
    .await?;
    Ok(Ok(Posted::New))
}

/// The open link that the same browser has asked for just before.
async fn held(
    connection: &mut SqliteConnection,
    link: &Link,
    posting: &Posting,
) -> Result<Option<Link>, StoreError> {
    let Some(browser) = &posting.browser else {
        return Ok(None);
    };
    let [from, to] = posting.held;
    let held = sqlx::query(
        "select * from links where address = ? and asked > ? and asked < ? and browser = ? and next is ? and state = 'open'
         order by asked desc limit 1",
    );
    let held = held
        .bind(link.address.as_str())
        .bind(from.as_millis())
        .bind(to.as_millis());
    held.bind(browser.as_slice())
        .bind(link.next.as_ref().map(LocalPath::as_str))
        .fetch_optional(connection)
        .await?
        .map(|row| row::link(&row))
        .transpose()
}

async fn count(
    connection: &mut SqliteConnection,
    link: &Link,
    posting: &Posting,
) -> Result<Counts, StoreError> {
    let [of_64, of_56, of_48] = posting.client.networks();
    let since = posting.since.as_millis();
    let mailed = sqlx::query(
        "select count(*) filter (where known = 1 and address = ?1), count(*) filter (where known = 0),
             count(*) filter (where known = 0 and client = ?4),
             count(*) filter (where known = 0 and network_56 = ?5),
             count(*) filter (where known = 0 and network_48 = ?6)
         from links where mailbox = ?2 and asked > ?3 and mailed = 1",
    );
    let mailed = mailed
        .bind(link.address.as_str())
        .bind(link.address.mailbox())
        .bind(since);
    let mailed = mailed
        .bind(of_64.as_slice())
        .bind(of_56.as_slice())
        .bind(of_48.as_slice());
    let mailed = mailed.fetch_one(&mut *connection).await?;
    let asked = sqlx::query(
        "select count(*) filter (where client = ?2), count(*) filter (where network_56 = ?3), count(*),
             count(mails.id) filter (where client = ?2), count(mails.id) filter (where network_56 = ?3),
             count(mails.id)
         from links left join mails on mails.link = links.id where network_48 = ?4 and asked > ?1",
    );
    let asked = asked
        .bind(since)
        .bind(of_64.as_slice())
        .bind(of_56.as_slice())
        .bind(of_48.as_slice());
    let asked = asked.fetch_one(&mut *connection).await?;
    let in_all = "select count(*) from (select 1 from mails limit ?)";
    let in_all = sqlx::query_scalar(in_all)
        .bind(posting.terms.at_most())
        .fetch_one(&mut *connection)
        .await?;
    let to_strangers = "select count(*) from (select 1 from links where mailed = 1 and stranger = 1 and asked > ? limit ?)";
    let to_strangers = sqlx::query_scalar(to_strangers)
        .bind(since)
        .bind(posting.terms.strangers);
    let to_strangers = to_strangers.fetch_one(connection).await?;
    Ok(Counts {
        to_known: mailed.try_get(0)?,
        to_others: mailed.try_get(1)?,
        to_networks: [mailed.try_get(2)?, mailed.try_get(3)?, mailed.try_get(4)?],
        asked: [asked.try_get(0)?, asked.try_get(1)?, asked.try_get(2)?],
        waiting: [asked.try_get(3)?, asked.try_get(4)?, asked.try_get(5)?],
        in_all,
        to_strangers,
    })
}

async fn insert(
    connection: &mut SqliteConnection,
    link: &Link,
    origin: &Origin,
) -> Result<(), StoreError> {
    let (state, used_by) = row::state_columns(link);
    let [client, network_56, network_48] = origin.networks();
    sqlx::query(
        "insert into links (id, revision, token, waiting, address, mailbox, admits, mailed, known, code, guesses, number,
             device, asked, expires, state, used_by, next, browser, client, network_56, network_48, stranger)
         values (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(link.id.as_slice())
    .bind(link.token.as_slice())
    .bind(link.waiting.as_ref().map(ConfirmationId::as_slice))
    .bind(link.address.as_str())
    .bind(link.address.mailbox())
    .bind(link.allows_new_user)
    .bind(link.mailed)
    .bind(link.known)
    .bind(link.code.as_slice())
    .bind(link.guesses)
    .bind(link.number.value())
    .bind(link.device.as_ref().map_or("", Device::as_str))
    .bind(link.asked.as_millis())
    .bind(link.expires.as_millis())
    .bind(state)
    .bind(used_by)
    .bind(link.next.as_ref().map(LocalPath::as_str))
    .bind(origin.browser())
    .bind(client)
    .bind(network_56)
    .bind(network_48)
    .bind(origin.stranger())
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps a mail. Unless `delivered`, it is never sent.
async fn insert_mail(
    connection: &mut SqliteConnection,
    link: Option<LinkId>,
    mail: &Mail,
    delivered: bool,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into mails (id, link, address, class, letter, letter_key, failed, due, expires)
         values (?, ?, ?, ?, ?, ?, 0, ?, ?)",
    )
    .bind(mail.id.as_slice())
    .bind(link.as_ref().map(LinkId::as_slice))
    .bind(delivered.then_some(mail.to.typed()))
    .bind(mail.class.number())
    .bind(mail.letter.0.bytes.as_slice())
    .bind(mail.letter.0.key_id)
    .bind(mail.due.as_millis())
    .bind(mail.expires.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Compare-and-set on the revision. If the link is no longer open, removes its mail and makes the
/// waiting confirmation due.
async fn replace(connection: &mut SqliteConnection, next: &Link) -> Result<bool, StoreError> {
    let (state, used_by) = row::state_columns(next);
    let replaced = sqlx::query(
        "update links set revision = ?1, guesses = ?2, state = ?3, used_by = ?4 where id = ?5 and revision = ?1 - 1",
    )
    .bind(i64::try_from(next.revision).unwrap_or(i64::MAX))
    .bind(next.guesses)
    .bind(state)
    .bind(used_by)
    .bind(next.id.as_slice())
    .execute(&mut *connection)
    .await?;
    if replaced.rows_affected() == 0 {
        return Ok(false);
    }
    if next.state == LinkState::Open {
        return Ok(true);
    }
    let waiting = next.waiting.as_ref().map(ConfirmationId::as_slice);
    unsend(connection, next.id.as_bytes(), waiting).await?;
    if next.mailed && next.state != LinkState::Revoked {
        let forget = sqlx::query("delete from wrong_codes where address = ? and wrong < ?");
        forget
            .bind(next.address.as_str())
            .bind(WRONG_CODES)
            .execute(connection)
            .await?;
    }
    Ok(true)
}
