//! To ask for a link: a link and its mail, within the limits of its address and its network.

use super::{insert, revoke};
use crate::{
    caps::Capped,
    link::{Counts, Link, Mailing},
    mail::{Posted, Posting},
    path::LocalPath,
    store::{
        postgres::{connection::Failure, mails},
        row::{self, LinkOrigin},
        statements::{COUNT_LINKS, LINK_ASKED_FOR_BEFORE},
    },
};
use sqlx::PgConnection;

/// Keeps the link and its mail, unless there is one already that it would repeat, or a limit is
/// met.
pub(super) async fn post(
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
            revoke(
                connection,
                &link.address,
                Some((browser, link.next.as_ref())),
            )
            .await?;
        }
        let delivered = posting.delivered && mailing == Mailing::Sent;
        mails::insert(connection, Some(link.id), &posting.mail, delivered).await?;
    }
    insert(
        connection,
        &Link {
            mailed,
            ..link.clone()
        },
        &LinkOrigin::of(posting, mailing),
    )
    .await?;
    Ok(Ok(Posted::New))
}

/// One at a time for each network, each mailbox, and all addresses that no user has: two at once
/// would count the same, and find nothing to revoke.
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
    let held = sqlx::query(LINK_ASKED_FOR_BEFORE)
        .bind(link.address.as_str())
        .bind(from.as_millis())
        .bind(to.as_millis())
        .bind(browser.as_slice())
        .bind(link.next.as_ref().map(LocalPath::as_str));
    let row = held.fetch_optional(connection).await?;
    Ok(row.map(|row| row::link(&row)).transpose()?)
}

async fn count(
    connection: &mut PgConnection,
    link: &Link,
    posting: &Posting,
) -> Result<Counts, Failure> {
    let [of_64, of_56, of_48] = posting.client.networks();
    let counts = sqlx::query(COUNT_LINKS)
        .bind(link.address.as_str())
        .bind(link.address.mailbox())
        .bind(posting.since.as_millis())
        .bind(of_64.as_slice())
        .bind(of_56.as_slice())
        .bind(of_48.as_slice())
        .bind(i64::from(posting.terms.at_most()))
        .bind(i64::from(posting.terms.strangers));
    Ok(row::link_counts(&counts.fetch_one(connection).await?)?)
}
