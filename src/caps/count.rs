//! How many of something there are in all: counted now and then, and what was let in since on top.

use super::Usage;
use crate::{clock::Timestamp, store::StoreError};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::sync::Mutex;

/// How long a count is good for. To count a hundred thousand takes milliseconds.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// The last count. What other servers let in is in the next one: a cap holds to within what is let in
/// during that time.
#[derive(Debug, Default)]
pub(crate) struct CachedCount {
    last: Mutex<Option<Figure>>,
    /// How often it could not be counted.
    failures: AtomicU64,
}

#[derive(Debug)]
struct Figure {
    at: Timestamp,
    count: u32,
}

impl CachedCount {
    /// Makes room for one more at `now`, within `cap`, and tells how much of that was used before.
    /// `count` counts them in the store; `what` they are is for the log.
    pub async fn admit<F>(
        &self,
        what: &'static str,
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
            return Err(StoreError::Unavailable(format!(
                "{what} could not be counted"
            )));
        } else {
            let counted = count().await;
            if counted.is_err() {
                self.failures.fetch_add(1, Ordering::SeqCst);
            }
            let count = counted?;
            if count >= cap {
                tracing::warn!(
                    cap,
                    "there are as many {what} as there may be; refusing more"
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
            CachedCount::default(),
            AtomicU64::new(0),
            oneshot::channel(),
        );
        let mut failed = Some(failed);
        let begins: Vec<_> = (0..64)
            .map(|_| {
                let counts = &counts;
                let failed = failed.take();
                undecided.admit("confirmations", 9, NOW, async move || {
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
            undecided
                .admit("confirmations", 9, NOW, async || Ok(0))
                .await
                .unwrap(),
            Usage::Free,
            "the next one tries again"
        );
    }
}
