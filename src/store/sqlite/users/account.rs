//! Changes of a user's account: each revokes what was sent to them.

use crate::{
    clock::Timestamp,
    email_address::Address,
    store::{
        StoreError,
        row::{self, Reading},
        sqlite::links,
        statements::{IDENTITY_OF_USER, USERS_BY_EITHER_SUBJECT},
    },
    user::{Authority, Moved, PASSWORD_ISSUER, UserId},
};
use sqlx::{
    Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

/// A change of a user that only their [`Authority`] makes: `$1` to `$5` are bound by
/// [`authorised`].
macro_rules! by_authority {
    ($set:literal) => {
        concat!(
            "update users set ",
            $set,
            ", revision = revision + 1 where id = $1 and revision = $2 and disabled = 0 and ($4 or exists (
                 select 1 from sessions where id = $3 and user_id = $1 and state = 'established' and expires_at > $5))
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
    fn query(&self, change: &'static str) -> Query<'static, Sqlite, SqliteArguments> {
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
    connection: &mut SqliteConnection,
    change: &Change,
    password: &str,
) -> Result<Option<Timestamp>, StoreError> {
    let set = by_authority!("password = $6, valid_from = max($5, valid_from + 1)");
    let set = change.query(set).bind(password.to_owned());
    let set = valid_from(set.fetch_optional(&mut *connection).await?)?;
    if set.is_some() {
        revoke_links_to(connection, change.by.user).await?;
    }
    Ok(set)
}

/// Sessions are about to be ended, perhaps all; `false` if the session may not.
pub(super) async fn revoke_sessions(
    connection: &mut SqliteConnection,
    change: &Change,
    all: bool,
) -> Result<bool, StoreError> {
    let revoke = by_authority!(
        "known_from = max($5, known_from + 1, valid_from + 1),
         valid_from = iif($6, max($5, valid_from + 1), valid_from)"
    );
    let revoke = change.query(revoke).bind(all);
    let is_revoked = valid_from(revoke.fetch_optional(&mut *connection).await?)?.is_some();
    if is_revoked && all {
        revoke_links_to(connection, change.by.user).await?;
    }
    Ok(is_revoked)
}

/// Makes a user known by another address. Whatever was sent to the former one is revoked.
pub(super) async fn move_user(
    connection: &mut SqliteConnection,
    change: &Change,
    from: &Address,
    to: &Address,
) -> Result<Moved, StoreError> {
    let find = sqlx::query(USERS_BY_EITHER_SUBJECT)
        .bind(PASSWORD_ISSUER)
        .bind(from.as_str())
        .bind(to.as_str());
    let rows = find.fetch_all(&mut *connection).await?;
    if let Some(kept) = row::kept_from_moving(&rows, change.by.user, from, to)? {
        return Ok(kept);
    }
    let rename = by_authority!("subject = $6, email = $7, valid_from = max($5, valid_from + 1)");
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
    connection: &mut SqliteConnection,
    id: UserId,
    disabled: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let set = sqlx::query(
        "update users
         set disabled = $1, valid_from = max($2, valid_from + $1), revision = revision + 1
         where id = $3",
    );
    let set = set.bind(disabled).bind(now.as_millis()).bind(id.as_slice());
    let is_there = set.execute(&mut *connection).await?.rows_affected() == 1;
    if is_there && disabled {
        revoke_links_to(connection, id).await?;
    }
    Ok(is_there)
}

/// Removes the user; their sessions go with them, by the reference that holds them.
pub(super) async fn remove(
    connection: &mut SqliteConnection,
    id: UserId,
) -> Result<bool, StoreError> {
    let delete = sqlx::query("delete from users where id = $1 returning issuer, subject");
    let Some(row) = delete
        .bind(id.as_slice())
        .fetch_optional(&mut *connection)
        .await?
    else {
        return Ok(false);
    };
    let address = row::known_address(&row)?;
    if let Some(address) = address {
        links::revoke(connection, &address, None).await?;
    }
    Ok(true)
}

/// Since when the user is valid that a statement has changed.
fn valid_from(row: Option<SqliteRow>) -> Result<Option<Timestamp>, StoreError> {
    row.map(|row| Reading::new("users", &row).time("valid_from"))
        .transpose()
}

/// Takes back the open links to the user.
pub(super) async fn revoke_links_to(
    connection: &mut SqliteConnection,
    user: UserId,
) -> Result<(), StoreError> {
    let select = sqlx::query(IDENTITY_OF_USER).bind(user.as_slice());
    let row = select.fetch_one(&mut *connection).await?;
    let address = row::known_address(&row)?;
    match address {
        Some(address) => links::revoke(connection, &address, None).await,
        None => Ok(()),
    }
}
