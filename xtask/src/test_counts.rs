//! How many tests passed and failed, added up over programs that each say it their own way.

use std::fmt;
use std::ops::AddAssign;

/// Numbers of tests by their result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TestCounts {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Did not run.
    pub skipped: u64,
}

impl TestCounts {
    /// A single check that passed.
    pub const PASS: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
    };
    /// A single check that failed, or could not be made.
    pub const FAIL: Self = Self {
        passed: 0,
        failed: 1,
        skipped: 0,
    };

    /// Reads a line of `cargo test`: `test result: ok. 3 passed; 0 failed; 1 ignored; …`. Other
    /// lines are ignored.
    pub fn from_cargo_line(line: &str) -> Self {
        let Some((_, numbers)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return Self::default();
        };
        let count = |word: &str| {
            let found = numbers
                .split("; ")
                .find_map(|part| part.trim().strip_suffix(word));
            found
                .and_then(|number| number.trim().parse().ok())
                .unwrap_or(0)
        };
        Self {
            passed: count("passed"),
            failed: count("failed"),
            skipped: count("ignored"),
        }
    }

    /// Reads the report of Playwright's `json` reporter; `None` if it is no such report.
    ///
    /// A test that passed only when it was repeated counts as failed: it will fail again.
    pub fn from_playwright_report(report: &str) -> Option<Self> {
        let report: serde_json::Value = serde_json::from_str(report).ok()?;
        let stats = report.get("stats")?;
        let count = |name: &str| {
            stats
                .get(name)
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0)
        };
        // An error outside of a test, in a set-up for example, is only among the errors.
        let outside = report
            .get("errors")
            .and_then(serde_json::Value::as_array)
            .map_or(0, Vec::len);
        let failed =
            count("unexpected") + count("flaky") + u64::try_from(outside).unwrap_or(u64::MAX);
        Some(Self {
            passed: count("expected"),
            failed,
            skipped: count("skipped"),
        })
    }

    /// The same with skipped tests counted as failed, for runs in which nothing may be skipped.
    pub fn strict(self) -> Self {
        Self {
            passed: self.passed,
            failed: self.failed + self.skipped,
            skipped: 0,
        }
    }
}

impl AddAssign for TestCounts {
    fn add_assign(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.skipped += more.skipped;
    }
}

impl fmt::Display for TestCounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::TestCounts;

    #[test]
    fn the_result_line_of_a_test_binary_is_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s";
        assert_eq!(
            TestCounts::from_cargo_line(line),
            TestCounts {
                passed: 12,
                failed: 3,
                skipped: 1
            }
        );
    }

    #[test]
    fn other_lines_of_a_test_binary_count_nothing() {
        assert_eq!(
            TestCounts::from_cargo_line("test a_sentence ... ok"),
            TestCounts::default()
        );
        assert_eq!(
            TestCounts::from_cargo_line("test result: "),
            TestCounts::default()
        );
    }

    #[test]
    fn a_browser_test_that_needed_a_second_try_has_failed() {
        let report = r#"{"errors": [], "stats": {"expected": 7, "unexpected": 1, "flaky": 2, "skipped": 3}}"#;
        assert_eq!(
            TestCounts::from_playwright_report(report),
            Some(TestCounts {
                passed: 7,
                failed: 3,
                skipped: 3
            })
        );
    }

    #[test]
    fn a_browser_run_that_broke_outside_of_its_tests_has_failed() {
        let report =
            r#"{"errors": [{"message": "no server"}], "stats": {"expected": 0, "unexpected": 0}}"#;
        assert_eq!(
            TestCounts::from_playwright_report(report),
            Some(TestCounts {
                passed: 0,
                failed: 1,
                skipped: 0
            })
        );
    }

    #[test]
    fn what_is_no_report_is_not_counted_as_one() {
        assert_eq!(
            TestCounts::from_playwright_report("Error: no tests found"),
            None
        );
    }

    #[test]
    fn a_skip_is_a_failure_where_nothing_may_be_skipped() {
        assert_eq!(
            TestCounts {
                passed: 1,
                failed: 1,
                skipped: 2
            }
            .strict(),
            TestCounts {
                passed: 1,
                failed: 3,
                skipped: 0
            }
        );
    }
}
