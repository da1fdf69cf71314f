//! Links and mails in PostgreSQL. People ask for them seldom: each write is a transaction of its own.

use super::{
    PostgresStore,
    batch::{self, Job},
    connection::Failure,
};
use crate::{
    clock::Timestamp,
    confirmation::ConfirmationId,
    link::{Address, Link, LinkState, LinkStore},
    mail::{Mail, MailId, MailStore, Posting},
    secret::SecretHash,
    store::{StoreError, row},
};
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use sqlx::PgConnection;

/// A new link with its mail.
struct Add {
    link: Link,
    posting: Option<Posting>,
}

impl Job for Add {
    type Done = ();

    fn run<'c>(jobs: &'c [Self], connection: &'c mut PgConnection) -> BoxFuture<'c, Result<Vec<()>, Failure>> {
        Box::pin(async move {
            let mut done = Vec::with_capacity(jobs.len());
            for Self { link, posting } in jobs {
                let mailed = match posting {
                    Some(posting) => post(connection, &link.address, posting).await?,
                    None => false,
                };
                done.push(insert(connection, link, mailed).await?);
            }
            Ok(done)
        })
    }
}

/// What has become of a link.
struct Replace(Link);

impl Job for Replace {
    type Done = bool;

    fn run<'c>(jobs: &'c [Self], connection: &'c mut PgConnection) -> BoxFuture<'c, Result<Vec<bool>, Failure>> {
        Box::pin(async move {
            let mut done = Vec::with_capacity(jobs.len());
            for Self(next) in jobs {
                done.push(replace(connection, next).await?);
            }
            Ok(done)
        })
    }
}

#[async_trait]
impl LinkStore for PostgresStore {
    async fn add_link(&self, link: &Link, posting: Option<&Posting>) -> Result<(), StoreError> {
        batch::on_its_own(&self.pool, Add { link: link.clone(), posting: posting.cloned() }).await
    }

    async fn link_by_token(&self, token: &SecretHash) -> Result<Option<Link>, StoreError> {
        self.link("select * from links where token = $1", token.as_bytes().to_vec()).await
    }

    async fn link_by_waiting(&self, waiting: ConfirmationId) -> Result<Option<Link>, StoreError> {
        self.link("select * from links where waiting = $1", waiting.as_bytes().to_vec()).await
    }

    async fn replace_link(&self, next: &Link) -> Result<bool, StoreError> {
        batch::on_its_own(&self.pool, Replace(next.clone())).await
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
                let row = sqlx::query(select).bind(key).fetch_optional(connection).await?;
                Ok(row.map(|row| row::link(&row)).transpose()?)
            })
        })
        .await
    }
}

#[async_trait]
impl MailStore for PostgresStore {
    async fn take_mail(&self, limit: u32, now: Timestamp, until: Timestamp) -> Result<Vec<Mail>, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let take = sqlx::query(
                    "update mails set due = $1 where id in (
                         select id from mails where due <= $2 order by due limit $3 for update skip locked)
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
                    sqlx::query_scalar("select due from mails order by due limit 1").fetch_optional(connection).await?;
                Ok(due.map(Timestamp::from_millis))
            })
        })
        .await
    }

    async fn put_mail_off(&self, id: MailId, due: Timestamp) -> Result<(), StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let put_off = sqlx::query("update mails set due = $1, failed = failed + 1 where id = $2");
                put_off.bind(due.as_millis()).bind(id.as_bytes()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                sqlx::query("delete from mails where id = $1").bind(id.as_bytes()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Takes those links of an address back that are open.
pub(super) async fn take_back(connection: &mut PgConnection, address: &Address) -> Result<(), Failure> {
    let select = sqlx::query("select * from links where address = $1 and state = 'open' order by id for update");
    for row in select.bind(address.as_str()).fetch_all(&mut *connection).await? {
        replace(connection, &row::link(&row)?.void()).await?;
    }
    Ok(())
}

/// Keeps the mail of a new link and takes the former ones back; `false` and nothing if the address has had enough.
async fn post(connection: &mut PgConnection, address: &Address, posting: &Posting) -> Result<bool, Failure> {
    // One at a time for each address: two that came at once would count the same, and find nothing to take back.
    let lock = sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))");
    lock.bind(address.as_str()).execute(&mut *connection).await?;
    let count = sqlx::query_scalar("select count(*) from links where address = $1 and asked > $2 and mailed = 1");
    let count: i64 = count.bind(address.as_str()).bind(posting.since.as_millis()).fetch_one(&mut *connection).await?;
    if count >= i64::from(posting.at_most) {
        return Ok(false);
    }
    take_back(connection, address).await?;
    insert_mail(connection, &posting.mail).await?;
    Ok(true)
}

async fn insert(connection: &mut PgConnection, link: &Link, mailed: bool) -> Result<(), Failure> {
    let (state, used_by) = row::state_columns(link);
    sqlx::query(
        "insert into links (id, revision, token, waiting, address, admits, mailed, code, guesses, number, device, asked,
             expires, state, used_by)
         values ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(link.id.as_bytes())
    .bind(link.token.as_bytes())
    .bind(link.waiting.as_ref().map(|waiting| waiting.as_bytes().as_slice()))
    .bind(link.address.as_str())
    .bind(i64::from(link.admits))
    .bind(i64::from(mailed))
    .bind(link.code.as_bytes())
    .bind(i64::from(link.guesses))
    .bind(i64::from(link.number.value()))
    .bind(&link.device)
    .bind(link.asked.as_millis())
    .bind(link.expires.as_millis())
    .bind(state)
    .bind(used_by)
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_mail(connection: &mut PgConnection, mail: &Mail) -> Result<(), Failure> {
    let insert =
        "insert into mails (id, address, letter, letter_key, failed, due, expires) values ($1, $2, $3, $4, 0, $5, $6)";
    sqlx::query(insert)
        .bind(mail.id.as_bytes())
        .bind(mail.to.as_ref().map(Address::as_str))
        .bind(mail.letter.0.bytes.as_slice())
        .bind(i64::from(mail.letter.0.key_id))
        .bind(mail.due.as_millis())
        .bind(mail.expires.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// Compare-and-set on the revision; whoever waits for a link that is open no more is due.
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
    if let (Some(waiting), true) = (&next.waiting, next.state != LinkState::Open) {
        let due = sqlx::query("update confirmations set due = 0 where id = $1 and state = 'queued'");
        due.bind(waiting.as_bytes()).execute(connection).await?;
    }
    Ok(true)
}
