//! How long to wait before something that has failed is tried again.

use crate::secret::{Entropy, random};
use std::time::Duration;

/// No wait is shorter: whatever went wrong, it is not tried again in the same instant.
const SHORTEST: Duration = Duration::from_millis(50);

/// Waits up to a bound that doubles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// The bound of the first wait.
    pub first: Duration,
    /// The bound of the longest wait.
    pub longest: Duration,
    /// How much of a wait is drawn at random.
    pub jitter: Jitter,
}

/// How much of a wait is drawn at random.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Jitter {
    /// All of it, so that many that failed together come back as far apart as can be.
    Full,
    /// Half of it: the other half of the bound is always waited.
    Half,
}

impl Backoff {
    /// The wait after `failed` attempts in a row, from 1.
    pub fn wait(&self, failed: u32, entropy: &dyn Entropy) -> Duration {
        let bound = self
            .first
            .saturating_mul(1 << failed.saturating_sub(1).min(10))
            .min(self.longest);
        let shortest = match self.jitter {
            Jitter::Full => SHORTEST,
            Jitter::Half => bound / 2,
        };
        let share = f64::from(u32::from_be_bytes(random(entropy))) / f64::from(u32::MAX);
        shortest + bound.saturating_sub(shortest).mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    const FIRST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(15);
    const FULL: Backoff = Backoff {
        first: FIRST,
        longest: LONGEST,
        jitter: Jitter::Full,
    };

    #[test]
    fn waits_grow_to_a_limit() {
        for failed in 1..40 {
            let wait = FULL.wait(failed, &SystemEntropy);
            assert!(
                (SHORTEST..=LONGEST).contains(&wait),
                "{wait:?} after {failed}"
            );
        }
        assert!(FULL.wait(1, &SystemEntropy) <= FIRST);
    }

    #[test]
    fn waits_are_spread_over_the_whole_of_their_bound() {
        let waits: Vec<_> = (0..1000).map(|_| FULL.wait(6, &SystemEntropy)).collect();
        for tenth in 0..10 {
            let part = LONGEST * tenth / 10..LONGEST * (tenth + 1) / 10;
            assert!(
                waits.iter().any(|wait| part.contains(wait)),
                "none comes back within {part:?}"
            );
        }
    }

    #[test]
    fn with_half_jitter_half_of_the_bound_is_waited_at_least() {
        let half = Backoff {
            jitter: Jitter::Half,
            ..FULL
        };
        for failed in 1..40 {
            let bound = FIRST.saturating_mul(1 << (failed - 1).min(10)).min(LONGEST);
            let wait = half.wait(failed, &SystemEntropy);
            assert!(
                (bound / 2..=bound).contains(&wait),
                "{wait:?} after {failed}"
            );
        }
    }
}
