//! Sessions in Redis, shared by any number of servers. Confirmations and users stay in the
//! database: see [`Stores::with_external_sessions`](super::Stores::with_external_sessions).
//!
//! | key, after the prefix | holds |
//! |---|---|
//! | `session:{id}` | a hash with the columns of a row of `sessions`, but for the id |
//! | `secret:{hash}` | the id of the session with this secret, or this former secret |
//! | `user:{id}` | the set of the ids of the user's bound and established sessions |
//! | `expiries` | the ids of all sessions, sorted by when they expire: what the sweeper reads |
//!
//! A change touches several of them, so each is one Lua script: Redis runs nothing beside it, and
//! what is compared is still true when it is set. Beside the sweeper, each key but the last expires
//! by itself soon after its session, so nothing stays for ever without a sweep.
//!
//! The network may lose an answer: a call that returned [`Unavailable`](StoreError::Unavailable)
//! may have been done. All methods are safe to repeat, and a caller that repeats one reads first.
//!
//! # What the operator sets
//!
//! - `maxmemory-policy noeviction`. Under any other, a full Redis drops sessions as it likes, or
//!   the set by which a user signs out everywhere. [`open`](RedisSessions::open) warns of it.
//! - No cluster: the keys of one session are on different nodes there, and no script may touch them
//!   all.
//! - `appendonly yes`, if a restart must not sign anyone out. Without it, the sessions since the
//!   last snapshot are gone: pending ones have to begin again, established ones to sign in again. A
//!   session that was deleted since then is back: a user who had signed out is signed in again in a
//!   browser that has kept its cookie. `save ""` beside `appendonly no` rules that out: a restart
//!   then forgets every session, which signs people out and never in.
//! - A replica that takes over, and an append-only file after a power cut (`appendfsync everysec`),
//!   may have missed the last writes, with the same two consequences.
//! - Redis 6 or newer, or Valkey.

mod connection;
mod hash;
mod open;
mod scripts;

pub use open::RedisOpenError;

use super::{
    StoreError,
    row::{self, SessionColumns},
};
use crate::{
    clock::{Clock, Timestamp},
    secret::SecretHash,
    session::{Session, SessionId, SessionState},
    store::SessionStore,
    user::UserId,
};
use async_trait::async_trait;
use connection::RedisConnection;
use hash::Hash;
use redis::{FromRedisValue, Script, ScriptInvocation};
use scripts::Scripts;
use std::{sync::Arc, time::Duration};

/// Sessions in Redis.
#[derive(Debug)]
pub struct RedisSessions {
    connection: RedisConnection,
    scripts: Scripts,
    prefix: String,
    clock: Arc<dyn Clock>,
}

/// How long a key outlives its session, for the sweeper to come first and for clocks that differ.
const SLACK: Duration = Duration::from_mins(5);
/// How many sessions are swept while all other calls wait.
const BATCH: u32 = 500;

impl RedisSessions {
    /// A call of `script`. All of them are told the prefix first.
    fn call<'s>(&self, script: &'s Script) -> ScriptInvocation<'s> {
        script.arg(&self.prefix)
    }

    async fn ask<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        self.connection.ask(call).await.map_err(StoreError::from)
    }

    async fn find(&self, call: &ScriptInvocation<'_>) -> Result<Option<Session>, StoreError> {
        let hash: Option<Hash> = self.ask(call).await?;
        hash.map(|hash| row::session(&hash)).transpose()
    }

    /// Runs a script that keeps `session`.
    async fn keep(&self, script: &Script, session: &Session) -> Result<bool, StoreError> {
        // Relative, and by the clock that everything else goes by: Redis' own may differ.
        let lasts = session.expires_at.since(self.clock.now()) + SLACK;
        let columns = SessionColumns::of(session);
        let mut call = self.call(script);
        call.arg(hash::id_in_key(columns.id))
            .arg(u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX));
        for (column, value) in hash::fields(&columns) {
            call.arg(column).arg(value);
        }
        self.ask(&call).await
    }
}

#[async_trait]
impl SessionStore for RedisSessions {
    async fn session_by_secret(&self, secret: &SecretHash) -> Result<Option<Session>, StoreError> {
        self.find(self.call(&self.scripts.by_secret).arg(secret.as_slice()))
            .await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.find(self.call(&self.scripts.by_id).arg(id.to_string()))
            .await
    }

    async fn insert_session(&self, session: &Session) -> Result<bool, StoreError> {
        self.keep(&self.scripts.insert, session).await
    }

    async fn replace_session(&self, next: &Session) -> Result<bool, StoreError> {
        self.keep(&self.scripts.replace, next).await
    }

    async fn delete_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.ask(self.call(&self.scripts.delete).arg(id.to_string()))
            .await
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let hashes: Vec<Hash> = self
            .ask(self.call(&self.scripts.of_user).arg(user.to_string()))
            .await?;
        let mut sessions = Vec::with_capacity(hashes.len());
        for hash in hashes {
            match row::session(&hash) {
                Ok(session) => sessions.push(session),
                // It signs no one in, and the user must see the other sessions to end them.
                Err(error) => tracing::error!(%error, "a session of the user is passed by"),
            }
        }
        sessions
            .retain(|session| matches!(session.state, SessionState::Established { user: owner, .. } if owner == user));
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        Ok(sessions)
    }

    async fn delete_sessions_of(
        &self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let but = but.map(|but| but.to_string()).unwrap_or_default();
        self.ask(
            self.call(&self.scripts.delete_of_user)
                .arg(user.to_string())
                .arg(but),
        )
        .await
    }

    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut swept = 0;
        loop {
            let mut call = self.call(&self.scripts.sweep);
            let (due, deleted): (u32, u64) = self.ask(call.arg(now.as_millis()).arg(BATCH)).await?;
            swept += deleted;
            if due < BATCH {
                return Ok(swept);
            }
        }
    }
}

/// An error of the driver says what Redis or the network says; it never holds an argument.
impl From<redis::RedisError> for StoreError {
    fn from(error: redis::RedisError) -> Self {
        Self::Unavailable(connection::in_one_line(&error))
    }
}
