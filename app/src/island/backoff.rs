//! How long to wait before trying again.
//!
//! Full jitter: each wait is drawn evenly from a window, so that thousands of pages which lost the
//! same server do not come back in step. The window stays at a second and a half for the first
//! attempts, because most outages are restarts and a person is watching; only then does it grow.

/// When something happened, and the chance that goes with it. Both are parameters, so that tests
/// choose them.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Milliseconds on a clock that never goes back.
    pub now: u64,
    /// Evenly drawn from 0 (inclusive) to 1 (exclusive).
    pub random: f64,
}

impl Moment {
    /// The time, in milliseconds, of the next attempt after `failures` (at least 1) in a row.
    pub fn retry(self, failures: u32) -> u64 {
        self.within(window(failures))
    }

    /// A time, in milliseconds, that is drawn evenly from the next `window` milliseconds.
    pub fn within(self, window: u32) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the product lies between 0 and the window"
        )]
        let wait = (self.random * f64::from(window)) as u64;
        self.now + wait
    }
}

/// The longest wait in milliseconds: 500, 1,000, eight times 1,500, then doubling up to 24,000.
fn window(failures: u32) -> u32 {
    match failures {
        0..=2 => 250 << failures,
        3..=10 => 1_500,
        _ => 1_500 << (failures - 10).min(4),
    }
}

#[cfg(test)]
mod tests {
    use super::{Moment, window};

    #[test]
    fn the_wait_is_spread_over_the_whole_window() {
        let at = |random| {
            Moment {
                now: 10_000,
                random,
            }
            .retry(4)
        };
        assert_eq!(at(0.0), 10_000);
        assert_eq!(at(0.5), 10_750);
        assert_eq!(at(0.999), 11_498);
    }

    #[test]
    fn the_first_attempts_are_quick_and_the_later_ones_bounded() {
        let windows: Vec<_> = [1, 2, 3, 10, 11, 12, 13, 14, 15, u32::MAX]
            .map(window)
            .to_vec();
        assert_eq!(
            windows,
            [
                500, 1_000, 1_500, 1_500, 3_000, 6_000, 12_000, 24_000, 24_000, 24_000
            ]
        );
    }
}
