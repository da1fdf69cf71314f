//! Links in SQLite.

mod post;

use super::SqliteStore;
use crate::{
    clock::Timestamp,
    confirmation::ConfirmationId,
    device::Device,
    email_address::Address,
    link::{BrowserTag, Link, LinkState, Tries, WRONG_CODES},
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
use sqlx::SqliteConnection;

#[async_trait]
impl LinkStore for SqliteStore {
    async fn add_link(&self, link: &Link) -> Result<(), StoreError> {
        self.write(link.clone(), |connection, link| {
            Box::pin(async move { insert(connection, link, &LinkOrigin::default()).await })
        })
        .await
    }

    async fn post_link(&self, link: &Link, posting: &Posting) -> Result<Posted, BeginError> {
        let new = (link.clone(), posting.clone());
        let posted = self.write(new, |connection, (link, posting)| {
            Box::pin(post::post(connection, link, posting))
        });
        Ok(posted.await??)
    }

    async fn revoke_links(&self, address: &Address) -> Result<(), StoreError> {
        self.write(address.clone(), |connection, address| {
            Box::pin(revoke(connection, address, None))
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
        self.write(next.clone(), |connection, next| {
            Box::pin(replace(connection, next))
        })
        .await
    }

    async fn count_code(
        &self,
        tries: &Tries,
        now: Timestamp,
        since: Timestamp,
    ) -> Result<Option<u32>, StoreError> {
        let wrong = (tries.clone(), now, since);
        self.write(wrong, |connection, (tries, now, since)| {
            Box::pin(async move {
                let count = sqlx::query_scalar(COUNT_WRONG_CODE)
                    .bind(tries.address.as_str())
                    .bind(tries.known)
                    .bind(now.as_millis())
                    .bind(since.as_millis())
                    .bind(WRONG_CODES);
                Ok(count.fetch_optional(connection).await?)
            })
        })
        .await
    }

    async fn codes_tried(&self, tries: &Tries, since: Timestamp) -> Result<u32, StoreError> {
        let wrong = sqlx::query_scalar(WRONG_CODES_SINCE)
            .bind(tries.address.as_str())
            .bind(tries.known)
            .bind(since.as_millis())
            .fetch_optional(&self.readers)
            .await?;
        Ok(wrong.unwrap_or_default())
    }

    async fn forget_codes(&self, tries: &Tries) -> Result<(), StoreError> {
        self.write(tries.clone(), |connection, tries| {
            Box::pin(async move {
                let forget = sqlx::query(FORGET_WRONG_CODES)
                    .bind(tries.address.as_str())
                    .bind(tries.known);
                forget.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn sweep_codes(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from wrong_codes where (address, known) in
                         (select address, known from wrong_codes where last_at < $1 order by last_at limit $2)";
        self.sweep(sweep, before).await
    }

    async fn sweep_links(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from links where id in (select id from links where expires_at < $1 order by expires_at limit $2)";
        self.sweep(sweep, before).await
    }
}

impl SqliteStore {
    async fn link(&self, select: &'static str, key: &[u8]) -> Result<Option<Link>, StoreError> {
        let select = sqlx::query(select).bind(key);
        let row = select.fetch_optional(&self.readers).await?;
        row.map(|row| row::link(&row)).transpose()
    }
}

/// Revokes the open links to an address that can sign in: mailed, or made by an operator. With
/// `own`, only those asked for in this browser, to lead to this place. Removes their mails, and
/// makes the confirmations that wait for them due. A browser that waits for a link that was never
/// mailed is not told, or it could see when the owner of the address does something.
pub(super) async fn revoke(
    connection: &mut SqliteConnection,
    address: &Address,
    own: Option<(BrowserTag, Option<&LocalPath>)>,
) -> Result<(), StoreError> {
    let revoked = sqlx::query_as(
        "update links set state = 'void', revision = revision + 1
         where address = $1 and state = 'open' and (mailed = 1 or waiting is null)
             and ($2 is null or browser = $2 and next is $3)
         returning id, waiting",
    );
    let revoked: Vec<(Vec<u8>, Option<Vec<u8>>)> = revoked
        .bind(address.as_str())
        .bind(own.as_ref().map(|(browser, _)| browser.as_slice()))
        .bind(own.and_then(|(_, next)| next).map(LocalPath::as_str))
        .fetch_all(&mut *connection)
        .await?;
    for (link, waiting) in revoked {
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
    let remove = sqlx::query(DELETE_MAIL_OF_LINK).bind(link);
    remove.execute(&mut *connection).await?;
    let due = sqlx::query(MAKE_CONFIRMATION_DUE).bind(waiting);
    due.execute(connection).await?;
    Ok(())
}

async fn insert(
    connection: &mut SqliteConnection,
    link: &Link,
    origin: &LinkOrigin,
) -> Result<(), StoreError> {
    let (state, used_by) = row::state_columns(link);
    let [client, network_56, network_48] = origin.networks();
    sqlx::query(INSERT_LINK)
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
        .bind(link.requested_at.as_millis())
        .bind(link.expires_at.as_millis())
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

/// Compare-and-set on the revision. If the link is no longer open, removes its mail and makes the
/// waiting confirmation due.
async fn replace(connection: &mut SqliteConnection, next: &Link) -> Result<bool, StoreError> {
    let (state, used_by) = row::state_columns(next);
    let replaced = sqlx::query(REPLACE_LINK)
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
        let forget = sqlx::query(FORGET_WRONG_CODES_OF_ADDRESS);
        forget
            .bind(next.address.as_str())
            .bind(WRONG_CODES)
            .execute(connection)
            .await?;
    }
    Ok(true)
}
