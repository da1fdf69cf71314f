//! `cargo xtask bench`: the figures of the release build, as a table and in `target/bench.json`.

use std::path::PathBuf;

use crate::build::{self, server};
use crate::error::{Error, Result};
use crate::servers::BenchDatabase;
use crate::test::browser::{self, Playwright};
use crate::{process, workspace};

/// How the bench finds the file of its table's copy.
const COPY: &str = "VESTIBULE_BENCH_JSON";

/// Builds the release and lets the server's own example measure it and print its table.
pub fn bench(arguments: &[String]) -> Result {
    if let Some(unknown) = arguments.first() {
        return Err(Error::new(format!(
            "`cargo xtask bench` takes no argument, so not `{unknown}`"
        )));
    }
    build::everything(true)?;
    let mut bench = process::cargo();
    bench.current_dir(workspace::root()).args([
        "run",
        "--release",
        "--package",
        server::PACKAGE,
        "--example",
        "bench",
    ]);
    bench.env(COPY, copy());
    let postgres = BenchDatabase::start();
    postgres.set_variables(&mut bench);
    process::run(server::set_variables(&mut bench, &workspace::site()))?;
    in_a_browser(&["bench/navigation.js", "bench/recovery.js"])
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
