//! How many tests passed and failed, added up over programs that each say it their own way.

use std::fmt;
use std::ops::AddAssign;

/// Numbers of tests by their result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestCounts {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Did not run.
    pub skipped: u64,
    /// Those that failed, by name, where they have one, and how those in a browser did: the end of a
    /// log may be all that is seen.
    pub failures: Vec<String>,
}

impl TestCounts {
    /// A single check that passed.
    pub const PASS: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
        failures: Vec::new(),
    };
    /// A single check that failed, or could not be made.
    pub const FAIL: Self = Self {
        passed: 0,
        failed: 1,
        skipped: 0,
        failures: Vec::new(),
    };

    /// A single check that was not made.
    pub const SKIPPED: Self = Self {
        passed: 0,
        failed: 0,
        skipped: 1,
        failures: Vec::new(),
    };

    /// Reads a line of `cargo test`: `test result: ok. 3 passed; 0 failed; 1 ignored; …`, or
    /// `test a_name ... FAILED`. Other lines are ignored.
    pub fn from_cargo_line(line: &str) -> Self {
        let failed = line.strip_prefix("test ");
        if let Some(name) = failed.and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            return Self {
                failures: vec![name.to_owned()],
                ..Self::default()
            };
        }
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
            failures: Vec::new(),
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
            failures: playwright_failures(&report),
        })
    }

    /// The same with skipped tests counted as failed, for runs in which nothing may be skipped.
    pub fn strict(self) -> Self {
        Self {
            passed: self.passed,
            failed: self.failed + self.skipped,
            skipped: 0,
            failures: self.failures,
        }
    }
}

/// The names of the tests in a report of Playwright that did not pass at once, each with the start
/// of its first error.
fn playwright_failures(report: &serde_json::Value) -> Vec<String> {
    let list = |value: &serde_json::Value, name: &str| {
        let items = value.get(name).and_then(serde_json::Value::as_array);
        items.cloned().unwrap_or_default()
    };
    let text = |value: &serde_json::Value, name: &str| {
        let text = value.get(name).and_then(serde_json::Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let mut failures = Vec::new();
    let mut suites = list(report, "suites");
    while let Some(suite) = suites.pop() {
        suites.extend(list(&suite, "suites"));
        for spec in list(&suite, "specs") {
            let passed = |test: &serde_json::Value| {
                ["expected", "skipped"].contains(&text(test, "status").as_str())
            };
            let tests = list(&spec, "tests");
            if tests.iter().all(passed) {
                continue;
            }
            let results = tests.iter().flat_map(|test| list(test, "results"));
            let mut errors = results.flat_map(|result| list(&result, "errors"));
            let error = errors.next().map(|error| text(&error, "message"));
            let name = format!("{}: {}", text(&spec, "file"), text(&spec, "title"));
            failures.push(name + &error_start(&error.unwrap_or_default()));
        }
    }
    failures.sort();
    failures
}

/// How many lines of an error are shown: as many as it takes to say what was found instead of what.
const ERROR_LINES: usize = 16;

/// The first lines of an error, without colours and empty lines, each as a line of its own, indented.
fn error_start(message: &str) -> String {
    // A colour is `ESC [`, a number, and `m`.
    let mut parts = message.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, text)| text));
    }
    let lines = plain.lines().filter(|line| !line.trim().is_empty());
    let first = lines.take(ERROR_LINES);
    first.fold(String::new(), |start, line| start + "\n    " + line)
}

impl AddAssign for TestCounts {
    fn add_assign(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.skipped += more.skipped;
        self.failures.extend(more.failures);
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
                skipped: 1,
                ..TestCounts::default()
            }
        );
    }

    #[test]
    fn a_test_that_failed_is_named() {
        let counts = TestCounts::from_cargo_line("test store::a_sentence ... FAILED");
        assert_eq!(counts.failures, ["store::a_sentence"]);
        let report = r#"{"stats": {"expected": 2, "unexpected": 1, "flaky": 1}, "suites": [{"specs": [], "suites": [
            {"specs": [
                {"title": "in time", "file": "a.spec.js", "tests": [{"status": "expected"}]},
                {"title": "too late", "file": "a.spec.js", "tests": [{"status": "unexpected", "results": [
                    {"errors": [{"message": "\u001b[31mError\u001b[39m: late\n\n  by 3 s"}, {"message": "and"}]}
                ]}]}
            ]},
            {"specs": [{"title": "at last", "file": "b.spec.js", "tests": [{"status": "flaky"}]}]}
        ]}]}"#;
        let counts = TestCounts::from_playwright_report(report);
        assert_eq!(
            counts.map(|counts| counts.failures),
            Some(vec![
                "a.spec.js: too late\n    Error: late\n      by 3 s".into(),
                "b.spec.js: at last".into()
            ])
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
                skipped: 3,
                ..TestCounts::default()
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
                skipped: 0,
                ..TestCounts::default()
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
                skipped: 2,
                ..TestCounts::default()
            }
            .strict(),
            TestCounts {
                passed: 1,
                failed: 3,
                skipped: 0,
                ..TestCounts::default()
            }
        );
    }
}
