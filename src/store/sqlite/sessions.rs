//! Sessions in SQLite. A change is one statement that names the revision it came from.

use super::{SqliteStore, row::Reading};
use crate::{
    clock::Timestamp,
    pending::TokenTag,
    secret::SecretHash,
    session::{Former, Session, SessionId, SessionState, SessionStore},
    store::StoreError,
    user::UserId,
};
use async_trait::async_trait;
use sqlx::{SqliteConnection, SqliteExecutor, sqlite::SqliteRow};

#[async_trait]
impl SessionStore for SqliteStore {
    async fn session_by_secret(&self, secret: &SecretHash) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query("select * from sessions where secret = ?1 or former = ?1")
            .bind(secret.as_bytes().as_slice())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| read(&row)).transpose()
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        get(&self.readers, id).await
    }

    async fn insert_session(&self, session: &Session) -> Result<(), StoreError> {
        let session = session.clone();
        self.write(move |connection| {
            let session = session.clone();
            Box::pin(async move { insert(connection, &session).await })
        })
        .await
    }

    async fn replace_session(&self, next: &Session) -> Result<bool, StoreError> {
        let next = next.clone();
        self.write(move |connection| {
            let next = next.clone();
            Box::pin(async move { replace(connection, &next).await })
        })
        .await
    }

    async fn delete_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.write(move |connection| Box::pin(delete(connection, id))).await
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let rows = sqlx::query("select * from sessions where user = ? and state = 'established' order by since desc")
            .bind(user.as_bytes().as_slice())
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read).collect()
    }

    async fn delete_sessions_of(&self, user: UserId) -> Result<(), StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let delete = sqlx::query("delete from sessions where user = ?");
                delete.bind(user.as_bytes().as_slice()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                // A pending session never goes before its confirmation is decided.
                let swept = sqlx::query(
                    "delete from sessions where expires <= ? and (state <> 'pending' or not exists (
                         select 1 from confirmations where session = sessions.id and state = 'queued'))",
                );
                Ok(swept.bind(now.as_millis()).execute(connection).await?.rows_affected())
            })
        })
        .await
    }
}

pub(super) async fn get(from: impl SqliteExecutor<'_>, id: SessionId) -> Result<Option<Session>, StoreError> {
    let select = sqlx::query("select * from sessions where id = ?");
    let row = select.bind(id.as_bytes().as_slice()).fetch_optional(from).await?;
    row.map(|row| read(&row)).transpose()
}

pub(super) async fn insert(connection: &mut SqliteConnection, session: &Session) -> Result<(), StoreError> {
    let columns = Columns::of(session);
    sqlx::query(
        "insert into sessions (id, revision, state, secret, user, token_tag, since, seen, former, former_until, expires)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(session.id.as_bytes().as_slice())
    .bind(revision(session.revision)?)
    .bind(columns.state)
    .bind(columns.secret.as_bytes().as_slice())
    .bind(columns.user.as_ref().map(|user| user.as_bytes().as_slice()))
    .bind(session.token_tag.as_ref().map(|tag| tag.as_bytes().as_slice()))
    .bind(session.since.as_millis())
    .bind(columns.seen.map(Timestamp::as_millis))
    .bind(columns.former.as_ref().map(|former| former.secret.as_bytes().as_slice()))
    .bind(columns.former.map(|former| former.until.as_millis()))
    .bind(session.expires.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Compare-and-set: only if the session is at the revision before that of `next`.
pub(super) async fn replace(connection: &mut SqliteConnection, next: &Session) -> Result<bool, StoreError> {
    let columns = Columns::of(next);
    let replaced = sqlx::query(
        "update sessions set revision = ?1, state = ?2, secret = ?3, user = ?4, seen = ?5, former = ?6,
             former_until = ?7, expires = ?8
         where id = ?9 and revision = ?1 - 1",
    )
    .bind(revision(next.revision)?)
    .bind(columns.state)
    .bind(columns.secret.as_bytes().as_slice())
    .bind(columns.user.as_ref().map(|user| user.as_bytes().as_slice()))
    .bind(columns.seen.map(Timestamp::as_millis))
    .bind(columns.former.as_ref().map(|former| former.secret.as_bytes().as_slice()))
    .bind(columns.former.map(|former| former.until.as_millis()))
    .bind(next.expires.as_millis())
    .bind(next.id.as_bytes().as_slice())
    .execute(connection)
    .await?;
    Ok(replaced.rows_affected() == 1)
}

pub(super) async fn delete(connection: &mut SqliteConnection, id: SessionId) -> Result<(), StoreError> {
    sqlx::query("delete from sessions where id = ?").bind(id.as_bytes().as_slice()).execute(connection).await?;
    Ok(())
}

fn revision(revision: u64) -> Result<i64, StoreError> {
    i64::try_from(revision).map_err(|_| StoreError::Unavailable("a session has been written too often".into()))
}

/// A state as it stands in a row.
struct Columns {
    state: &'static str,
    secret: SecretHash,
    user: Option<UserId>,
    seen: Option<Timestamp>,
    former: Option<Former>,
}

impl Columns {
    fn of(session: &Session) -> Self {
        match session.state {
            SessionState::Pending { secret } => Self { state: "pending", secret, user: None, seen: None, former: None },
            SessionState::Bound { secret, user } => {
                Self { state: "bound", secret, user: Some(user), seen: None, former: None }
            }
            SessionState::Established { secret, user, seen, former } => {
                Self { state: "established", secret, user: Some(user), seen: Some(seen), former }
            }
        }
    }
}

fn read(row: &SqliteRow) -> Result<Session, StoreError> {
    let row = Reading::new("sessions", row);
    let secret = SecretHash::from_bytes(row.bytes("secret")?);
    let user = row.optional_bytes("user")?.map(UserId::from_bytes);
    let state = match (row.get("state")?, user) {
        ("pending", None) => SessionState::Pending { secret },
        ("bound", Some(user)) => SessionState::Bound { secret, user },
        ("established", Some(user)) => {
            let former = match row.optional_bytes("former")? {
                Some(former) => {
                    Some(Former { secret: SecretHash::from_bytes(former), until: row.time("former_until")? })
                }
                None => None,
            };
            SessionState::Established { secret, user, seen: row.time("seen")?, former }
        }
        _ => return Err(row.corrupt("state and user fit no state")),
    };
    Ok(Session {
        id: SessionId::from_bytes(row.bytes("id")?),
        revision: row.number("revision")?,
        token_tag: row.optional_bytes("token_tag")?.map(TokenTag::from_bytes),
        since: row.time("since")?,
        expires: row.time("expires")?,
        state,
    })
}
