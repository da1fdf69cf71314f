//! All servers measure leases by the database's time.

use crate::support::{Postgres, soon};
use std::time::Duration;
use vestibule::clock::Clock as _;

/// More than a round trip takes on a busy machine.
const CLOSE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn the_time_is_the_databases_whatever_becomes_of_the_connection() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let one = database.open().await.clock();
    let other = database.open().await.clock();
    let now = sqlx::query_scalar::<_, i64>(
        "select (extract(epoch from clock_timestamp()) * 1000)::bigint",
    );
    let now = vestibule::clock::Timestamp::from_millis(
        now.fetch_one(&mut database.raw().await).await.unwrap(),
    );
    database.close().await;
    for clock in [one, other] {
        let difference = clock.now().since(now).max(now.since(clock.now()));
        assert!(difference < CLOSE, "{difference:?}");
        soon(
            "the clock to go on",
            clock.sleep_until(clock.now() + Duration::from_millis(5)),
        )
        .await;
    }
}
