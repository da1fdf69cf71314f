//! Users in SQLite.

use super::{SqliteStore, links};
use crate::{
    clock::Timestamp,
    link::Address,
    store::{
        StoreError,
        row::{self, Reading},
    },
    user::{Moved, PASSWORD_ISSUER, User, UserId, UserStore, key_after},
};
use async_trait::async_trait;
use sqlx::{SqliteConnection, sqlite::SqliteRow};

#[async_trait]
impl UserStore for SqliteStore {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row =
            sqlx::query("select id, issuer, subject, name, email, since, disabled, valid_from from users where id = ?")
                .bind(id.as_bytes().as_slice())
                .fetch_optional(&self.readers)
                .await?;
        row.map(|row| row::user(&row)).transpose()
    }

    async fn user_by_identity(&self, issuer: &str, subject: &str) -> Result<Option<User>, StoreError> {
        let row = sqlx::query(
            "select id, issuer, subject, name, email, since, disabled, valid_from from users where issuer = ? and subject = ?",
        )
        .bind(issuer)
        .bind(subject)
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| row::user(&row)).transpose()
    }

    async fn password(&self, subject: &str) -> Result<Option<(UserId, String)>, StoreError> {
        let row = sqlx::query(
            "select id, password from users where issuer = ? and subject = ? and password is not null and disabled = 0",
        )
        .bind(PASSWORD_ISSUER)
        .bind(subject)
        .fetch_optional(&self.readers)
        .await?;
        let read = |row: SqliteRow| {
            let row = Reading::new("users", &row);
            Ok((UserId::from_bytes(row.bytes("id")?), row.text("password")?.to_owned()))
        };
        row.map(read).transpose()
    }

    async fn put_user(&self, user: &User, password: Option<&str>) -> Result<UserId, StoreError> {
        let (user, password) = (user.clone(), password.map(str::to_owned));
        self.write(move |connection| {
            let (user, password) = (user.clone(), password.clone());
            Box::pin(async move { put(connection, &user, password.as_deref()).await })
        })
        .await
    }

    async fn users(&self, after: Option<&User>, limit: u32) -> Result<Vec<User>, StoreError> {
        let (issuer, subject) = key_after(after);
        let rows = sqlx::query(
            "select id, issuer, subject, name, email, since, disabled, valid_from from users where (issuer, subject) > (?, ?)
             order by issuer, subject limit ?",
        );
        let rows = rows.bind(issuer).bind(subject).bind(limit).fetch_all(&self.readers).await?;
        rows.iter().map(|row| row::user(row)).collect()
    }

    async fn set_password(&self, id: UserId, password: &str, now: Timestamp) -> Result<bool, StoreError> {
        let password = password.to_owned();
        self.write(move |connection| {
            let password = password.clone();
            Box::pin(async move {
                let set = sqlx::query("update users set password = ?, valid_from = ? where id = ?").bind(password);
                let set = set.bind(now.as_millis());
                Ok(set.bind(id.as_bytes().as_slice()).execute(connection).await?.rows_affected() == 1)
            })
        })
        .await
    }

    async fn move_user(&self, id: UserId, from: &Address, to: &Address, now: Timestamp) -> Result<Moved, StoreError> {
        let (from, to) = (from.clone(), to.clone());
        self.write(move |connection| {
            let (from, to) = (from.clone(), to.clone());
            Box::pin(async move { move_user(connection, id, (&from, &to), now).await })
        })
        .await
    }

    async fn disable_user(&self, id: UserId, disabled: bool, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let set = sqlx::query("update users set disabled = ?, valid_from = ? where id = ?").bind(disabled);
                let set = set.bind(now.as_millis());
                Ok(set.bind(id.as_bytes().as_slice()).execute(connection).await?.rows_affected() == 1)
            })
        })
        .await
    }

    async fn remove_user(&self, id: UserId) -> Result<bool, StoreError> {
        self.write(move |connection| Box::pin(remove(connection, id))).await
    }
}

/// Makes a user known by another address. Whatever was sent to the former one is taken back.
async fn move_user(
    connection: &mut SqliteConnection,
    id: UserId,
    (from, to): (&Address, &Address),
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let find = "select id, subject from users where issuer = ?1 and (subject = ?2 or subject = ?3)";
    let find = sqlx::query(find).bind(PASSWORD_ISSUER).bind(from.as_str()).bind(to.as_str());
    let rows = find.fetch_all(&mut *connection).await?;
    let moved = row::moved(&rows, id, from, to)?;
    if moved == Moved::Done {
        let rename = "update users set subject = ?, email = ?, valid_from = ? where id = ?";
        let rename = sqlx::query(rename).bind(to.as_str()).bind(to.typed()).bind(now.as_millis());
        rename.bind(id.as_bytes().as_slice()).execute(&mut *connection).await?;
        links::take_back(connection, from, false).await?;
    }
    Ok(moved)
}

/// Removes the user; their sessions go with them, by the reference that holds them.
async fn remove(connection: &mut SqliteConnection, id: UserId) -> Result<bool, StoreError> {
    let delete = sqlx::query("delete from users where id = ? returning issuer, subject");
    let Some(row) = delete.bind(id.as_bytes().as_slice()).fetch_optional(&mut *connection).await? else {
        return Ok(false);
    };
    let address = {
        let row = Reading::new("users", &row);
        Address::known_by(row.text("issuer")?, row.text("subject")?)
    };
    if let Some(address) = address {
        links::take_back(connection, &address, false).await?;
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
             valid_from = iif(excluded.password is null, valid_from, excluded.since)
         returning id",
    )
    .bind(user.id.as_bytes().as_slice())
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
