//! How many confirmations are undecided in all: counted now and then, and what was begun since on top.

use crate::{
    clock::Timestamp,
    store::{Store, StoreError},
};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long a count is good for. To count a hundred thousand takes milliseconds.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// The last count. Other servers' begins are in the next one: the cap holds to within what begins in that time.
#[derive(Debug, Default)]
pub(crate) struct Undecided(Mutex<Option<Figure>>);

#[derive(Debug)]
struct Figure {
    at: Timestamp,
    count: u32,
}

impl Undecided {
    /// Makes room for one more at `now`, within `cap`; `false` if there is none.
    pub async fn admit(&self, store: &dyn Store, cap: u32, now: Timestamp) -> Result<bool, StoreError> {
        // Held while it is counted: whoever else comes needs the same figure.
        let mut last = self.0.lock().await;
        // A clock that was set back makes a count old, not good for ever.
        let good = last.take().filter(|last| last.at <= now && now.since(last.at) < COUNT_EVERY);
        let mut figure = if let Some(figure) = good {
            figure
        } else {
            let count = store.undecided(cap).await?;
            if count >= cap {
                tracing::warn!(cap, "as many confirmations are undecided as there may be; refusing more");
            }
            Figure { at: now, count }
        };
        let room = figure.count < cap;
        figure.count += u32::from(room);
        *last = Some(figure);
        Ok(room)
    }
}
