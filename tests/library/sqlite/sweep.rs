//! A sweep of a big table is many small ones, between which others write.

use crate::support::Harness;
use sqlx::AssertSqlSafe;
use vestibule::{
    clock::Timestamp,
    store::{ConfirmationQueue as _, SessionStore as _},
};

/// More than two batches.
const ROWS: u32 = 20_001;

/// Inserts `columns` that are `values`, in which `n` counts from 1.
async fn fill(harness: &Harness, table: &str, columns: &str, values: &str) {
    let insert = format!(
        "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < {ROWS})
         insert into {table} ({columns}) select {values} from numbers"
    );
    sqlx::query(AssertSqlSafe(insert))
        .execute(&mut harness.raw().await)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_big_table_is_swept_to_its_end() {
    let harness = Harness::open().await;
    let id = "cast(printf('%016d', n) as blob), cast(printf('%032d', n) as blob)";
    fill(
        &harness,
        "sessions",
        "id, secret, revision, state, created_at, expires_at",
        &format!("{id}, 0, 'pending', 0, n"),
    )
    .await;
    let settled = format!("{id}, x'00', x'00', 0, 0, 'settled', 'invalid', n");
    fill(
        &harness,
        "confirmations",
        "id, secret, token_tag, session, created_at, deadline, state, ending, decided_at",
        &settled,
    )
    .await;
    let all_but_one = Timestamp::from_millis(i64::from(ROWS) - 1);
    assert_eq!(
        harness.store.sweep_sessions(all_but_one).await.unwrap(),
        u64::from(ROWS) - 1
    );
    let all_but_one = Timestamp::from_millis(i64::from(ROWS));
    assert_eq!(
        harness
            .store
            .sweep_confirmations(all_but_one)
            .await
            .unwrap(),
        u64::from(ROWS) - 1
    );
}
