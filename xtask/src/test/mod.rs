//! `cargo xtask test`: everything that is checked before a change goes in, in the order that finds
//! faults soonest.

mod applications;
pub mod browser;
mod code;
mod interop;
mod kit;
mod licences;
mod newcomer;
pub mod programs;
mod python;
pub mod rust_version;
mod size;

use std::time::Instant;

use crate::error::{Error, Result};
use crate::process;
use crate::step::step;
use crate::test_counts::TestCounts;

/// The options that all checks share.
pub struct Options<'a> {
    /// Passed to the test programs unchanged.
    pub arguments: &'a [String],
}

struct Check {
    name: &'static str,
    run: fn(&Options<'_>) -> Result<TestCounts>,
}

/// All checks, in order.
const CHECKS: [Check; 15] = [
    Check {
        name: "rust-version",
        run: rust_version::rust_version,
    },
    Check {
        name: "format",
        run: code::format,
    },
    Check {
        name: "lint",
        run: code::lint,
    },
    Check {
        name: "lint-client",
        run: code::lint_client,
    },
    Check {
        name: "features",
        run: code::features,
    },
    Check {
        name: "documentation",
        run: code::documentation,
    },
    Check {
        name: "api",
        run: code::api,
    },
    Check {
        name: "licences",
        run: code::licences,
    },
    Check {
        name: "unit",
        run: code::unit,
    },
    Check {
        name: "types",
        run: kit::types,
    },
    Check {
        name: "client",
        run: size::client,
    },
    Check {
        name: "server",
        run: browser::server,
    },
    Check {
        name: "browser",
        run: browser::browser,
    },
    Check {
        name: "interop",
        run: interop::interop,
    },
    Check {
        name: "applications",
        run: applications::applications,
    },
];

/// The checks in which a browser meets the server.
const IN_BROWSER: [&str; 3] = ["browser", "interop", "applications"];

/// The checks that must have run before those mean anything.
const BEFORE_BROWSER: [&str; 2] = ["client", "server"];

/// Runs the checks whose names contain one of the words before `--`; what follows it is passed to
/// the tests.
pub fn test(arguments: &[String]) -> Result {
    let (wanted, rest) = split(arguments);
    let options = Options { arguments: rest };
    let chosen = choose(wanted)?;
    let mut total = TestCounts::default();
    let mut lines = Vec::new();
    for check in chosen {
        let start = Instant::now();
        let outcome = step(check.name, || (check.run)(&options));
        let counts = outcome.unwrap_or_else(|error| {
            eprintln!("{}: {error}", check.name);
            TestCounts::FAIL
        });
        let counts = if process::in_ci() {
            counts.strict()
        } else {
            counts
        };
        lines.push(summary(check.name, start.elapsed().as_secs_f64(), &counts));
        total += counts;
    }
    println!("\n{}", lines.join("\n"));
    for name in &total.failures {
        println!("failed: {name}");
    }
    println!("{total}");
    if total.failed == 0 {
        Ok(())
    } else {
        std::process::exit(1)
    }
}

/// The words that choose checks, and the arguments of the tests. Cargo's own commands want a `--`
/// before all of it: one that stands before the name of a check is dropped.
fn split(arguments: &[String]) -> (&[String], &[String]) {
    let arguments = match arguments {
        [first, rest @ ..]
            if first == "--" && rest.first().is_some_and(|word| is_a_check(word)) =>
        {
            rest
        }
        all => all,
    };
    let end = arguments
        .iter()
        .position(|word| word == "--")
        .unwrap_or(arguments.len());
    let (wanted, rest) = arguments.split_at(end);
    (wanted, rest.get(1..).unwrap_or_default())
}

/// Whether `word` is in the name of a check.
fn is_a_check(word: &str) -> bool {
    CHECKS.iter().any(|check| check.name.contains(word))
}

/// Runs the journeys that `arguments` choose for Playwright, after building what they need.
pub fn browser_tests(arguments: &[String]) -> Result<TestCounts> {
    let options = Options { arguments };
    let mut total = TestCounts::default();
    for check in choose(&["browser".to_owned()])? {
        total += step(check.name, || (check.run)(&options))?;
    }
    Ok(total)
}

fn summary(name: &str, seconds: f64, counts: &TestCounts) -> String {
    let skipped = if counts.skipped == 0 {
        String::new()
    } else {
        format!(", {} skipped", counts.skipped)
    };
    format!("{name:14} {seconds:7.1} s   {counts}{skipped}")
}

fn choose(wanted: &[String]) -> Result<Vec<&'static Check>> {
    if let Some(unknown) = wanted.iter().find(|word| !is_a_check(word)) {
        let names = CHECKS.map(|check| check.name).join(", ");
        return Err(Error::new(format!(
            "no check is called `{unknown}`; there are {names}"
        )));
    }
    // A whole name means that check alone, although it may be a part of another's name.
    let whole = |word: &String| CHECKS.iter().any(|check| check.name == word);
    let named = |check: &Check| {
        wanted.iter().any(|word| {
            if whole(word) {
                check.name == word
            } else {
                check.name.contains(word.as_str())
            }
        })
    };
    let browser = CHECKS
        .iter()
        .any(|check| IN_BROWSER.contains(&check.name) && named(check));
    let needed = |check: &&Check| {
        wanted.is_empty() || named(check) || (browser && BEFORE_BROWSER.contains(&check.name))
    };
    Ok(CHECKS.iter().filter(needed).collect())
}

#[cfg(test)]
mod tests {
    use super::{choose, split};

    fn names(wanted: &[&str]) -> Vec<&'static str> {
        let wanted: Vec<String> = wanted.iter().map(|&word| word.to_owned()).collect();
        choose(&wanted)
            .map(|checks| checks.iter().map(|check| check.name).collect())
            .unwrap_or_default()
    }

    #[test]
    fn without_a_word_every_check_runs() {
        assert_eq!(names(&[]).len(), super::CHECKS.len());
    }

    #[test]
    fn a_word_chooses_the_checks_that_contain_it() {
        assert_eq!(names(&["lin"]), ["lint", "lint-client"]);
    }

    #[test]
    fn a_whole_name_chooses_its_check_alone() {
        assert_eq!(names(&["lint"]), ["lint"]);
        assert_eq!(names(&["client"]), ["client"]);
    }

    #[test]
    fn the_browser_tests_bring_what_they_test() {
        assert_eq!(names(&["browser"]), ["client", "server", "browser"]);
        assert_eq!(names(&["interop"]), ["client", "server", "interop"]);
    }

    #[test]
    fn dashes_before_the_name_of_a_check_are_cargo_s_habit() {
        for (given, wanted, rest) in [
            (&["--", "unit"][..], &["unit"][..], &[][..]),
            (
                &["--", "lint", "size", "--", "--nocapture"],
                &["lint", "size"],
                &["--nocapture"],
            ),
            (&["unit", "--", "unit"], &["unit"], &["unit"]),
            (&["--", "some_test"], &[], &["some_test"]),
            (&["--", "--nocapture"], &[], &["--nocapture"]),
            (&["--"], &[], &[]),
            (&[], &[], &[]),
        ] {
            let given: Vec<String> = given.iter().map(|&word| word.to_owned()).collect();
            let (chosen, told) = split(&given);
            assert!(
                chosen == wanted && told == rest,
                "{given:?}: {chosen:?} {told:?}"
            );
        }
    }

    #[test]
    fn an_unknown_word_is_refused() {
        assert!(choose(&["nothing".to_owned()]).is_err());
    }
}
