//! Users in SQLite.

mod account;

use super::SqliteStore;
use crate::{
    clock::Timestamp,
    email_address::Address,
    store::{
        StoreError, UserStore,
        row::{self, Reading},
        statements::{
            COUNT_ENDED_SESSION, REHASH_PASSWORD, USER_BY_ID, USER_BY_IDENTITY, USER_WITH_PASSWORD,
            USERS_AFTER,
        },
    },
    user::{Authority, Moved, PASSWORD_ISSUER, User, UserId, key_after},
};
use account::Change;
use async_trait::async_trait;
use sqlx::{SqliteConnection, sqlite::SqliteRow};

#[async_trait]
impl UserStore for SqliteStore {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = sqlx::query(USER_BY_ID)
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
        let row = sqlx::query(USER_BY_IDENTITY)
            .bind(issuer)
            .bind(subject)
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| row::user(&row)).transpose()
    }

    async fn password(&self, subject: &str) -> Result<Option<(User, String)>, StoreError> {
        let row = sqlx::query(USER_WITH_PASSWORD)
            .bind(PASSWORD_ISSUER)
            .bind(subject)
            .fetch_optional(&self.readers)
            .await?;
        let read = |row: SqliteRow| {
            let password = Reading::new("users", &row).text("password")?.to_owned();
            Ok((row::user(&row)?, password))
        };
        row.map(read).transpose()
    }

    async fn put_user(&self, user: &User, password: Option<&str>) -> Result<UserId, StoreError> {
        let new = (user.clone(), password.map(str::to_owned));
        self.write(new, |connection, (user, password)| {
            Box::pin(put(connection, user, password.as_deref()))
        })
        .await
    }

    async fn users(&self, after: Option<&User>, limit: u32) -> Result<Vec<User>, StoreError> {
        let (issuer, subject) = key_after(after);
        let rows = sqlx::query(USERS_AFTER)
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
        let change = (self.change(by, now), password.to_owned());
        self.write(change, |connection, (change, password)| {
            Box::pin(account::set_password(connection, change, password))
        })
        .await
    }

    async fn rehash_password(&self, id: UserId, from: &str, to: &str) -> Result<(), StoreError> {
        let rehash = (id, from.to_owned(), to.to_owned());
        self.write(rehash, |connection, (id, from, to)| {
            Box::pin(async move {
                let rehash = sqlx::query(REHASH_PASSWORD)
                    .bind(to)
                    .bind(id.as_slice())
                    .bind(from);
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
        let change = (self.change(by, now), from.clone(), to.clone());
        self.write(change, |connection, (change, from, to)| {
            Box::pin(account::move_user(connection, change, from, to))
        })
        .await
    }

    async fn revoke_sessions(
        &self,
        by: Authority,
        all: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let change = (self.change(by, now), all);
        self.write(change, |connection, (change, all)| {
            Box::pin(account::revoke_sessions(connection, change, *all))
        })
        .await
    }

    async fn count_ended_session(&self, user: UserId) -> Result<(), StoreError> {
        self.write(user, |connection, user| {
            Box::pin(async move {
                let count = sqlx::query(COUNT_ENDED_SESSION).bind(user.as_slice());
                count.execute(connection).await?;
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
        let change = (id, disabled, now);
        self.write(change, |connection, &(id, disabled, now)| {
            Box::pin(account::disable(connection, id, disabled, now))
        })
        .await
    }

    async fn remove_user(&self, id: UserId) -> Result<bool, StoreError> {
        self.write(id, |connection, &id| {
            Box::pin(account::remove(connection, id))
        })
        .await
    }
}

impl SqliteStore {
    fn change(&self, by: Authority, now: Timestamp) -> Change {
        Change {
            by,
            sessions_apart: self.sessions_apart,
            now,
        }
    }
}

/// Adds the user or finds the one with the same identity, within the transaction of `connection`.
/// Links to a known one are revoked if there is a password.
async fn put(
    connection: &mut SqliteConnection,
    user: &User,
    password: Option<&str>,
) -> Result<UserId, StoreError> {
    let put = sqlx::query(
        "insert into users (id, issuer, subject, name, email, password, created_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (issuer, subject) do update set
             name = excluded.name, email = excluded.email, password = coalesce(excluded.password, password),
             valid_from = iif(excluded.password is null, valid_from, max(excluded.created_at, valid_from + 1)),
             revision = revision + (excluded.password is not null)
         returning id",
    )
    .bind(user.id.as_slice())
    .bind(&user.identity.issuer)
    .bind(&user.identity.subject)
    .bind(&user.identity.name)
    .bind(&user.identity.email)
    .bind(password)
    .bind(user.created_at.as_millis());
    let row = put.fetch_one(&mut *connection).await?;
    let id = UserId::from_bytes(Reading::new("users", &row).bytes("id")?);
    if password.is_some() && id != user.id {
        account::revoke_links_to(connection, id).await?;
    }
    Ok(id)
}
