//! The caps hold for all servers on one database together.

use crate::support::{Postgres, Sample, admission, soon};
use sqlx::{Connection as _, PgConnection};
use vestibule::store::{ConfirmationQueue as _, ConfirmationStore as _};

/// Waits until `count` transactions wait for a lock.
async fn somebody_waits(raw: &mut PgConnection, count: i64) {
    let waiting = "select count(distinct pid) from pg_locks join pg_stat_activity using (pid)
                   where not granted and datname = current_database()";
    let all_wait = async {
        while sqlx::query_scalar::<_, i64>(waiting)
            .fetch_one(&mut *raw)
            .await
            .unwrap()
            < count
        {}
    };
    soon("the servers to meet", all_wait).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_client_that_begins_at_four_servers_at_once_no_more_is_let_in_than_it_may_have() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let servers = [
        database.open().await,
        database.open().await,
        database.open().await,
        database.open().await,
    ];
    let mut holder = database.raw().await;
    let mut watcher = database.raw().await;
    // None can insert until all of them wait to, so none sees another's row.
    let mut lock = holder.begin().await.unwrap();
    sqlx::query("lock table confirmations in exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let begins: Vec<_> = (1..=128_u8)
        .map(|number| {
            let store = servers[usize::from(number % 4)].clone();
            let sample = Sample::new(number);
            let begin = async move {
                store
                    .begin(&sample.confirmation, &sample.session, admission(1, 1))
                    .await
            };
            tokio::spawn(async move { begin.await.is_ok() })
        })
        .collect();
    somebody_waits(&mut watcher, 4).await;
    lock.rollback().await.unwrap();
    let mut let_in = 0;
    for begin in begins {
        let_in += usize::from(begin.await.unwrap());
    }
    assert_eq!(let_in, 1);
    assert_eq!(servers[0].undecided(100).await.unwrap(), 1);
}
