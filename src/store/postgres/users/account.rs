//! Changes of a user's account: each revokes what was sent to them.

use crate::{
    clock::Timestamp,
    email_address::Address,
    store::{
        StoreError,
        postgres::{connection::Failure, links, sessions},
        row::{self, Reading},
        statements::{IDENTITY_OF_USER, USERS_BY_EITHER_SUBJECT},
    },
    user::{Authority, Moved, PASSWORD_ISSUER, UserId},
};
use sqlx::{
    PgConnection, Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
};

/// A change of a user that only their [`Authority`] makes: `$1` to `$5` are bound by
/// [`authorised`]. The session is locked, so that one that is being deleted meanwhile counts as
/// gone, and is not deleted before the change is made.
macro_rules! by_authority {
    ($set:literal) => {
        concat!(
            "with session as (
                 select id from sessions
                 where id = $3 and user_id = $1 and state = 'established' and expires_at > $5 for share)
             update users set ",
            $set,
            ", revision = revision + 1
             where id = $1 and revision = $2 and disabled = 0 and ($4 or exists (select from session))
             returning valid_from"
        )
    };
}

/// A change that a user makes in one of their sessions.
pub(super) struct Change {
    pub by: Authority,
    pub sessions_apart: bool,
    pub now: Timestamp,
}

impl Change {
    /// The statement `change`, made by [`by_authority`], with its first parameters.
    fn query(&self, change: &'static str) -> Query<'static, Postgres, PgArguments> {
        sqlx::query(change)
            .bind(self.by.user.as_slice().to_vec())
            .bind(i64::try_from(self.by.revision).unwrap_or(i64::MAX))
            .bind(self.by.session.as_slice().to_vec())
            .bind(self.sessions_apart)
            .bind(self.now.as_millis())
    }
}

/// Gives the user this password hash, and returns since when they are valid; `None` if the session
/// may not.
pub(super) async fn set_password(
    connection: &mut PgConnection,
    change: Change,
    password: String,
) -> Result<Option<Timestamp>, Failure> {
    let address = lock_links_to(connection, change.by.user).await?;
    let set = by_authority!("password = $6, valid_from = greatest($5, valid_from + 1)");
    let set = change.query(set).bind(password);
    let set = valid_from(set.fetch_optional(&mut *connection).await?)?;
    if let (Some(_), Some(address)) = (set, address) {
        links::revoke(connection, &address, None).await?;
    }
    Ok(set)
}

/// Sessions are about to be ended, perhaps all; `false` if the session may not.
pub(super) async fn revoke_sessions(
    connection: &mut PgConnection,
    change: Change,
    all: bool,
) -> Result<bool, Failure> {
    let address = if all {
        lock_links_to(connection, change.by.user).await?
    } else {
        None
    };
    let revoke = by_authority!(
        "known_from = greatest($5, known_from + 1, valid_from + 1),
         valid_from = case when $6 then greatest($5, valid_from + 1) else valid_from end"
    );
    let revoke = change.query(revoke).bind(all);
    let is_revoked = valid_from(revoke.fetch_optional(&mut *connection).await?)?.is_some();
    if let (true, Some(address)) = (is_revoked, address) {
        links::revoke(connection, &address, None).await?;
    }
    Ok(is_revoked)
}

/// Makes a user known by another address. Whatever was sent to the former one is revoked. Of two
/// who are to be known by one address at once, the later one meets the index and is told that the
/// database cannot be used just now.
pub(super) async fn move_user(
    connection: &mut PgConnection,
    change: Change,
    from: &Address,
    to: &Address,
) -> Result<Moved, Failure> {
    let find = sqlx::query(USERS_BY_EITHER_SUBJECT)
        .bind(PASSWORD_ISSUER)
        .bind(from.as_str())
        .bind(to.as_str());
    let rows = find.fetch_all(&mut *connection).await?;
    if let Some(kept) = row::kept_from_moving(&rows, change.by.user, from, to)? {
        return Ok(kept);
    }
    links::lock_open(connection, from).await?;
    let rename =
        by_authority!("subject = $6, email = $7, valid_from = greatest($5, valid_from + 1)");
    let rename = change
        .query(rename)
        .bind(to.as_str().to_owned())
        .bind(to.typed().to_owned());
    match valid_from(rename.fetch_optional(&mut *connection).await?)? {
        Some(valid_from) => {
            links::revoke(connection, from, None).await?;
            Ok(Moved::Done(valid_from))
        }
        None => Ok(Moved::Revoked),
    }
}

/// Disables a user or lets them in again; `false` if they are not there.
pub(super) async fn disable(
    connection: &mut PgConnection,
    id: UserId,
    disabled: bool,
    now: Timestamp,
) -> Result<bool, Failure> {
    let address = if disabled {
        lock_links_to(connection, id).await?
    } else {
        None
    };
    let set = "update users
               set disabled = $1, valid_from = greatest($2, valid_from + $1), revision = revision + 1
               where id = $3";
    let set = sqlx::query(set)
        .bind(i64::from(disabled))
        .bind(now.as_millis())
        .bind(id.as_slice());
    let is_there = set.execute(&mut *connection).await?.rows_affected() == 1;
    if let Some(address) = address {
        links::revoke(connection, &address, None).await?;
    }
    Ok(is_there)
}

/// Removes the user and their sessions, in the order in which a decision locks its rows:
/// confirmations, which links make due, then sessions, then the user.
pub(super) async fn remove(connection: &mut PgConnection, id: UserId) -> Result<bool, Failure> {
    if let Some(address) = lock_links_to(connection, id).await? {
        links::revoke(connection, &address, None).await?;
    }
    sessions::delete_of(connection, id, None).await?;
    let delete = sqlx::query("delete from users where id = $1").bind(id.as_slice());
    Ok(delete.execute(connection).await?.rows_affected() == 1)
}

/// Since when the user is valid that a statement has changed.
fn valid_from(row: Option<PgRow>) -> Result<Option<Timestamp>, StoreError> {
    row.map(|row| Reading::new("users", &row).time("valid_from"))
        .transpose()
}

/// Locks the open links to the user, and returns the address that they go to.
async fn lock_links_to(
    connection: &mut PgConnection,
    user: UserId,
) -> Result<Option<Address>, Failure> {
    let select = sqlx::query(IDENTITY_OF_USER).bind(user.as_slice());
    let Some(row) = select.fetch_optional(&mut *connection).await? else {
        return Ok(None);
    };
    let address = row::known_address(&row)?;
    if let Some(address) = &address {
        links::lock_open(connection, address).await?;
    }
    Ok(address)
}
