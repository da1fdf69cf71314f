//! `cargo xtask bench`: the figures of the release build, as a table and in `target/bench.json`; and
//! those of a developer's loop.

mod developer_loop;
mod table;

use std::path::PathBuf;

use crate::build::{self, server};
use crate::error::{Error, Result};
use crate::servers::{BenchDatabase, redis};
use crate::test::browser::{self, Playwright};
use crate::test::programs;
use crate::{process, workspace};

/// How the bench finds the file of its table's copy.
const COPY: &str = "VESTIBULE_BENCH_JSON";

/// How it finds the Redis of the Express application, without which it measures nothing beside it.
const REDIS: &str = "VESTIBULE_BENCH_REDIS";

/// The oldest Node that the packages of the Express application support.
const PEERS_NODE: u32 = 20;

/// Builds the release and measures it, in part beside what a team would build instead; as `peers`,
/// nothing but that. As `loop`, measures how long a developer waits.
pub fn bench(arguments: &[String]) -> Result {
    match arguments {
        [] => everything(),
        [part] if part == "peers" => peers(),
        [part] if part == "loop" => developer_loop::measure(&copy()),
        [part, unknown, ..] if part == "peers" || part == "loop" => Err(Error::new(format!(
            "`cargo xtask bench {part}` takes no argument, so not `{unknown}`"
        ))),
        [unknown, ..] => Err(Error::new(format!(
            "`cargo xtask bench` takes `peers`, `loop` or no argument, so not `{unknown}`"
        ))),
    }
}

fn everything() -> Result {
    let express = express().inspect_err(|error| println!("nothing is beside Express: {error}"));
    build::everything(true)?;
    let redis = express.ok().map(|redis| (REDIS, redis));
    example(&[], redis.as_slice())?;
    in_a_browser(&["bench/navigation.js", "bench/recovery.js"])
}

/// Vestibule beside the application on Express.
fn peers() -> Result {
    let redis = express()?;
    build::everything(true)?;
    example(&["peers"], &[(REDIS, redis)])
}

/// Installs what the application on Express needs, and tells where its Redis is.
fn express() -> Result<PathBuf> {
    programs::node(PEERS_NODE)?;
    let redis = redis::program()?;
    browser::dependencies(&workspace::root().join("end2end/bench/express"))?;
    Ok(redis)
}

/// Lets the server's own example measure and print its table.
fn example(arguments: &[&str], variables: &[(&str, PathBuf)]) -> Result {
    let mut bench = process::cargo();
    bench.current_dir(workspace::root()).args([
        "run",
        "--release",
        "--package",
        server::PACKAGE,
        "--example",
        "bench",
        "--",
    ]);
    bench.args(arguments).env(COPY, copy());
    bench.envs(variables.iter().map(|(name, value)| (name, value)));
    let postgres = BenchDatabase::start();
    postgres.set_variables(&mut bench);
    process::run(server::set_variables(&mut bench, &workspace::site()))
}

/// The copy of the table, for programs.
fn copy() -> PathBuf {
    workspace::target().join("bench.json")
}

/// The figures that need a browser.
fn in_a_browser(scripts: &[&str]) -> Result {
    let Playwright { folder, chromium } = browser::install()?;
    for script in scripts {
        let mut bench = process::command(browser::tool("node")?);
        bench.current_dir(&folder).arg(script);
        bench
            .env("VESTIBULE_BIN", workspace::server(true))
            .env("LEPTOS_SITE_ROOT", workspace::site())
            .env(COPY, copy());
        if let Some(chromium) = &chromium {
            bench.env("CHROMIUM_PATH", chromium);
        }
        process::run(&mut bench)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::bench;

    #[test]
    fn an_unknown_argument_is_named_with_what_is_allowed() {
        for (given, expected) in [
            (
                &["x"][..],
                "takes `peers`, `loop` or no argument, so not `x`",
            ),
            (&["peers", "x"], "takes no argument, so not `x`"),
            (&["loop", "x"], "takes no argument, so not `x`"),
        ] {
            let given: Vec<String> = given.iter().map(|&word| word.to_owned()).collect();
            let error = bench(&given).expect_err("it is refused").to_string();
            assert!(error.ends_with(expected), "{error}");
        }
    }
}
