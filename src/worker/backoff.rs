//! How long to wait before asking a validator again.

use crate::secret::{Entropy, random};
use std::time::Duration;

/// The first wait's upper bound.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait's upper bound.
const LONGEST: Duration = Duration::from_secs(15);

/// The wait after `failed` attempts: random between a tenth of a bound and the bound, which doubles from 500 ms to 15 s,
/// so that many confirmations that failed together do not come back together. Not shorter than `asked` by the validator.
#[must_use]
pub fn backoff(entropy: &dyn Entropy, failed: u32, asked: Option<Duration>) -> Duration {
    let bound = FIRST.saturating_mul(1 << failed.saturating_sub(1).min(10)).min(LONGEST);
    let share = f64::from(u32::from_be_bytes(random(entropy))) / f64::from(u32::MAX);
    bound.mul_f64(0.1 + 0.9 * share).max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    #[test]
    fn waits_grow_to_a_limit_and_never_undercut_what_was_asked() {
        for failed in 1..40 {
            let wait = backoff(&SystemEntropy, failed, None);
            assert!((Duration::from_millis(50)..=LONGEST).contains(&wait), "{wait:?} after {failed}");
        }
        assert!(backoff(&SystemEntropy, 1, None) <= FIRST);
        assert!(backoff(&SystemEntropy, 1, Some(Duration::from_secs(20))) >= Duration::from_secs(20));
    }
}
