//! A Redis that cannot be used stops the start with one line that contains no password.

use super::now;
use crate::support::{WatchedClock, redis};
use redis::cmd;
use std::{net::TcpListener, sync::Arc};
use vestibule::store::{
    SessionStore as _,
    redis::{RedisOpenError, RedisSessions},
};

const PASSWORD: &str = "correct-horse";

async fn open(url: &str) -> Result<RedisSessions, RedisOpenError> {
    RedisSessions::open(url, Arc::<WatchedClock>::default(), "test:").await
}

async fn refused(url: &str) -> RedisOpenError {
    let error = open(url).await.expect_err("it cannot be used");
    let told = error.to_string();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(
        !told.contains(PASSWORD) && !format!("{error:?}").contains(PASSWORD),
        "{told}"
    );
    error
}

#[tokio::test]
async fn what_is_no_address_is_said_to_be_none() {
    for url in [
        "",
        "localhost",
        "http://u:correct-horse@localhost",
        "redis://u:correct-horse@localhost/first",
        "redis://",
    ] {
        assert!(
            matches!(refused(url).await, RedisOpenError::Address),
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_one_line() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = refused(&format!("redis://u:{PASSWORD}@{closed}/")).await;
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_redis_that_speaks_no_tls_is_one_line() {
    let Some(corner) = redis() else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("rediss://u:{PASSWORD}@{}/", corner.host());
    assert!(matches!(refused(&url).await, RedisOpenError::Cannot(_)));
}

#[tokio::test]
async fn a_wrong_password_is_one_line() {
    let Some(corner) = redis() else { return };
    let user = corner.user("correct").await;
    let error = refused(&format!("redis://{user}:{PASSWORD}@{}/", corner.host())).await;
    assert!(
        error.to_string().to_lowercase().contains("password"),
        "{error}"
    );
    let sessions = open(&format!("redis://{user}:correct@{}/", corner.host()))
        .await
        .expect("the right one");
    assert_eq!(sessions.sweep_sessions(now()).await.unwrap(), 0);
    corner.forget_user(&user).await;
}

#[tokio::test]
async fn a_user_who_may_run_no_scripts_is_told_at_the_start() {
    let Some(corner) = redis() else { return };
    let user = corner.user(PASSWORD).await;
    corner
        .run::<()>(cmd("ACL").arg("SETUSER").arg(&user).arg("-@scripting"))
        .await;
    let error = refused(&format!("redis://{user}:{PASSWORD}@{}/", corner.host())).await;
    assert!(error.to_string().contains("permissions"), "{error}");
    corner.forget_user(&user).await;
}
