//! `cargo xtask bench`: the figures of the release build.

use crate::fault::{Fault, Result};
use crate::servers::Measured;
use crate::test::browser::{self, Journeys};
use crate::{build, process, server, workspace};

/// Builds the release and lets the server's own example measure it and print its table.
pub fn bench(arguments: &[String]) -> Result {
    if let Some(unknown) = arguments.first() {
        return Err(Fault::new(format!(
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
    let postgres = Measured::start();
    postgres.point(&mut bench);
    process::run(server::point_to(&mut bench, &workspace::site()))?;
    in_a_browser(&["bench/navigation.js", "bench/recovery.js"])
}

/// The figures that need a browser.
fn in_a_browser(scripts: &[&str]) -> Result {
    let Journeys { folder, chromium } = browser::prepare()?;
    for script in scripts {
        let mut bench = process::command(browser::tool("node")?);
        bench.current_dir(&folder).arg(script);
        bench
            .env("VESTIBULE_BIN", workspace::server(true))
            .env("LEPTOS_SITE_ROOT", workspace::site());
        if let Some(chromium) = &chromium {
            bench.env("CHROMIUM_PATH", chromium);
        }
        process::run(&mut bench)?;
    }
    Ok(())
}
