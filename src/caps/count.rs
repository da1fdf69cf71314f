//! How many confirmations are undecided in all: counted now and then, and what was begun since on
//! top.

use super::Usage;
use crate::{clock::Timestamp, store::StoreError};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::sync::Mutex;

/// How long a count is good for. To count a hundred thousand takes milliseconds.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// The last count. Other servers' begins are in the next one: the cap holds to within what begins
/// in that time.
#[derive(Debug, Default)]
pub(crate) struct UndecidedCount {
    last: Mutex<Option<Figure>>,
    /// How often it could not be counted.
    failures: AtomicU64,
}

#[derive(Debug)]
struct Figure {
    at: Timestamp,
    count: u32,
}

impl UndecidedCount {
    /// Makes room for one more at `now`, within `cap`, and tells how much of that was used before.
    /// `count` counts them in the store.
    pub async fn admit<F>(
        &self,
        cap: u32,
        now: Timestamp,
        count: impl FnOnce() -> F,
    ) -> Result<Usage, StoreError>
    where
        F: Future<Output = Result<u32, StoreError>>,
    {
        let failures = self.failures.load(Ordering::SeqCst);
        // Held while it is counted: every other caller needs the same figure.
        let mut last = self.last.lock().await;
        // A clock that was set back makes a count old, not good for ever.
        let good = last
            .take()
            .filter(|last| last.at <= now && now.since(last.at) < COUNT_EVERY);
        let mut figure = if let Some(figure) = good {
            figure
        } else if self.failures.load(Ordering::SeqCst) != failures {
            // Callers that waited for a count that failed share the failure. If each tried in turn,
            // the last would wait for a silent database once for every caller.
            return Err(StoreError::Unavailable(
                "what is undecided could not be counted".into(),
            ));
        } else {
            let counted = count().await;
            if counted.is_err() {
                self.failures.fetch_add(1, Ordering::SeqCst);
            }
            let count = counted?;
            if count >= cap {
                tracing::warn!(
                    cap,
                    "as many confirmations are undecided as there may be; refusing more"
                );
            }
            Figure { at: now, count }
        };
        let usage = Usage::of(figure.count, cap);
        figure.count += u32::from(usage != Usage::Full);
        *last = Some(figure);
        Ok(usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use tokio::sync::oneshot;

    const NOW: Timestamp = Timestamp::from_millis(0);

    #[tokio::test]
    async fn those_who_waited_for_a_count_that_failed_do_not_count_one_after_the_other() {
        let (undecided, counts, (fail, failed)) = (
            UndecidedCount::default(),
            AtomicU64::new(0),
            oneshot::channel(),
        );
        let mut failed = Some(failed);
        let begins: Vec<_> = (0..64)
            .map(|_| {
                let counts = &counts;
                let failed = failed.take();
                undecided.admit(9, NOW, async move || {
                    counts.fetch_add(1, Ordering::SeqCst);
                    if let Some(failed) = failed {
                        let _ = failed.await;
                    }
                    Err(StoreError::Unavailable("away".into()))
                })
            })
            .collect();
        let (ends, _) = tokio::join!(join_all(begins), async { fail.send(()) });
        assert!(ends.iter().all(Result::is_err));
        assert_eq!(counts.load(Ordering::SeqCst), 1);
        assert_eq!(
            undecided.admit(9, NOW, async || Ok(0)).await.unwrap(),
            Usage::Free,
            "the next one tries again"
        );
    }
}
