//! Revokes links that were not used.

use crate::{
    email_address::Address, link::BrowserTag, path::LocalPath, store::postgres::connection::Failure,
};
use sqlx::PgConnection;

/// Locks the open links to an address, then the confirmations that wait for them. A change of a
/// user does this before it locks the user: links, confirmations, users, as everywhere.
pub(in crate::store::postgres) async fn lock_open(
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

/// Revokes the open links to an address that can sign in: mailed, or made by an operator. With
/// `own`, only those asked for in this browser, to lead to this place. Removes their mails, and
/// makes the confirmations that wait for them due. A browser that waits for a link that was never
/// mailed is not told, or it could see when the owner of the address does something.
pub(in crate::store::postgres) async fn revoke(
    connection: &mut PgConnection,
    address: &Address,
    own: Option<(BrowserTag, Option<&LocalPath>)>,
) -> Result<(), Failure> {
    // Locks links before anything else, as `replace` does.
    let revoked = sqlx::query_as(
        "update links set state = 'void', revision = revision + 1
         where id in (select id from links
                      where address = $1 and state = 'open' and (mailed = 1 or waiting is null)
                          and ($2::bytea is null or browser = $2 and next is not distinct from $3)
                      order by id for update)
         returning id, waiting",
    );
    let revoked: Vec<(Vec<u8>, Option<Vec<u8>>)> = revoked
        .bind(address.as_str())
        .bind(own.as_ref().map(|(browser, _)| browser.as_slice()))
        .bind(own.and_then(|(_, next)| next).map(LocalPath::as_str))
        .fetch_all(&mut *connection)
        .await?;
    let (links, waiting): (Vec<_>, Vec<_>) = revoked.into_iter().unzip();
    let unsend = sqlx::query("delete from mails where link = any($1)").bind(links);
    unsend.execute(&mut *connection).await?;
    let due = sqlx::query(
        "update confirmations set due_at = 0
         where id in (select id from confirmations where state = 'queued' and id = any($1) order by id for update)",
    );
    due.bind(waiting).execute(connection).await?;
    Ok(())
}
