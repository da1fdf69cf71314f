//! Links and mails in PostgreSQL. People ask for them seldom: each write is a transaction of its own.

use super::{
    PostgresStore,
    batch::{self, Job},
    connection::Failure,
};
use crate::{
    caps::{Capped, Client},
    clock::Timestamp,
    confirmation::ConfirmationId,
    device::Device,
    link::{Address, Link, LinkId, LinkState, LinkStore},
    mail::{Mail, MailId, MailStore, Posting},
    secret::SecretHash,
    store::{BeginError, StoreError, row},
};
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use sqlx::{PgConnection, Row as _};

/// A new link with its mail.
struct Post(Link, Posting);

impl Job for Post {
    type Done = Result<(), Capped>;

    fn run<'c>(jobs: &'c [Self], connection: &'c mut PgConnection) -> BoxFuture<'c, Result<Vec<Self::Done>, Failure>> {
        Box::pin(async move {
            let mut done = Vec::with_capacity(jobs.len());
            for Self(link, posting) in jobs {
                done.push(post(connection, link, posting).await?);
            }
            Ok(done)
        })
    }
}

/// An address whose links are taken back.
struct TakeBack(Address);

impl Job for TakeBack {
    type Done = ();

    fn run<'c>(jobs: &'c [Self], connection: &'c mut PgConnection) -> BoxFuture<'c, Result<Vec<()>, Failure>> {
        Box::pin(async move {
            let mut done = Vec::with_capacity(jobs.len());
            for Self(address) in jobs {
                done.push(take_back(connection, address, false).await?);
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
    async fn add_link(&self, link: &Link) -> Result<(), StoreError> {
        let link = link.clone();
        self.run(move |connection| Box::pin(async move { insert(connection, &link, None).await })).await
    }

    async fn post_link(&self, link: &Link, posting: &Posting) -> Result<(), BeginError> {
        Ok(batch::on_its_own(&self.pool, Post(link.clone(), posting.clone())).await??)
    }

    async fn void_links(&self, address: &Address) -> Result<(), StoreError> {
        batch::on_its_own(&self.pool, TakeBack(address.clone())).await
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
                let remove = sqlx::query("delete from mails where address is null and due <= $1").bind(now.as_millis());
                remove.execute(&mut *connection).await?;
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

    async fn add_mail(&self, mail: &Mail, at_most: u32) -> Result<bool, StoreError> {
        let mail = mail.clone();
        self.run(move |connection| {
            Box::pin(async move {
                let count = "select count(*) from (select 1 from mails where link is null limit $1) as waiting";
                let count = sqlx::query_scalar(count).bind(i64::from(at_most));
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

/// Takes those links to an address back that are open, or of them those alone that were `mailed`.
pub(super) async fn take_back(connection: &mut PgConnection, address: &Address, mailed: bool) -> Result<(), Failure> {
    for statement in [
        // Links before all else, as whoever replaces one locks.
        "select 1 from links where address = $1 and state = 'open' and mailed >= $2 order by id for update",
        "delete from mails where link in
             (select id from links where address = $1 and state = 'open' and mailed >= $2)",
        "update confirmations set due = 0 where id in
             (select id from confirmations where state = 'queued' and id in
                 (select waiting from links where address = $1 and state = 'open' and mailed >= $2)
              order by id for update)",
        "update links set state = 'void', revision = revision + 1
         where address = $1 and state = 'open' and mailed >= $2",
    ] {
        sqlx::query(statement).bind(address.as_str()).bind(i64::from(mailed)).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn post(connection: &mut PgConnection, link: &Link, posting: &Posting) -> Result<Result<(), Capped>, Failure> {
    // One at a time for each client and each address: two that came at once would count the same, and find nothing to take
    // back.
    let (client, since) = (posting.client.as_bytes().as_slice(), posting.since.as_millis());
    let lock = sqlx::query("select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))").bind(client);
    lock.execute(&mut *connection).await?;
    let lock = sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))").bind(link.address.as_str());
    lock.execute(&mut *connection).await?;
    let counts = sqlx::query(
        "select (select count(*) from links where client = $1 and asked > $2),
                (select count(*) from (select 1 from mails limit $3) as waiting),
                (select count(*) from links where address = $4 and asked > $2 and mailed = 1)",
    );
    let counts = counts.bind(client).bind(since).bind(i64::from(posting.in_all)).bind(link.address.as_str());
    let counts = counts.fetch_one(&mut *connection).await?;
    let count =
        |place: usize| Ok::<_, sqlx::Error>(u32::try_from(counts.try_get::<i64, _>(place)?).unwrap_or(u32::MAX));
    if let Some(capped) = posting.capped(count(0)?, count(1)?) {
        return Ok(Err(capped));
    }
    let mailed = count(2)? < posting.of_address;
    if mailed {
        take_back(connection, &link.address, true).await?;
        insert_mail(connection, Some(link.id), &posting.mail, posting.known).await?;
    }
    insert(connection, &Link { mailed, ..link.clone() }, Some(posting.client)).await?;
    Ok(Ok(()))
}

async fn insert(connection: &mut PgConnection, link: &Link, client: Option<Client>) -> Result<(), Failure> {
    let (state, used_by) = row::state_columns(link);
    sqlx::query(
        "insert into links (id, revision, token, waiting, address, admits, mailed, code, guesses, number, device, asked,
             expires, state, used_by, client)
         values ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(link.id.as_bytes())
    .bind(link.token.as_bytes())
    .bind(link.waiting.as_ref().map(|waiting| waiting.as_bytes().as_slice()))
    .bind(link.address.as_str())
    .bind(i64::from(link.admits))
    .bind(i64::from(link.mailed))
    .bind(link.code.as_bytes())
    .bind(i64::from(link.guesses))
    .bind(i64::from(link.number.value()))
    .bind(link.device.as_ref().map_or("", Device::as_str))
    .bind(link.asked.as_millis())
    .bind(link.expires.as_millis())
    .bind(state)
    .bind(used_by)
    .bind(client.as_ref().map(|client| client.as_bytes().as_slice()))
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps a mail; to nobody if its address is not `known`.
async fn insert_mail(
    connection: &mut PgConnection,
    link: Option<LinkId>,
    mail: &Mail,
    known: bool,
) -> Result<(), Failure> {
    sqlx::query(
        "insert into mails (id, link, address, letter, letter_key, failed, due, expires)
         values ($1, $2, $3, $4, $5, 0, $6, $7)",
    )
    .bind(mail.id.as_bytes())
    .bind(link.as_ref().map(|link| link.as_bytes().as_slice()))
    .bind(known.then_some(mail.to.typed()))
    .bind(mail.letter.0.bytes.as_slice())
    .bind(i64::from(mail.letter.0.key_id))
    .bind(mail.due.as_millis())
    .bind(mail.expires.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Compare-and-set on the revision. The mail of a link that is open no more goes, and whoever waits for it is due.
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
    sqlx::query("delete from mails where link = $1").bind(next.id.as_bytes()).execute(&mut *connection).await?;
    if let Some(waiting) = &next.waiting {
        let due = sqlx::query("update confirmations set due = 0 where id = $1 and state = 'queued'");
        due.bind(waiting.as_bytes()).execute(connection).await?;
    }
    Ok(true)
}
