//! Sessions in PostgreSQL. A change is one statement that names the revisions it came from, for one
//! session or for many.

use super::{PostgresStore, SWEEP, connection::Failure};
use crate::{
    clock::Timestamp,
    secret::SecretHash,
    session::{Session, SessionId},
    store::{
        SessionStore, SessionUserStore, SessionWithUser, StoreError,
        row::{self, SessionColumns},
        statements::{
            ESTABLISHED_SESSIONS_OF_USER, SESSION_BY_ID, SESSION_BY_SECRET, session_columns,
            session_user_columns,
        },
    },
    user::UserId,
};
use async_trait::async_trait;
use sqlx::PgConnection;
use std::collections::HashMap;

/// `$1`: the hash of the session's secret, or of the one that it had before.
const SESSION_WITH_USER: &str = concat!(
    "select ",
    session_user_columns!(),
    " from sessions left join users on users.id = user_id where secret = $1 or former = $1"
);

#[async_trait]
impl SessionUserStore for PostgresStore {
    async fn session_with_user(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<SessionWithUser>, StoreError> {
        let secret = *secret;
        self.run(move |connection| {
            Box::pin(async move {
                let select = sqlx::query(SESSION_WITH_USER).bind(secret.as_slice());
                let row = select.fetch_optional(connection).await?;
                Ok(row.map(|row| row::session_with_user(&row)).transpose()?)
            })
        })
        .await
    }
}

#[async_trait]
impl SessionStore for PostgresStore {
    async fn session_by_secret(&self, secret: &SecretHash) -> Result<Option<Session>, StoreError> {
        let secret = *secret;
        self.run(move |connection| {
            Box::pin(async move {
                let select = sqlx::query(SESSION_BY_SECRET).bind(secret.as_slice());
                let row = select.fetch_optional(connection).await?;
                Ok(row.map(|row| row::session(&row)).transpose()?)
            })
        })
        .await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let select = sqlx::query(SESSION_BY_ID).bind(id.as_slice());
                let row = select.fetch_optional(connection).await?;
                Ok(row.map(|row| row::session(&row)).transpose()?)
            })
        })
        .await
    }

    async fn insert_session(&self, session: &Session) -> Result<bool, StoreError> {
        let session = session.clone();
        self.run(|connection| {
            Box::pin(async move { Ok(insert(connection, &[&session]).await? == 1) })
        })
        .await
    }

    async fn replace_session(&self, next: &Session) -> Result<bool, StoreError> {
        let next = next.clone();
        self.run(|connection| {
            Box::pin(async move { Ok(replace(connection, &[&next]).await? == 1) })
        })
        .await
    }

    async fn delete_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.run(move |connection| Box::pin(async move { delete(connection, &[id]).await }))
            .await
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let select = sqlx::query(ESTABLISHED_SESSIONS_OF_USER).bind(user.as_slice());
                let rows = select.fetch_all(connection).await?;
                Ok(rows
                    .iter()
                    .map(|row| row::session(row))
                    .collect::<Result<_, _>>()?)
            })
        })
        .await
    }

    async fn delete_sessions_of(
        &self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.run(move |connection| Box::pin(async move { delete_of(connection, user, but).await }))
            .await
    }

    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        // A pending session never goes before its confirmation is decided.
        let sweep = "delete from sessions where id in (
                         select id from sessions where expires_at <= $1 and (state <> 'pending' or not exists (
                             select from confirmations
                             where secret = sessions.secret and session = sessions.id and state = 'queued'))
                         order by expires_at limit $2 for update skip locked)";
        self.sweep(sweep, now).await
    }
}

impl PostgresStore {
    /// Repeats `sweep`, which deletes up to `$2` rows older than `$1`, until nothing is left for
    /// it.
    pub(super) async fn sweep(
        &self,
        sweep: &'static str,
        before: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut swept = 0;
        loop {
            let count = self
                .run(move |connection| {
                    Box::pin(async move {
                        let delete = sqlx::query(sweep).bind(before.as_millis()).bind(SWEEP);
                        Ok(delete.execute(connection).await?.rows_affected())
                    })
                })
                .await?;
            swept += count;
            if count < SWEEP.unsigned_abs() {
                return Ok(swept);
            }
        }
    }
}

/// Reads sessions and locks them until the end of the transaction.
pub(super) async fn lock(
    connection: &mut PgConnection,
    ids: &[SessionId],
) -> Result<HashMap<SessionId, Session>, Failure> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<_> = ids.iter().map(SessionId::as_slice).collect();
    let lock = concat!(
        "select ",
        session_columns!(),
        " from sessions where id = any($1) order by id for update"
    );
    let rows = sqlx::query(lock).bind(ids).fetch_all(connection).await?;
    let keyed = |session: Session| (session.id, session);
    Ok(rows
        .iter()
        .map(|row| row::session(row).map(keyed))
        .collect::<Result<_, _>>()?)
}

/// Keeps those that share no id and no secret with another, and returns how many.
pub(super) async fn insert(
    connection: &mut PgConnection,
    sessions: &[&Session],
) -> Result<u64, Failure> {
    if sessions.is_empty() {
        return Ok(0);
    }
    let columns: Vec<_> = sessions
        .iter()
        .map(|session| SessionColumns::of(session))
        .collect();
    let inserted = sqlx::query(
        "insert into sessions
             (id, revision, state, secret, user_id, token_tag, created_at, last_seen_at, former, former_until, expires_at, device)
         select * from unnest($1::bytea[], $2::bigint[], $3::text[], $4::bytea[], $5::bytea[], $6::bytea[],
             $7::bigint[], $8::bigint[], $9::bytea[], $10::bigint[], $11::bigint[], $12::text[])
         on conflict do nothing",
    )
    .bind(columns.iter().map(|session| session.id).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.revision).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.state).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.secret).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.user).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.token_tag).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.created_at).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.last_seen_at).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.former).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.former_until).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.expires_at).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.device).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected())
}

/// Compare-and-set: replaces those that are at the revision before that of `next`, and returns how
/// many.
pub(super) async fn replace(
    connection: &mut PgConnection,
    next: &[&Session],
) -> Result<u64, Failure> {
    if next.is_empty() {
        return Ok(0);
    }
    let columns: Vec<_> = next
        .iter()
        .map(|session| SessionColumns::of(session))
        .collect();
    let replaced = sqlx::query(
        "update sessions set revision = next.revision, state = next.state, secret = next.secret,
             user_id = next.user_id, last_seen_at = next.last_seen_at, former = next.former, former_until = next.former_until,
             expires_at = next.expires_at, device = next.device
         from unnest($1::bytea[], $2::bigint[], $3::text[], $4::bytea[], $5::bytea[], $6::bigint[], $7::bytea[],
                     $8::bigint[], $9::bigint[], $10::text[])
             as next (id, revision, state, secret, user_id, last_seen_at, former, former_until, expires_at, device)
         where sessions.id = next.id and sessions.revision = next.revision - 1",
    )
    .bind(columns.iter().map(|session| session.id).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.revision).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.state).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.secret).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.user).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.last_seen_at).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.former).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.former_until).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.expires_at).collect::<Vec<_>>())
    .bind(columns.iter().map(|session| session.device).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(replaced.rows_affected())
}

/// Deletes sessions, whatever became of them meanwhile.
pub(super) async fn delete(
    connection: &mut PgConnection,
    ids: &[SessionId],
) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = ids.iter().map(SessionId::as_slice).collect();
    sqlx::query("delete from sessions where id = any($1)")
        .bind(ids)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes all sessions of the user, but for `but`.
pub(super) async fn delete_of(
    connection: &mut PgConnection,
    user: UserId,
    but: Option<SessionId>,
) -> Result<(), Failure> {
    let delete = sqlx::query(
        "delete from sessions where id in (
             select id from sessions where user_id = $1 and id is distinct from $2 order by id for update)",
    );
    let but = but.as_ref().map(SessionId::as_slice);
    delete
        .bind(user.as_bytes())
        .bind(but)
        .execute(connection)
        .await?;
    Ok(())
}
