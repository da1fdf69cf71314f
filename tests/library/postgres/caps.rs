//! Servers on one database: the caps hold for all together, and no begin waits for another's.

use crate::support::{Postgres, Sample, admission, soon};
use sqlx::{Connection as _, PgConnection};
use vestibule::{
    caps::Admission,
    confirmation::Confirmation,
    store::{BeginError, ConfirmationQueue as _, ConfirmationStore as _, postgres::PostgresStore},
};

/// Begins the sample with this number.
async fn begin(
    store: &PostgresStore,
    number: u8,
    admission: Admission,
) -> Result<Confirmation, BeginError> {
    let sample = Sample::new(number);
    store
        .begin(&sample.confirmation, &sample.session, admission)
        .await
}

/// The same browser has come to another server, from another network.
async fn begin_elsewhere(raw: &mut PgConnection, sample: &Sample) {
    let insert = sqlx::query(
        "insert into confirmations
             (id, secret, token_tag, session, created_at, deadline, state, ending, decided_at)
         values ($1, $2, $3, $1, 0, 0, 'settled', 'cancelled', 0)",
    );
    insert
        .bind(vec![99_u8; 16])
        .bind(sample.confirmation.secret.as_slice())
        .bind(sample.confirmation.token_tag.as_slice())
        .execute(raw)
        .await
        .unwrap();
}

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
            tokio::spawn(async move { begin(&store, number, admission(1, 1)).await.is_ok() })
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

#[tokio::test]
async fn one_that_another_server_begins_meanwhile_takes_no_room() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut holder = database.raw().await;
    let mut watcher = database.raw().await;
    let begin = |number| begin(&store, number, admission(1, 2));
    begin(1).await.unwrap();
    let mut other = holder.begin().await.unwrap();
    begin_elsewhere(&mut other, &Sample::new(2)).await;
    let commit = async {
        somebody_waits(&mut watcher, 1).await;
        other.commit().await.unwrap();
    };
    let (second, third, ()) = tokio::join!(begin(2), begin(3), commit);
    assert!(second.is_ok() && third.is_ok(), "{second:?}, {third:?}");
}

#[tokio::test]
async fn a_begin_that_waits_for_another_server_keeps_no_other_waiting() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut holder = database.raw().await;
    let mut watcher = database.raw().await;
    let begin = |number| begin(&store, number, admission(number, 1));
    let mut other = holder.begin().await.unwrap();
    begin_elsewhere(&mut other, &Sample::new(1)).await;
    let meanwhile = async {
        somebody_waits(&mut watcher, 1).await;
        begin(2).await.unwrap();
        other.commit().await.unwrap();
    };
    let (first, ()) = tokio::join!(begin(1), meanwhile);
    first.unwrap();
}
