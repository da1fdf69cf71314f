//! One shared connection, opened again when it is lost.
//!
//! The driver has a manager of connections, but a reconnect that Redis answers with an error (too
//! many clients, a password that is just being changed) is the last one it tries. Here every call
//! that finds no connection starts an attempt, or waits for the one that is under way: so a Redis
//! that is away costs each caller a few seconds at most, and one that is back is used by the next
//! call.

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, PushInfo, PushKind, RedisError,
    ScriptInvocation, aio::MultiplexedConnection,
};
use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How long connecting may take, with the greeting and the password.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// One shared connection.
pub(super) struct RedisConnection {
    client: Client,
    current: Mutex<Attempt>,
}

/// A connection that is being made, or has been, or could not be.
type Attempt = Shared<BoxFuture<'static, Result<OpenConnection, RedisError>>>;

#[derive(Clone)]
struct OpenConnection {
    redis: MultiplexedConnection,
    lost: Arc<AtomicBool>,
}

impl RedisConnection {
    /// Connects.
    pub(super) async fn open(client: Client) -> Result<Self, RedisError> {
        let attempt = connect(client.clone());
        attempt.clone().await?;
        Ok(Self {
            client,
            current: Mutex::new(attempt),
        })
    }

    /// Calls the script. An error may mean that only the answer was lost.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, RedisError> {
        let OpenConnection { mut redis, lost } = self.attempt().await?;
        let answer = call.invoke_async(&mut redis).await;
        if let Err(error) = &answer
            && (error.is_io_error() || error.is_unrecoverable_error())
        {
            lost.store(true, Ordering::Relaxed);
        }
        answer
    }

    /// Sends one command that is no script.
    pub(super) async fn query<T: FromRedisValue>(
        &self,
        command: &redis::Cmd,
    ) -> Result<T, RedisError> {
        command.query_async(&mut self.attempt().await?.redis).await
    }

    /// The attempt that is under way or has succeeded, or a new one.
    fn attempt(&self) -> Attempt {
        // Nothing in here panics half-way through a change.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let over = match current.peek() {
            Some(Ok(connection)) => connection.lost.load(Ordering::Relaxed),
            Some(Err(_)) => true,
            None => false,
        };
        if over {
            *current = connect(self.client.clone());
        }
        current.clone()
    }
}

fn connect(client: Client) -> Attempt {
    let lost = Arc::<AtomicBool>::default();
    let noticed = lost.clone();
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_WITHIN))
        .set_response_timeout(Some(ANSWER_WITHIN))
        // Redis may close an idle connection. Noticing that at once means that no call fails.
        .set_push_sender(move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                noticed.store(true, Ordering::Relaxed);
            }
            Ok::<_, redis::aio::SendError>(())
        });
    let attempt = async move {
        let redis = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(OpenConnection { redis, lost })
    };
    let attempt = attempt.boxed().shared();
    // It goes on if the caller goes away meanwhile: the next one waits for what is left, not for an
    // attempt that stood still and is out of time.
    tokio::spawn(attempt.clone().map(drop));
    attempt
}

impl fmt::Debug for RedisConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client knows the password.
        f.write_str("RedisConnection")
    }
}

/// What Redis or the network says, for a line of a log.
pub(super) fn in_one_line(error: &RedisError) -> String {
    error
        .to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
