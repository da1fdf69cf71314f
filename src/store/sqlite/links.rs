//! Links and mails in SQLite.

use super::SqliteStore;
use crate::{
    clock::Timestamp,
    confirmation::ConfirmationId,
    link::{Address, Link, LinkState, LinkStore},
    mail::{Mail, MailId, MailStore, Posting},
    secret::SecretHash,
    store::{StoreError, row},
};
use async_trait::async_trait;
use sqlx::SqliteConnection;

#[async_trait]
impl LinkStore for SqliteStore {
    async fn add_link(&self, link: &Link, posting: Option<&Posting>) -> Result<(), StoreError> {
        let new = (link.clone(), posting.cloned());
        self.write(move |connection| {
            let (link, posting) = new.clone();
            Box::pin(async move {
                let mailed = match &posting {
                    Some(posting) => post(connection, &link.address, posting).await?,
                    None => false,
                };
                insert(connection, &link, mailed).await
            })
        })
        .await
    }

    async fn link_by_token(&self, token: &SecretHash) -> Result<Option<Link>, StoreError> {
        let select = sqlx::query("select * from links where token = ?").bind(token.as_bytes().as_slice());
        select.fetch_optional(&self.readers).await?.map(|row| row::link(&row)).transpose()
    }

    async fn link_by_waiting(&self, waiting: ConfirmationId) -> Result<Option<Link>, StoreError> {
        let select = sqlx::query("select * from links where waiting = ?").bind(waiting.as_bytes().as_slice());
        select.fetch_optional(&self.readers).await?.map(|row| row::link(&row)).transpose()
    }

    async fn replace_link(&self, next: &Link) -> Result<bool, StoreError> {
        let next = next.clone();
        self.write(move |connection| {
            let next = next.clone();
            Box::pin(async move { replace(connection, &next).await })
        })
        .await
    }

    async fn sweep_links(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from links where id in (select id from links where expires < ? order by expires limit ?)";
        self.sweep(sweep, before).await
    }
}

#[async_trait]
impl MailStore for SqliteStore {
    async fn take_mail(&self, limit: u32, now: Timestamp, until: Timestamp) -> Result<Vec<Mail>, StoreError> {
        // Looking first keeps a postman who finds nothing from writing.
        if self.next_mail().await?.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        self.write(move |connection| {
            Box::pin(async move {
                let take = sqlx::query(
                    "update mails set due = ?1
                     where id in (select id from mails where due <= ?2 order by due limit ?3) returning *",
                );
                let rows = take.bind(until.as_millis()).bind(now.as_millis()).bind(limit);
                Ok(row::mails(&rows.fetch_all(connection).await?))
            })
        })
        .await
    }

    async fn next_mail(&self) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> =
            sqlx::query_scalar("select due from mails order by due limit 1").fetch_optional(&self.readers).await?;
        Ok(due.map(Timestamp::from_millis))
    }

    async fn put_mail_off(&self, id: MailId, due: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let put_off = sqlx::query("update mails set due = ?, failed = failed + 1 where id = ?");
                put_off.bind(due.as_millis()).bind(id.as_bytes().as_slice()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let remove = sqlx::query("delete from mails where id = ?");
                remove.bind(id.as_bytes().as_slice()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Takes those links of an address back that are open.
pub(super) async fn take_back(connection: &mut SqliteConnection, address: &Address) -> Result<(), StoreError> {
    let select = sqlx::query("select * from links where address = ? and state = 'open'").bind(address.as_str());
    for row in select.fetch_all(&mut *connection).await? {
        replace(connection, &row::link(&row)?.void()).await?;
    }
    Ok(())
}

/// Keeps the mail of a new link and takes the former ones back; `false` and nothing if the address has had enough.
async fn post(connection: &mut SqliteConnection, address: &Address, posting: &Posting) -> Result<bool, StoreError> {
    let count = sqlx::query_scalar("select count(*) from links where address = ? and asked > ? and mailed = 1");
    let count: u32 = count.bind(address.as_str()).bind(posting.since.as_millis()).fetch_one(&mut *connection).await?;
    if count >= posting.at_most {
        return Ok(false);
    }
    take_back(connection, address).await?;
    insert_mail(connection, &posting.mail).await?;
    Ok(true)
}

async fn insert(connection: &mut SqliteConnection, link: &Link, mailed: bool) -> Result<(), StoreError> {
    let (state, used_by) = row::state_columns(link);
    sqlx::query(
        "insert into links (id, revision, token, waiting, address, admits, mailed, code, guesses, number, device, asked,
             expires, state, used_by)
         values (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(link.id.as_bytes().as_slice())
    .bind(link.token.as_bytes().as_slice())
    .bind(link.waiting.as_ref().map(|waiting| waiting.as_bytes().as_slice()))
    .bind(link.address.as_str())
    .bind(i64::from(link.admits))
    .bind(i64::from(mailed))
    .bind(link.code.as_bytes().as_slice())
    .bind(link.guesses)
    .bind(link.number.value())
    .bind(&link.device)
    .bind(link.asked.as_millis())
    .bind(link.expires.as_millis())
    .bind(state)
    .bind(used_by)
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_mail(connection: &mut SqliteConnection, mail: &Mail) -> Result<(), StoreError> {
    let insert =
        "insert into mails (id, address, letter, letter_key, failed, due, expires) values (?, ?, ?, ?, 0, ?, ?)";
    sqlx::query(insert)
        .bind(mail.id.as_bytes().as_slice())
        .bind(mail.to.as_ref().map(Address::as_str))
        .bind(mail.letter.0.bytes.as_slice())
        .bind(mail.letter.0.key_id)
        .bind(mail.due.as_millis())
        .bind(mail.expires.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// Compare-and-set on the revision; whoever waits for a link that is open no more is due.
async fn replace(connection: &mut SqliteConnection, next: &Link) -> Result<bool, StoreError> {
    let (state, used_by) = row::state_columns(next);
    let replaced = sqlx::query(
        "update links set revision = ?1, guesses = ?2, state = ?3, used_by = ?4 where id = ?5 and revision = ?1 - 1",
    )
    .bind(i64::try_from(next.revision).unwrap_or(i64::MAX))
    .bind(next.guesses)
    .bind(state)
    .bind(used_by)
    .bind(next.id.as_bytes().as_slice())
    .execute(&mut *connection)
    .await?;
    if replaced.rows_affected() == 0 {
        return Ok(false);
    }
    if let (Some(waiting), true) = (&next.waiting, next.state != LinkState::Open) {
        let due = sqlx::query("update confirmations set due = 0 where id = ? and state = 'queued'");
        due.bind(waiting.as_bytes().as_slice()).execute(connection).await?;
    }
    Ok(true)
}
