//! Links and mails in PostgreSQL. People ask for them seldom: each write is a transaction of its
//! own.

use super::{PostgresStore, batch, connection::Failure};
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
use sqlx::{PgConnection, Row as _, postgres::PgRow};

#[async_trait]
impl LinkStore for PostgresStore {
    async fn add_link(&self, link: &Link) -> Result<(), StoreError> {
        let link = link.clone();
        self.run(move |connection| {
            Box::pin(async move { insert(connection, &link, &Origin::default()).await })
        })
        .await
    }

    async fn post_link(&self, link: &Link, posting: &Posting) -> Result<Posted, BeginError> {
        let link = link.clone();
        let posting = posting.clone();
        let posted = batch::transaction(&self.pool, move |connection| {
            Box::pin(async move { post(connection, &link, &posting).await })
        });
        Ok(posted.await??)
    }

    async fn revoke_links(&self, address: &Address) -> Result<(), StoreError> {
        let address = address.clone();
        batch::transaction(&self.pool, move |connection| {
            Box::pin(async move {
                lock_open(connection, &address).await?;
                take_back(connection, &address, None).await
            })
        })
        .await
    }

    async fn link_by_token(&self, token: &SecretHash) -> Result<Option<Link>, StoreError> {
        self.link(
            "select * from links where token = $1",
            token.as_bytes().to_vec(),
        )
        .await
    }

    async fn link_by_waiting(&self, waiting: ConfirmationId) -> Result<Option<Link>, StoreError> {
        self.link(
            "select * from links where waiting = $1",
            waiting.as_bytes().to_vec(),
        )
        .await
    }

    async fn link_of(&self, confirmation: ConfirmationId) -> Result<Option<Link>, StoreError> {
        self.link(
            "select * from links where waiting = $1 or used_by = $1",
            confirmation.as_bytes().to_vec(),
        )
        .await
    }

    async fn replace_link(&self, next: &Link) -> Result<bool, StoreError> {
        let next = next.clone();
        batch::transaction(&self.pool, move |connection| {
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
        self.run(move |connection| {
            Box::pin(async move {
                let count = sqlx::query_scalar(
                    "insert into wrong_codes (address, known, wrong, last) values ($1, $2, 1, $3)
                     on conflict (address, known) do update
                         set wrong = case when wrong_codes.last > $4 then wrong_codes.wrong + 1 else 1 end, last = $3
                         where wrong_codes.wrong < $5 or wrong_codes.last <= $4
                     returning wrong",
                );
                let count = count.bind(tries.address.as_str()).bind(i64::from(tries.known));
                let count = count.bind(now.as_millis()).bind(since.as_millis()).bind(i64::from(WRONG_CODES));
                let count: Option<i64> = count.fetch_optional(connection).await?;
                Ok(count.map(|count| u32::try_from(count).unwrap_or(u32::MAX)))
            })
        })
        .await
    }

    async fn codes_tried(&self, tries: &Tries, since: Timestamp) -> Result<u32, StoreError> {
        let tries = tries.clone();
        self.run(move |connection| {
            Box::pin(async move {
                let wrong =
                    "select wrong from wrong_codes where address = $1 and known = $2 and last > $3";
                let wrong = sqlx::query_scalar(wrong)
                    .bind(tries.address.as_str())
                    .bind(i64::from(tries.known));
                let wrong: Option<i64> = wrong
                    .bind(since.as_millis())
                    .fetch_optional(connection)
                    .await?;
                Ok(wrong.map_or(0, |wrong| u32::try_from(wrong).unwrap_or(u32::MAX)))
            })
        })
        .await
    }

    async fn forget_codes(&self, tries: &Tries) -> Result<(), StoreError> {
        let tries = tries.clone();
        self.run(move |connection| {
            Box::pin(async move {
                let forget =
                    sqlx::query("delete from wrong_codes where address = $1 and known = $2");
                forget
                    .bind(tries.address.as_str())
                    .bind(i64::from(tries.known))
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    async fn sweep_codes(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from wrong_codes where (address, known) in (
                         select address, known from wrong_codes where last < $1 order by last limit $2
                         for update skip locked)";
        self.sweep(sweep, before).await
    }

    async fn sweep_links(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from links where id in (
                         select id from links where expires < $1 order by expires limit $2 for update skip locked)";
        self.sweep(sweep, before).await
    }
}

impl PostgresStore {
    async fn link(&self, select: &'static str, key: Vec<u8>) -> Result<Option<Link>, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let row = sqlx::query(select)
                    .bind(key)
                    .fetch_optional(connection)
                    .await?;
                Ok(row.map(|row| row::link(&row)).transpose()?)
            })
        })
        .await
    }
}

#[async_trait]
impl MailStore for PostgresStore {
    async fn take_mail(
        &self,
        limit: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Mail>, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let remove = sqlx::query("delete from mails where address is null and due <= $1").bind(now.as_millis());
                remove.execute(&mut *connection).await?;
                let take = sqlx::query(
                    "update mails set due = $1 where id in (
                         select id from mails where due <= $2 order by class, due limit $3 for update skip locked)
                     returning *",
                );
                let rows = take.bind(until.as_millis()).bind(now.as_millis()).bind(i64::from(limit));
                Ok(row::mails(&rows.fetch_all(connection).await?))
            })
        })
        .await
    }

    async fn next_mail(&self) -> Result<Option<Timestamp>, StoreError> {
        self.run(|connection| {
            Box::pin(async move {
                let due: Option<i64> =
                    sqlx::query_scalar("select due from mails order by due limit 1")
                        .fetch_optional(connection)
                        .await?;
                Ok(due.map(Timestamp::from_millis))
            })
        })
        .await
    }

    async fn put_mail_off(&self, id: MailId, due: Timestamp) -> Result<(), StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let put_off =
                    sqlx::query("update mails set due = $1, failed = failed + 1 where id = $2");
                put_off
                    .bind(due.as_millis())
                    .bind(id.as_bytes())
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                sqlx::query("delete from mails where id = $1")
                    .bind(id.as_bytes())
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    async fn add_mail(&self, mail: &Mail, at_most: u32) -> Result<bool, StoreError> {
        let mail = mail.clone();
        self.run(move |connection| {
            Box::pin(async move {
                let count =
                    "select count(*) from (select 1 from mails where class = $2 and link is null limit $1) as waiting";
                let count = sqlx::query_scalar(count).bind(i64::from(at_most)).bind(i64::from(mail.class.number()));
                let waiting: i64 = count.fetch_one(&mut *connection).await?;
                if waiting >= i64::from(at_most) {
                    return Ok(false);
                }
                insert_mail(connection, None, &mail, true).await?;
                Ok(true)
            })
        })
        .await
    }

    async fn sweep_mails(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from mails where id in (
                         select id from mails where expires < $1 order by expires limit $2 for update skip locked)";
        self.sweep(sweep, before).await
    }
}

/// Locks the open links to an address, then the confirmations that wait for them. A change of a user
/// does this before it locks the user: links, confirmations, users, as everywhere.
pub(super) async fn lock_open(
    connection: &mut PgConnection,
    address: &Address,
) -> Result<(), Failure> {
    let lock = sqlx::query(
        "select 1 from links where address = $1 and state = 'open' order by id for update",
    );
    lock.bind(address.as_str())
        .execute(&mut *connection)
        .await?;
    let lock = sqlx::query(
        "select 1 from confirmations
         where state = 'queued' and id in (select waiting from links where address = $1 and state = 'open')
         order by id for update",
    );
    lock.bind(address.as_str()).execute(connection).await?;
    Ok(())
}

/// Takes back the open links to an address that can sign in: mailed, or made by an operator. With
/// `own`, only those asked for in this browser, to lead to this place. Removes their mails, and
/// makes the confirmations that wait for them due. A browser that waits for a link that was never
/// mailed is not told, or it could see when the owner of the address does something.
pub(super) async fn take_back(
    connection: &mut PgConnection,
    address: &Address,
    own: Option<(BrowserTag, Option<&LocalPath>)>,
) -> Result<(), Failure> {
    // Locks links before anything else, as `replace` does.
    let void = sqlx::query_as(
        "update links set state = 'void', revision = revision + 1
         where id in (select id from links
                      where address = $1 and state = 'open' and (mailed = 1 or waiting is null)
                          and ($2::bytea is null or browser = $2 and next is not distinct from $3)
                      order by id for update)
         returning id, waiting",
    );
    let void = void
        .bind(address.as_str())
        .bind(own.as_ref().map(|(browser, _)| browser.as_slice()));
    let void = void.bind(own.and_then(|(_, next)| next).map(LocalPath::as_str));
    let void: Vec<(Vec<u8>, Option<Vec<u8>>)> = void.fetch_all(&mut *connection).await?;
    let (links, waiting): (Vec<_>, Vec<_>) = void.into_iter().unzip();
    let unsend = sqlx::query("delete from mails where link = any($1)").bind(links);
    unsend.execute(&mut *connection).await?;
    let due = sqlx::query(
        "update confirmations set due = 0
         where id in (select id from confirmations where state = 'queued' and id = any($1) order by id for update)",
    );
    due.bind(waiting).execute(connection).await?;
    Ok(())
}

async fn post(
    connection: &mut PgConnection,
    link: &Link,
    posting: &Posting,
) -> Result<Result<Posted, Capped>, Failure> {
    lock(connection, link, posting).await?;
    if let Some(held) = held(connection, link, posting).await? {
        return Ok(Ok(Posted::Held(Box::new(held))));
    }
    let counts = count(connection, link, posting).await?;
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
        &Link {
            mailed,
            ..link.clone()
        },
        &Origin::of(posting, mailing),
    )
    .await?;
    Ok(Ok(Posted::New))
}

/// One at a time for each network, each mailbox, and all addresses that no user has: two at once
/// would count the same, and find nothing to take back.
async fn lock(
    connection: &mut PgConnection,
    link: &Link,
    posting: &Posting,
) -> Result<(), Failure> {
    let network = posting.client.networks()[2].as_slice();
    let lock = sqlx::query("select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))")
        .bind(network);
    lock.execute(&mut *connection).await?;
    let lock = || sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))");
    lock()
        .bind(link.address.mailbox())
        .execute(&mut *connection)
        .await?;
    // Also for addresses that a user has: otherwise the wait would tell the requester which is
    // which.
    if link.allows_new_user {
        lock().bind("strangers").execute(connection).await?;
    }
    Ok(())
}

/// The open link that the same browser has asked for just before.
async fn held(
    connection: &mut PgConnection,
    link: &Link,
    posting: &Posting,
) -> Result<Option<Link>, Failure> {
    let Some(browser) = &posting.browser else {
        return Ok(None);
    };
    let [from, to] = posting.held;
    let held = sqlx::query(
        "select * from links where address = $1 and asked > $2 and asked < $3 and browser = $4 and next is not distinct from $5
             and state = 'open'
         order by asked desc limit 1",
    );
    let held = held
        .bind(link.address.as_str())
        .bind(from.as_millis())
        .bind(to.as_millis());
    let held = held
        .bind(browser.as_slice())
        .bind(link.next.as_ref().map(LocalPath::as_str))
        .fetch_optional(connection)
        .await?;
    Ok(held.map(|row| row::link(&row)).transpose()?)
}

async fn count(
    connection: &mut PgConnection,
    link: &Link,
    posting: &Posting,
) -> Result<Counts, Failure> {
    let [of_64, of_56, of_48] = posting.client.networks();
    let counts = sqlx::query(
        "select to_known, to_others, to_64, to_56, to_48, asked_64, asked_56, asked_48, waiting_64, waiting_56,
             waiting_48, (select count(*) from (select 1 from mails limit $7) as waiting) as in_all,
             (select count(*) from (select 1 from links where mailed = 1 and stranger = 1 and asked > $3 limit $8) as new)
                 as to_strangers
         from (select count(*) filter (where known = 1 and address = $1) as to_known,
                      count(*) filter (where known = 0) as to_others,
                      count(*) filter (where known = 0 and client = $4) as to_64,
                      count(*) filter (where known = 0 and network_56 = $5) as to_56,
                      count(*) filter (where known = 0 and network_48 = $6) as to_48
               from links where mailbox = $2 and asked > $3 and mailed = 1) as mailed,
              (select count(*) filter (where client = $4) as asked_64,
                      count(*) filter (where network_56 = $5) as asked_56,
                      count(*) as asked_48,
                      count(mails.id) filter (where client = $4) as waiting_64,
                      count(mails.id) filter (where network_56 = $5) as waiting_56,
                      count(mails.id) as waiting_48
               from links left join mails on mails.link = links.id where network_48 = $6 and asked > $3) as asked",
    );
    let counts = counts
        .bind(link.address.as_str())
        .bind(link.address.mailbox())
        .bind(posting.since.as_millis());
    let counts = counts
        .bind(of_64.as_slice())
        .bind(of_56.as_slice())
        .bind(of_48.as_slice());
    let strangers = posting.terms.strangers;
    let counts = counts
        .bind(i64::from(posting.terms.at_most()))
        .bind(i64::from(strangers));
    let counts = counts.fetch_one(connection).await?;
    Ok(Counts {
        to_known: number(&counts, "to_known")?,
        to_others: number(&counts, "to_others")?,
        to_networks: [
            number(&counts, "to_64")?,
            number(&counts, "to_56")?,
            number(&counts, "to_48")?,
        ],
        asked: [
            number(&counts, "asked_64")?,
            number(&counts, "asked_56")?,
            number(&counts, "asked_48")?,
        ],
        waiting: [
            number(&counts, "waiting_64")?,
            number(&counts, "waiting_56")?,
            number(&counts, "waiting_48")?,
        ],
        in_all: number(&counts, "in_all")?,
        to_strangers: number(&counts, "to_strangers")?,
    })
}

fn number(row: &PgRow, column: &str) -> Result<u32, sqlx::Error> {
    Ok(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(u32::MAX))
}

async fn insert(
    connection: &mut PgConnection,
    link: &Link,
    origin: &Origin,
) -> Result<(), Failure> {
    let (state, used_by) = row::state_columns(link);
    let [client, network_56, network_48] = origin.networks();
    sqlx::query(
        "insert into links (id, revision, token, waiting, address, mailbox, admits, mailed, known, code, guesses, number,
             device, asked, expires, state, used_by, next, browser, client, network_56, network_48, stranger)
         values ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
    )
    .bind(link.id.as_bytes())
    .bind(link.token.as_bytes())
    .bind(link.waiting.as_ref().map(ConfirmationId::as_slice))
    .bind(link.address.as_str())
    .bind(link.address.mailbox())
    .bind(i64::from(link.allows_new_user))
    .bind(i64::from(link.mailed))
    .bind(i64::from(link.known))
    .bind(link.code.as_bytes())
    .bind(i64::from(link.guesses))
    .bind(i64::from(link.number.value()))
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
    .bind(i64::from(origin.stranger()))
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps a mail. Unless `delivered`, it is never sent.
async fn insert_mail(
    connection: &mut PgConnection,
    link: Option<LinkId>,
    mail: &Mail,
    delivered: bool,
) -> Result<(), Failure> {
    sqlx::query(
        "insert into mails (id, link, address, class, letter, letter_key, failed, due, expires)
         values ($1, $2, $3, $4, $5, $6, 0, $7, $8)",
    )
    .bind(mail.id.as_bytes())
    .bind(link.as_ref().map(LinkId::as_slice))
    .bind(delivered.then_some(mail.to.typed()))
    .bind(i64::from(mail.class.number()))
    .bind(mail.letter.0.bytes.as_slice())
    .bind(i64::from(mail.letter.0.key_id))
    .bind(mail.due.as_millis())
    .bind(mail.expires.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Compare-and-set on the revision. If the link is no longer open, removes its mail and makes the
/// waiting confirmation due.
async fn replace(connection: &mut PgConnection, next: &Link) -> Result<bool, Failure> {
    let (state, used_by) = row::state_columns(next);
    let replaced = sqlx::query(
        "update links set revision = $1, guesses = $2, state = $3, used_by = $4 where id = $5 and revision = $1 - 1",
    )
    .bind(i64::try_from(next.revision).unwrap_or(i64::MAX))
    .bind(i64::from(next.guesses))
    .bind(state)
    .bind(used_by)
    .bind(next.id.as_bytes())
    .execute(&mut *connection)
    .await?;
    if replaced.rows_affected() == 0 {
        return Ok(false);
    }
    if next.state == LinkState::Open {
        return Ok(true);
    }
    sqlx::query("delete from mails where link = $1")
        .bind(next.id.as_bytes())
        .execute(&mut *connection)
        .await?;
    if next.mailed && next.state != LinkState::Revoked {
        let forget = sqlx::query("delete from wrong_codes where address = $1 and wrong < $2");
        forget
            .bind(next.address.as_str())
            .bind(i64::from(WRONG_CODES))
            .execute(&mut *connection)
            .await?;
    }
    if let Some(waiting) = &next.waiting {
        let due =
            sqlx::query("update confirmations set due = 0 where id = $1 and state = 'queued'");
        due.bind(waiting.as_bytes()).execute(connection).await?;
    }
    Ok(true)
}
