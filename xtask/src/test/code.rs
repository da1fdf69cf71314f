//! The checks that need no browser: formatting, lints, documentation, licences, and the tests of
//! cargo.

use std::process::Command;

use super::Options;
use super::licences;
use crate::api;
use crate::build::wasm_target;
use crate::error::{Error, Result};
use crate::process::{self, Stream};
use crate::servers::Servers;
use crate::test_counts::TestCounts;
use crate::workspace::{self, FRONTEND, TARGET};

/// What is compiled natively, as two choices of packages and not as one: cargo unites the features
/// of the crates that a choice shares, and a union with those of xtask would compile the server's
/// dependencies a second time.
const CHOICES: [&[&str]; 2] = [&workspace::NATIVE, &["--package", "xtask"]];

/// Every file is formatted as rustfmt would.
pub fn format(_: &Options<'_>) -> Result<TestCounts> {
    process::run(cargo().args(["fmt", "--all", "--check"]))?;
    process::run(
        cargo()
            .current_dir(workspace::shop())
            .args(["fmt", "--check"]),
    )?;
    Ok(TestCounts::PASS)
}

/// No lint fires in anything that is compiled natively, tests and examples included.
pub fn lint(_: &Options<'_>) -> Result<TestCounts> {
    for choice in CHOICES {
        process::run(cargo().arg("clippy").args(choice).args([
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))?;
    }
    // Outside of the workspace.
    let mut shop = cargo();
    shop.current_dir(workspace::shop())
        .args(["clippy", "--locked", "--features=ssr", "--target-dir"])
        .arg(workspace::target())
        .args(["--", "--deny=warnings"]);
    process::run(&mut shop)?;
    Ok(TestCounts::PASS)
}

/// No lint fires in the browser's half, which the native lints do not see.
pub fn lint_client(_: &Options<'_>) -> Result<TestCounts> {
    let mut clippy = wasm_target::compiler()?.clippy()?;
    clippy
        .current_dir(workspace::root())
        .args(["--package", FRONTEND, "--target", TARGET]);
    process::run(
        clippy
            .arg("--target-dir")
            .arg(workspace::front())
            .args(["--", "-D", "warnings"]),
    )?;
    Ok(TestCounts::PASS)
}

/// The library with some of its features alone, and what is not among its dependencies then.
const SLIM: [&str; 4] = [
    "--package",
    "vestibule",
    "--no-default-features",
    "--features=sqlite,http,pusher",
];
const NOT_IN_SLIM: [&str; 3] = ["redis", "sqlx-postgres", "zxcvbn"];

/// A feature that is left out leaves its dependencies out.
pub fn features(_: &Options<'_>) -> Result<TestCounts> {
    process::run(cargo().arg("check").args(SLIM))?;
    let mut tree = cargo();
    tree.arg("tree")
        .args(SLIM)
        .args(["--edges=normal", "--prefix=none"]);
    let tree = process::output(&mut tree)?;
    let names: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    if let Some(name) = NOT_IN_SLIM.into_iter().find(|name| names.contains(name)) {
        return Err(Error::new(format!(
            "{name} is compiled although no feature asks for it"
        )));
    }
    Ok(TestCounts::PASS)
}

/// No link in the documentation is broken.
pub fn documentation(_: &Options<'_>) -> Result<TestCounts> {
    // The server's binary has the library's name, and one would overwrite the other: libraries
    // here, binaries there.
    for (choice, kind) in CHOICES.into_iter().zip(["--lib", "--bins"]) {
        process::run(
            cargo()
                .arg("doc")
                .args(choice)
                .args([kind, "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )?;
    }
    Ok(TestCounts::PASS)
}

/// What other programs see is what is written down.
pub fn api(_: &Options<'_>) -> Result<TestCounts> {
    api::check()
}

/// Every dependency has an allowed licence and comes from an allowed source.
pub fn licences(_: &Options<'_>) -> Result<TestCounts> {
    licences::check()?;
    Ok(TestCounts::PASS)
}

/// The tests beside the code, the contract suites and the examples in the documentation.
pub fn unit(options: &Options<'_>) -> Result<TestCounts> {
    let servers = Servers::start()?;
    let mut total = TestCounts::default();
    for choice in CHOICES {
        let mut counts = TestCounts::default();
        let mut test = cargo();
        test.arg("test").args(choice).args(["--no-fail-fast"]);
        servers.set_variables(&mut test);
        if !options.arguments.is_empty() {
            test.arg("--").args(options.arguments);
        }
        let outcome = process::watch(&mut test, Stream::Output, |line| {
            counts += TestCounts::from_cargo_line(line);
        });
        // Tests that do not compile report nothing, and neither does a test program that was
        // killed.
        if let (Err(error), 0) = (outcome, counts.failed) {
            eprintln!("{error}");
            counts += TestCounts::FAIL;
        }
        total += counts;
    }
    if total == TestCounts::default() {
        return Err(Error::new("not a single test was found"));
    }
    Ok(total)
}

fn cargo() -> Command {
    let mut cargo = process::cargo();
    cargo.current_dir(workspace::root());
    cargo
}
