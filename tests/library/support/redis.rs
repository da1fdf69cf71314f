//! The Redis that tests share: each test has a prefix, and so all of its keys, to itself.

use super::WatchedClock;
use redis::{Cmd, FromRedisValue, aio::MultiplexedConnection};
use std::{
    env,
    io::{self, Write as _},
    sync::{Arc, Once},
};
use vestibule::{
    secret::{SystemEntropy, random},
    store::redis::RedisSessions,
};

/// Names a Redis that is the tests' own.
const VARIABLE: &str = "VESTIBULE_TEST_REDIS";

/// The part of the tests' Redis under one prefix.
pub struct Redis {
    pub url: String,
    pub prefix: String,
}

/// A prefix of its own; `None` where no Redis is configured. CI requires one.
pub fn redis() -> Option<Redis> {
    static SAID: Once = Once::new();
    let Ok(url) = env::var(VARIABLE) else {
        let all = env::var("CI").is_ok_and(|value| value == "true" || value == "1");
        assert!(
            !all,
            "{VARIABLE} is not set, so sessions in Redis are not tested"
        );
        SAID.call_once(|| {
            // Not `eprintln`: the harness hides it if the test succeeds.
            let _ = writeln!(
                io::stderr(),
                "{VARIABLE} is not set: sessions in Redis are left out"
            );
        });
        return None;
    };
    let prefix = format!("test:{:032x}:", u128::from_be_bytes(random(&SystemEntropy)));
    Some(Redis { url, prefix })
}

impl Redis {
    /// The sessions under this prefix. Time stands still for them.
    pub async fn sessions(&self) -> Arc<RedisSessions> {
        let clock = Arc::<WatchedClock>::default();
        Arc::new(
            RedisSessions::open(&self.url, clock, &*self.prefix)
                .await
                .expect("the tests' Redis can be used"),
        )
    }

    /// A connection of the test's own, past the store.
    pub async fn raw(&self) -> MultiplexedConnection {
        let client = redis::Client::open(&*self.url).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Runs one command past the store.
    pub async fn run<T: FromRedisValue>(&self, command: &Cmd) -> T {
        command.query_async(&mut self.raw().await).await.unwrap()
    }

    /// All keys under this prefix.
    pub async fn keys(&self) -> Vec<String> {
        self.run(redis::cmd("KEYS").arg(format!("{}*", self.prefix)))
            .await
    }

    /// Its address, without a name and a password.
    pub fn host(&self) -> String {
        let (_, rest) = self.url.split_once("://").expect("a URL");
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        host.split('/').next().unwrap_or(host).to_owned()
    }

    /// Makes a user who may do everything, with a unique name.
    pub async fn user(&self, password: &str) -> String {
        let name = self.prefix.replace(':', "");
        let mut user = redis::cmd("ACL");
        user.arg("SETUSER")
            .arg(&name)
            .arg("on")
            .arg(format!(">{password}"))
            .arg(&["~*", "&*", "+@all"]);
        self.run::<()>(&user).await;
        name
    }

    pub async fn forget_user(&self, name: &str) {
        self.run::<u32>(redis::cmd("ACL").arg("DELUSER").arg(name))
            .await;
    }
}
