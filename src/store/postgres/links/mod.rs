//! Links in PostgreSQL. People ask for them seldom: each write is a transaction of its own.

mod post;
mod revoke;

pub(super) use revoke::{lock_open, revoke};

use super::{PostgresStore, batch, connection::Failure};
use crate::{
    clock::Timestamp,
    confirmation::ConfirmationId,
    device::Device,
    email_address::Address,
    link::{Link, LinkState, Tries, WRONG_CODES},
    mail::{Posted, Posting},
    path::LocalPath,
    secret::SecretHash,
    store::{
        BeginError, LinkStore, StoreError,
        row::{self, LinkOrigin},
        statements::{
            COUNT_WRONG_CODE, DELETE_MAIL_OF_LINK, FORGET_WRONG_CODES,
            FORGET_WRONG_CODES_OF_ADDRESS, INSERT_LINK, LINK_BY_TOKEN, LINK_BY_WAITING,
            MAKE_CONFIRMATION_DUE, REPLACE_LINK, WRONG_CODES_SINCE,
        },
    },
};
use async_trait::async_trait;
use sqlx::PgConnection;

#[async_trait]
impl LinkStore for PostgresStore {
    async fn add_link(&self, link: &Link) -> Result<(), StoreError> {
        let link = link.clone();
        self.run(move |connection| {
            Box::pin(async move { insert(connection, &link, &LinkOrigin::default()).await })
        })
        .await
    }

    async fn post_link(&self, link: &Link, posting: &Posting) -> Result<Posted, BeginError> {
        let link = link.clone();
        let posting = posting.clone();
        let posted = batch::transaction(&self.pool, move |connection| {
            Box::pin(async move { post::post(connection, &link, &posting).await })
        });
        Ok(posted.await??)
    }

    async fn revoke_links(&self, address: &Address) -> Result<(), StoreError> {
        let address = address.clone();
        batch::transaction(&self.pool, move |connection| {
            Box::pin(async move {
                lock_open(connection, &address).await?;
                revoke(connection, &address, None).await
            })
        })
        .await
    }

    async fn link_by_token(&self, token: &SecretHash) -> Result<Option<Link>, StoreError> {
        self.link(LINK_BY_TOKEN, token.as_slice()).await
    }

    async fn link_by_waiting(&self, waiting: ConfirmationId) -> Result<Option<Link>, StoreError> {
        self.link(LINK_BY_WAITING, waiting.as_slice()).await
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
                let count = sqlx::query_scalar(COUNT_WRONG_CODE)
                    .bind(tries.address.as_str())
                    .bind(i64::from(tries.known))
                    .bind(now.as_millis())
                    .bind(since.as_millis())
                    .bind(i64::from(WRONG_CODES));
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
                let wrong = sqlx::query_scalar(WRONG_CODES_SINCE)
                    .bind(tries.address.as_str())
                    .bind(i64::from(tries.known))
                    .bind(since.as_millis());
                let wrong: Option<i64> = wrong.fetch_optional(connection).await?;
                Ok(wrong.map_or(0, |wrong| u32::try_from(wrong).unwrap_or(u32::MAX)))
            })
        })
        .await
    }

    async fn forget_codes(&self, tries: &Tries) -> Result<(), StoreError> {
        let tries = tries.clone();
        self.run(move |connection| {
            Box::pin(async move {
                let forget = sqlx::query(FORGET_WRONG_CODES)
                    .bind(tries.address.as_str())
                    .bind(i64::from(tries.known));
                forget.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn sweep_codes(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from wrong_codes where (address, known) in (
                         select address, known from wrong_codes where last_at < $1 order by last_at limit $2
                         for update skip locked)";
        self.sweep(sweep, before).await
    }

    async fn sweep_links(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from links where id in (
                         select id from links where expires_at < $1 order by expires_at limit $2 for update skip locked)";
        self.sweep(sweep, before).await
    }
}

impl PostgresStore {
    async fn link(&self, select: &'static str, key: &[u8]) -> Result<Option<Link>, StoreError> {
        let key = key.to_vec();
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

async fn insert(
    connection: &mut PgConnection,
    link: &Link,
    origin: &LinkOrigin,
) -> Result<(), Failure> {
    let (state, used_by) = row::state_columns(link);
    let [client, network_56, network_48] = origin.networks();
    sqlx::query(INSERT_LINK)
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
        .bind(link.requested_at.as_millis())
        .bind(link.expires_at.as_millis())
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

/// Compare-and-set on the revision. If the link is no longer open, removes its mail and makes the
/// waiting confirmation due.
async fn replace(connection: &mut PgConnection, next: &Link) -> Result<bool, Failure> {
    let (state, used_by) = row::state_columns(next);
    let replaced = sqlx::query(REPLACE_LINK)
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
    let remove = sqlx::query(DELETE_MAIL_OF_LINK).bind(next.id.as_slice());
    remove.execute(&mut *connection).await?;
    if next.mailed && next.state != LinkState::Revoked {
        let forget = sqlx::query(FORGET_WRONG_CODES_OF_ADDRESS)
            .bind(next.address.as_str())
            .bind(i64::from(WRONG_CODES));
        forget.execute(&mut *connection).await?;
    }
    if let Some(waiting) = &next.waiting {
        let due = sqlx::query(MAKE_CONFIRMATION_DUE).bind(waiting.as_slice());
        due.execute(connection).await?;
    }
    Ok(true)
}
