//! `/readyz` says which part is down, and `/healthz` goes on answering.

use crate::support::{Browser, Database, Process, Validator, free_port};
use std::time::Duration;

const READY: &str = "database: ok\nsessions: ok\nworker: ok\n";

#[tokio::test]
async fn a_server_with_all_that_it_needs_is_ready() {
    let port = free_port();
    let database = Database::sqlite();
    let validator = Validator::taking(Duration::ZERO).await;
    let _process = Process::serving(port, &database, &validator, &[]).await;
    assert_eq!(
        Browser::at(port).look("/readyz").await,
        (200, READY.to_owned())
    );
}

#[tokio::test]
async fn a_part_that_is_down_is_named_and_the_others_are_not() {
    let Some(database) = Database::postgres(true).await else {
        return;
    };
    let port = free_port();
    let validator = Validator::taking(Duration::ZERO).await;
    let _process = Process::serving(port, &database, &validator, &[]).await;
    let browser = Browser::at(port);
    assert_eq!(browser.look("/readyz").await, (200, READY.to_owned()));
    database.drop().await;
    assert_eq!(
        browser.look("/readyz").await,
        (503, "database: down\nsessions: ok\nworker: ok\n".to_owned())
    );
    assert_eq!(browser.look("/healthz").await.0, 200);
}
