//! Sessions in SQLite. A change is one statement that names the revision it came from.

use super::SqliteStore;
use crate::{
    clock::Timestamp,
    secret::SecretHash,
    session::{Session, SessionId},
    store::{
        SessionStore, StoreError,
        row::{self, SessionColumns},
        statements::{ESTABLISHED_SESSIONS_OF_USER, SESSION_BY_ID, SESSION_BY_SECRET},
    },
    user::UserId,
};
use async_trait::async_trait;
use sqlx::SqliteConnection;

#[async_trait]
impl SessionStore for SqliteStore {
    async fn session_by_secret(&self, secret: &SecretHash) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query(SESSION_BY_SECRET)
            .bind(secret.as_slice())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| row::session(&row)).transpose()
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let select = sqlx::query(SESSION_BY_ID).bind(id.as_slice());
        let row = select.fetch_optional(&self.readers).await?;
        row.map(|row| row::session(&row)).transpose()
    }

    async fn insert_session(&self, session: &Session) -> Result<bool, StoreError> {
        self.write(session.clone(), |connection, session| {
            Box::pin(insert(connection, session))
        })
        .await
    }

    async fn replace_session(&self, next: &Session) -> Result<bool, StoreError> {
        self.write(next.clone(), |connection, next| {
            Box::pin(replace(connection, next))
        })
        .await
    }

    async fn delete_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.write(id, |connection, &id| Box::pin(delete(connection, id)))
            .await
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let rows = sqlx::query(ESTABLISHED_SESSIONS_OF_USER)
            .bind(user.as_slice())
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| row::session(row)).collect()
    }

    async fn delete_sessions_of(
        &self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.write((user, but), |connection, (user, but)| {
            Box::pin(async move {
                let delete =
                    sqlx::query("delete from sessions where user_id = $1 and id is not $2")
                        .bind(user.as_slice())
                        .bind(but.as_ref().map(SessionId::as_slice));
                delete.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        // A pending session never goes before its confirmation is decided.
        let sweep = "delete from sessions where id in (
                         select id from sessions where expires_at <= $1 and (state <> 'pending' or not exists (
                             select 1 from confirmations
                             where secret = sessions.secret and session = sessions.id and state = 'queued'))
                         order by expires_at limit $2)";
        self.sweep(sweep, now).await
    }
}

/// `false` if its secret is another session's.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    session: &Session,
) -> Result<bool, StoreError> {
    let columns = SessionColumns::of(session);
    let inserted = sqlx::query(
        "insert into sessions
             (id, revision, state, secret, user_id, token_tag, created_at, last_seen_at, former, former_until, expires_at, device)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing",
    )
    .bind(columns.id)
    .bind(columns.revision)
    .bind(columns.state)
    .bind(columns.secret)
    .bind(columns.user)
    .bind(columns.token_tag)
    .bind(columns.created_at)
    .bind(columns.last_seen_at)
    .bind(columns.former)
    .bind(columns.former_until)
    .bind(columns.expires_at)
    .bind(columns.device)
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Compare-and-set: only if the session is at the revision before that of `next`.
pub(super) async fn replace(
    connection: &mut SqliteConnection,
    next: &Session,
) -> Result<bool, StoreError> {
    let columns = SessionColumns::of(next);
    let replaced = sqlx::query(
        "update sessions set revision = $1, state = $2, secret = $3, user_id = $4, last_seen_at = $5, former = $6,
             former_until = $7, expires_at = $8, device = $9
         where id = $10 and revision = $1 - 1",
    )
    .bind(columns.revision)
    .bind(columns.state)
    .bind(columns.secret)
    .bind(columns.user)
    .bind(columns.last_seen_at)
    .bind(columns.former)
    .bind(columns.former_until)
    .bind(columns.expires_at)
    .bind(columns.device)
    .bind(columns.id)
    .execute(connection)
    .await?;
    Ok(replaced.rows_affected() == 1)
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    id: SessionId,
) -> Result<(), StoreError> {
    sqlx::query("delete from sessions where id = $1")
        .bind(id.as_slice())
        .execute(connection)
        .await?;
    Ok(())
}
