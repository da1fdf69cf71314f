//! Users in SQLite.

use super::{SqliteStore, links};
use crate::{
    clock::Timestamp,
    email_address::Address,
    store::{
        StoreError, UserStore,
        row::{self, Reading, user_columns},
    },
    user::{Authority, Moved, PASSWORD_ISSUER, User, UserId, key_after},
};
use async_trait::async_trait;
use sqlx::{
    Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

/// A change of a user that only their [`Authority`] makes: `?1` to `?5` are bound by
/// [`authorised`].
macro_rules! by_authority {
    ($set:literal) => {
        concat!(
            "update users set ",
            $set,
            ", revision = revision + 1 where id = ?1 and revision = ?2 and disabled = 0 and (?4 or exists (
                 select 1 from sessions where id = ?3 and user_id = ?1 and state = 'established' and expires > ?5))
             returning valid_from"
        )
    };
}

#[async_trait]
impl UserStore for SqliteStore {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = sqlx::query(concat!(
            "select ",
            user_columns!(),
            " from users where id = ?"
        ))
        .bind(id.as_slice())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| row::user(&row)).transpose()
    }

    async fn user_by_identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<User>, StoreError> {
        let row = sqlx::query(concat!(
            "select ",
            user_columns!(),
            " from users where issuer = ? and subject = ?"
        ))
        .bind(issuer)
        .bind(subject)
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| row::user(&row)).transpose()
    }

    async fn password(&self, subject: &str) -> Result<Option<(User, String)>, StoreError> {
        let row = sqlx::query(concat!(
            "select ",
            user_columns!(),
            ", password from users where issuer = ? and subject = ? and password is not null and disabled = 0"
        ))
        .bind(PASSWORD_ISSUER)
        .bind(subject)
        .fetch_optional(&self.readers)
        .await?;
        let read = |row: SqliteRow| {
            Ok((
                row::user(&row)?,
                Reading::new("users", &row).text("password")?.to_owned(),
            ))
        };
        row.map(read).transpose()
    }

    async fn put_user(&self, user: &User, password: Option<&str>) -> Result<UserId, StoreError> {
        let user = user.clone();
        let password = password.map(str::to_owned);
        self.write(move |connection| {
            let user = user.clone();
            let password = password.clone();
            Box::pin(async move {
                let id = put(connection, &user, password.as_deref()).await?;
                if password.is_some() && id != user.id {
                    take_back_links(connection, id).await?;
                }
                Ok(id)
            })
        })
        .await
    }

    async fn users(&self, after: Option<&User>, limit: u32) -> Result<Vec<User>, StoreError> {
        let (issuer, subject) = key_after(after);
        let rows = sqlx::query(concat!(
            "select ",
            user_columns!(),
            " from users where (issuer, subject) > (?, ?)
             order by issuer, subject limit ?"
        ));
        let rows = rows
            .bind(issuer)
            .bind(subject)
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| row::user(row)).collect()
    }

    async fn set_password(
        &self,
        by: Authority,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let password = password.to_owned();
        let apart = self.sessions_apart;
        self.write(move |connection| {
            let set = by_authority!("password = ?6, valid_from = max(?5, valid_from + 1)");
            let set = authorised(set, by, apart, now).bind(password.clone());
            Box::pin(async move {
                let set = valid_from(set.fetch_optional(&mut *connection).await?)?;
                if set.is_some() {
                    take_back_links(connection, by.user).await?;
                }
                Ok(set)
            })
        })
        .await
    }

    async fn rehash_password(&self, id: UserId, from: &str, to: &str) -> Result<(), StoreError> {
        let from = from.to_owned();
        let to = to.to_owned();
        self.write(move |connection| {
            let rehash = sqlx::query("update users set password = ? where id = ? and password = ?");
            let rehash = rehash
                .bind(to.clone())
                .bind(id.as_bytes().to_vec())
                .bind(from.clone());
            Box::pin(async move {
                rehash.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn move_user(
        &self,
        by: Authority,
        from: &Address,
        to: &Address,
        now: Timestamp,
    ) -> Result<Moved, StoreError> {
        let from = from.clone();
        let to = to.clone();
        let apart = self.sessions_apart;
        self.write(move |connection| {
            let from = from.clone();
            let to = to.clone();
            Box::pin(async move { move_user(connection, by, apart, (&from, &to), now).await })
        })
        .await
    }

    async fn revoke_sessions(
        &self,
        by: Authority,
        all: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let apart = self.sessions_apart;
        self.write(move |connection| {
            let revoke = by_authority!(
                "known_from = max(?5, known_from + 1, valid_from + 1), valid_from = iif(?6, max(?5, valid_from + 1), valid_from)"
            );
            let revoke = authorised(revoke, by, apart, now).bind(all);
            Box::pin(async move {
                let is_revoked = valid_from(revoke.fetch_optional(&mut *connection).await?)?.is_some();
                if is_revoked && all {
                    take_back_links(connection, by.user).await?;
                }
                Ok(is_revoked)
            })
        })
        .await
    }

    async fn count_ended_session(&self, user: UserId) -> Result<(), StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let count = sqlx::query("update users set revision = revision + 1 where id = ?");
                count.bind(user.as_slice()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn disable_user(
        &self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let set = "update users
                           set disabled = ?1, valid_from = max(?2, valid_from + ?1), revision = revision + 1
                           where id = ?3";
                let set = sqlx::query(set).bind(disabled).bind(now.as_millis()).bind(id.as_slice());
                let is_there = set.execute(&mut *connection).await?.rows_affected() == 1;
                if is_there && disabled {
                    take_back_links(connection, id).await?;
                }
                Ok(is_there)
            })
        })
        .await
    }

    async fn remove_user(&self, id: UserId) -> Result<bool, StoreError> {
        self.write(move |connection| Box::pin(remove(connection, id)))
            .await
    }
}

/// The statement `change`, made by [`by_authority`], with its first parameters.
fn authorised(
    change: &'static str,
    by: Authority,
    sessions_apart: bool,
    now: Timestamp,
) -> Query<'static, Sqlite, SqliteArguments> {
    let revision = i64::try_from(by.revision).unwrap_or(i64::MAX);
    let change = sqlx::query(change)
        .bind(by.user.as_bytes().to_vec())
        .bind(revision);
    change
        .bind(by.session.as_bytes().to_vec())
        .bind(sessions_apart)
        .bind(now.as_millis())
}

/// Since when the user is valid that a statement has changed.
fn valid_from(row: Option<SqliteRow>) -> Result<Option<Timestamp>, StoreError> {
    row.map(|row| Reading::new("users", &row).time("valid_from"))
        .transpose()
}

/// Takes back the open links to the user.
async fn take_back_links(
    connection: &mut SqliteConnection,
    user: UserId,
) -> Result<(), StoreError> {
    let select =
        sqlx::query("select issuer, subject from users where id = ?").bind(user.as_slice());
    let row = select.fetch_one(&mut *connection).await?;
    let address = row::known_address(&row)?;
    match address {
        Some(address) => links::take_back(connection, &address, None).await,
        None => Ok(()),
    }
}

/// Makes a user known by another address. Whatever was sent to the former one is taken back.
async fn move_user(
    connection: &mut SqliteConnection,
    by: Authority,
    sessions_apart: bool,
    (from, to): (&Address, &Address),
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let find = "select id, subject from users where issuer = ?1 and (subject = ?2 or subject = ?3)";
    let find = sqlx::query(find)
        .bind(PASSWORD_ISSUER)
        .bind(from.as_str())
        .bind(to.as_str());
    let rows = find.fetch_all(&mut *connection).await?;
    if let Some(kept) = row::kept_from_moving(&rows, by.user, from, to)? {
        return Ok(kept);
    }
    let rename = by_authority!("subject = ?6, email = ?7, valid_from = max(?5, valid_from + 1)");
    let rename = authorised(rename, by, sessions_apart, now)
        .bind(to.as_str().to_owned())
        .bind(to.typed().to_owned());
    match valid_from(rename.fetch_optional(&mut *connection).await?)? {
        Some(valid_from) => {
            links::take_back(connection, from, None).await?;
            Ok(Moved::Done(valid_from))
        }
        None => Ok(Moved::Revoked),
    }
}

/// Removes the user; their sessions go with them, by the reference that holds them.
async fn remove(connection: &mut SqliteConnection, id: UserId) -> Result<bool, StoreError> {
    let delete = sqlx::query("delete from users where id = ? returning issuer, subject");
    let Some(row) = delete
        .bind(id.as_slice())
        .fetch_optional(&mut *connection)
        .await?
    else {
        return Ok(false);
    };
    let address = row::known_address(&row)?;
    if let Some(address) = address {
        links::take_back(connection, &address, None).await?;
    }
    Ok(true)
}

/// Adds the user or finds the one with the same identity, within the transaction of `connection`.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    user: &User,
    password: Option<&str>,
) -> Result<UserId, StoreError> {
    let row = sqlx::query(
        "insert into users (id, issuer, subject, name, email, password, since) values (?, ?, ?, ?, ?, ?, ?)
         on conflict (issuer, subject) do update set
             name = excluded.name, email = excluded.email, password = coalesce(excluded.password, password),
             valid_from = iif(excluded.password is null, valid_from, max(excluded.since, valid_from + 1)),
             revision = revision + (excluded.password is not null)
         returning id",
    )
    .bind(user.id.as_slice())
    .bind(&user.identity.issuer)
    .bind(&user.identity.subject)
    .bind(&user.identity.name)
    .bind(&user.identity.email)
    .bind(password)
    .bind(user.since.as_millis())
    .fetch_one(connection)
    .await?;
    Ok(UserId::from_bytes(Reading::new("users", &row).bytes("id")?))
}
