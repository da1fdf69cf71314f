//! Users in PostgreSQL.

mod account;
mod find_or_add;

pub(super) use find_or_add::{find_or_add, known};

use super::{PostgresStore, batch, connection::Failure, links};
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
use sqlx::{PgConnection, postgres::PgRow};

#[async_trait]
impl UserStore for PostgresStore {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let select = sqlx::query(USER_BY_ID).bind(id.as_slice());
                let row = select.fetch_optional(connection).await?;
                Ok(row.map(|row| row::user(&row)).transpose()?)
            })
        })
        .await
    }

    async fn user_by_identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<User>, StoreError> {
        // Form input may contain NUL, which no PostgreSQL text can.
        if subject.contains('\0') || issuer.contains('\0') {
            return Ok(None);
        }
        let issuer = issuer.to_owned();
        let subject = subject.to_owned();
        self.run(|connection| {
            Box::pin(async move {
                let select = sqlx::query(USER_BY_IDENTITY).bind(issuer).bind(subject);
                let row = select.fetch_optional(connection).await?;
                Ok(row.map(|row| row::user(&row)).transpose()?)
            })
        })
        .await
    }

    async fn password(&self, subject: &str) -> Result<Option<(User, String)>, StoreError> {
        // Form input may contain NUL, which no PostgreSQL text can.
        if subject.contains('\0') {
            return Ok(None);
        }
        let subject = subject.to_owned();
        self.run(|connection| {
            Box::pin(async move {
                let select = sqlx::query(USER_WITH_PASSWORD)
                    .bind(PASSWORD_ISSUER)
                    .bind(subject);
                let row = select.fetch_optional(connection).await?;
                let read = |row: PgRow| {
                    let password = Reading::new("users", &row).text("password")?.to_owned();
                    Ok::<_, StoreError>((row::user(&row)?, password))
                };
                Ok(row.map(read).transpose()?)
            })
        })
        .await
    }

    async fn put_user(&self, user: &User, password: Option<&str>) -> Result<UserId, StoreError> {
        let user = user.clone();
        let password = password.map(str::to_owned);
        batch::transaction(&self.pool, move |connection| {
            Box::pin(async move { put(connection, &user, password.as_deref()).await })
        })
        .await
    }

    async fn users(&self, after: Option<&User>, limit: u32) -> Result<Vec<User>, StoreError> {
        let (issuer, subject) = key_after(after);
        self.run(move |connection| {
            Box::pin(async move {
                let select = sqlx::query(USERS_AFTER)
                    .bind(issuer)
                    .bind(subject)
                    .bind(i64::from(limit));
                let rows = select.fetch_all(connection).await?;
                Ok(rows
                    .iter()
                    .map(|row| row::user(row))
                    .collect::<Result<_, _>>()?)
            })
        })
        .await
    }

    async fn set_password(
        &self,
        by: Authority,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let change = self.change(by, now);
        let password = password.to_owned();
        batch::transaction(&self.pool, move |connection| {
            Box::pin(account::set_password(connection, change, password))
        })
        .await
    }

    async fn rehash_password(&self, id: UserId, from: &str, to: &str) -> Result<(), StoreError> {
        let from = from.to_owned();
        let to = to.to_owned();
        self.run(move |connection| {
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
        let change = self.change(by, now);
        let from = from.clone();
        let to = to.clone();
        batch::transaction(&self.pool, move |connection| {
            Box::pin(async move { account::move_user(connection, change, &from, &to).await })
        })
        .await
    }

    async fn revoke_sessions(
        &self,
        by: Authority,
        all: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let change = self.change(by, now);
        batch::transaction(&self.pool, move |connection| {
            Box::pin(account::revoke_sessions(connection, change, all))
        })
        .await
    }

    async fn count_ended_session(&self, user: UserId) -> Result<(), StoreError> {
        self.run(move |connection| {
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
        batch::transaction(&self.pool, move |connection| {
            Box::pin(account::disable(connection, id, disabled, now))
        })
        .await
    }

    async fn remove_user(&self, id: UserId) -> Result<bool, StoreError> {
        batch::transaction(&self.pool, move |connection| {
            Box::pin(account::remove(connection, id))
        })
        .await
    }
}

impl PostgresStore {
    fn change(&self, by: Authority, now: Timestamp) -> Change {
        Change {
            by,
            sessions_apart: self.sessions_apart,
            now,
        }
    }
}

/// Adds a user or gives the known one the rest of the identity, and the password if there is one.
async fn put(
    connection: &mut PgConnection,
    user: &User,
    password: Option<&str>,
) -> Result<UserId, Failure> {
    let address = Address::known_by(&user.identity.issuer, &user.identity.subject)
        .filter(|_| password.is_some());
    if let Some(address) = &address {
        links::lock_open(connection, address).await?;
    }
    let row = sqlx::query(
        "insert into users (id, issuer, subject, name, email, password, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (issuer, subject) do update set name = excluded.name, email = excluded.email,
             password = coalesce(excluded.password, users.password),
             valid_from = case when excluded.password is null then users.valid_from
                 else greatest(excluded.created_at, users.valid_from + 1) end,
             revision = users.revision + case when excluded.password is null then 0 else 1 end
         returning id",
    )
    .bind(user.id.as_bytes())
    .bind(&user.identity.issuer)
    .bind(&user.identity.subject)
    .bind(&user.identity.name)
    .bind(&user.identity.email)
    .bind(password)
    .bind(user.created_at.as_millis())
    .fetch_one(&mut *connection)
    .await?;
    let id = UserId::from_bytes(Reading::new("users", &row).bytes("id")?);
    if let (Some(address), false) = (address, id == user.id) {
        links::revoke(connection, &address, None).await?;
    }
    Ok(id)
}
