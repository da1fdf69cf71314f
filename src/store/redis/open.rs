//! Opening: connect, greet, and see whether Redis is fit for sessions.

use super::{RedisConnection, RedisSessions, Scripts, connection::in_one_line};
use crate::clock::Clock;
use redis::{Client, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion};
use rustls::crypto::CryptoProvider;
use std::sync::Arc;

/// Redis cannot be used. No error says more of its address than the operator may see in a log.
#[derive(Debug, thiserror::Error)]
pub enum RedisOpenError {
    /// The address is none.
    #[error("is no address of a Redis server, such as redis://user:password@localhost:6379/0")]
    Address,
    /// It cannot be reached, or refuses the password.
    #[error("cannot be used: {0}")]
    Cannot(String),
    /// It is to be reached by TLS, and the process has not chosen its cryptography.
    #[error(
        "needs a cryptography provider for TLS: have your program call \
         rustls::crypto::ring::default_provider().install_default() when it starts"
    )]
    NoCryptoProvider,
    /// It is a cluster, which has the keys of one session on different nodes.
    #[error("is a Redis cluster; sessions need a single Redis server, perhaps with replicas")]
    Cluster,
}

impl RedisSessions {
    /// Connects to the Redis at `url` (`redis://user:password@host:6379/0`, or `rediss://` with TLS
    /// and the system's certificate authorities; the program has to have chosen the process-wide
    /// cryptography of rustls then). All keys begin with `prefix`. The `clock` is the
    /// one that sessions expire by.
    ///
    /// # Errors
    /// [`RedisOpenError`] says in one line why it cannot be used, without the password.
    pub async fn open(
        url: &str,
        clock: Arc<dyn Clock>,
        prefix: impl Into<String>,
    ) -> Result<Self, RedisOpenError> {
        let address = url
            .into_connection_info()
            .map_err(|_| RedisOpenError::Address)?;
        // The driver goes by the choice of the process, and panics, or chooses for the whole
        // process, where there is none.
        let is_tls = matches!(address.addr(), ConnectionAddr::TcpTls { .. });
        if is_tls && CryptoProvider::get_default().is_none() {
            return Err(RedisOpenError::NoCryptoProvider);
        }
        // RESP3, for then the driver tells when it has lost the connection.
        let settings = address
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(address.set_redis_settings(settings))
            .map_err(|_| RedisOpenError::Address)?;
        let connection = RedisConnection::open(client)
            .await
            .map_err(|error| RedisOpenError::Cannot(in_one_line(&error)))?;
        check(&connection).await?;
        let sessions = Self {
            connection,
            scripts: Scripts::new(),
            prefix: prefix.into(),
            clock,
        };
        // Finds nothing. If this Redis user may not run scripts, it fails here, not at the first
        // sign-in.
        let mut probe = sessions.call(&sessions.scripts.sweep);
        let probe = sessions
            .connection
            .ask::<(u32, u64)>(probe.arg(i64::MIN).arg(0))
            .await;
        probe.map_err(|error| RedisOpenError::Cannot(in_one_line(&error)))?;
        Ok(sessions)
    }
}

async fn check(connection: &RedisConnection) -> Result<(), RedisOpenError> {
    // Hosted services may refuse INFO. Then we rely on what the operator says.
    let info: String = connection
        .query(&redis::cmd("INFO"))
        .await
        .unwrap_or_default();
    if says(&info, "cluster_enabled").is_some_and(|enabled| enabled != "0") {
        return Err(RedisOpenError::Cluster);
    }
    if says(&info, "maxmemory_policy").is_some_and(|policy| policy != "noeviction") {
        tracing::warn!(
            "a full Redis drops sessions as it likes; set maxmemory-policy to noeviction"
        );
    }
    Ok(())
}

/// What Redis says of itself under `name`.
fn says<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_redis_says_of_itself_is_found_by_its_whole_name() {
        let info = "# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n# Cluster\r\ncluster_enabled:1\r\n";
        assert_eq!(says(info, "maxmemory"), Some("0"));
        assert_eq!(says(info, "maxmemory_policy"), Some("allkeys-lru"));
        assert_eq!(says(info, "cluster_enabled"), Some("1"));
        assert_eq!(says(info, "cluster"), None);
    }
}
