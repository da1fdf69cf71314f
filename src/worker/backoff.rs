//! How long to wait before asking a validator again.

use crate::secret::{Entropy, random};
use std::time::Duration;

/// The first wait's upper bound.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait's upper bound.
const LONGEST: Duration = Duration::from_secs(15);
/// No wait is shorter: whatever went wrong, it is not asked again in the same instant.
const SHORTEST: Duration = Duration::from_millis(50);

/// The wait after `failed` attempts: anything up to a bound, which doubles from 500 ms to 15 s. The
/// whole of that is drawn from ("full jitter"), so that many confirmations that failed together
/// come back as far apart as can be. Not shorter than `asked` by the validator.
#[must_use]
pub fn backoff(entropy: &dyn Entropy, failed: u32, asked: Option<Duration>) -> Duration {
    let bound = FIRST
        .saturating_mul(1 << failed.saturating_sub(1).min(10))
        .min(LONGEST);
    between(SHORTEST, bound, entropy).max(asked.unwrap_or_default())
}

/// A random duration between two others.
pub(crate) fn between(shortest: Duration, longest: Duration, entropy: &dyn Entropy) -> Duration {
    let share = f64::from(u32::from_be_bytes(random(entropy))) / f64::from(u32::MAX);
    shortest + longest.saturating_sub(shortest).mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    #[test]
    fn waits_grow_to_a_limit_and_never_undercut_what_was_asked() {
        for failed in 1..40 {
            let wait = backoff(&SystemEntropy, failed, None);
            assert!(
                (SHORTEST..=LONGEST).contains(&wait),
                "{wait:?} after {failed}"
            );
        }
        assert!(backoff(&SystemEntropy, 1, None) <= FIRST);
        assert!(
            backoff(&SystemEntropy, 1, Some(Duration::from_secs(20))) >= Duration::from_secs(20)
        );
    }

    #[test]
    fn waits_are_spread_over_the_whole_of_their_bound() {
        let waits: Vec<_> = (0..1000)
            .map(|_| backoff(&SystemEntropy, 6, None))
            .collect();
        for tenth in 0..10 {
            let part = LONGEST * tenth / 10..LONGEST * (tenth + 1) / 10;
            assert!(
                waits.iter().any(|wait| part.contains(wait)),
                "nobody comes back within {part:?}"
            );
        }
    }
}
