//! The log is copied back to the file before the writer has to do it.

use crate::support::{Harness, Sample, soon};
use vestibule::store::SessionStore as _;

/// With so many pages in the log, the writer itself copies it back.
const WAL_PAGES: i64 = 16_000;

#[tokio::test]
async fn the_log_is_copied_back_while_it_is_short() {
    let harness = Harness::open().await;
    let session = Sample::new(1).session;
    for _ in 0..512 {
        harness.store.insert_session(&session).await.unwrap();
        harness.store.delete_session(session.id).await.unwrap();
    }
    let mut raw = harness.raw().await;
    let copied_back = async {
        loop {
            // Asks, and copies nothing.
            let asked = sqlx::query_as("pragma wal_checkpoint(noop)");
            let (_, pages, copied): (i64, i64, i64) = asked.fetch_one(&mut raw).await.unwrap();
            assert!(pages < WAL_PAGES);
            if copied > 0 {
                break;
            }
        }
    };
    soon("the log to be copied back", copied_back).await;
}
