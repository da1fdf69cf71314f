//! The journeys in a real browser, against the real server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Request;
use crate::fault::{At, Fault, Result};
use crate::tally::Tally;
use crate::{install, process, server as binary, workspace};

/// Builds the server that the journeys use.
pub fn server(_: &Request<'_>) -> Result<Tally> {
    binary::build(false)?;
    Ok(Tally::PASS)
}

/// Runs the journeys.
pub fn browser(request: &Request<'_>) -> Result<Tally> {
    let journeys = prepare()?;
    install::text_browser()?;
    play(&journeys, "journeys", request, |_| ())
}

/// Runs Playwright's tests of one project; `has` adds to their command.
pub fn play(
    journeys: &Journeys,
    project: &str,
    request: &Request<'_>,
    has: impl FnOnce(&mut Command),
) -> Result<Tally> {
    let report = workspace::scratch().join("playwright.json");
    // A report of an earlier run must not be taken for this one's.
    if report.exists() {
        fs::remove_file(&report).at(&report)?;
    }
    let mut test = process::command(tool("npx")?);
    test.current_dir(&journeys.folder)
        .args(["--no", "playwright", "test", "--project", project]);
    test.arg("--reporter=list,json").args(request.arguments);
    test.env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report)
        .env("PLAYWRIGHT_JSON_OUTPUT_NAME", &report);
    test.env("VESTIBULE_BIN", workspace::server(false))
        .env("LEPTOS_SITE_ROOT", workspace::test_site());
    test.env("LEPTOS_SITE_PKG_DIR", "pkg")
        .env("LEPTOS_OUTPUT_NAME", workspace::NAME);
    test.envs(
        journeys
            .chromium
            .iter()
            .map(|chromium| ("CHROMIUM_PATH", chromium)),
    );
    has(&mut test);
    let outcome = process::run(&mut test);
    let tally = fs::read_to_string(&report)
        .ok()
        .and_then(|text| Tally::of_playwright(&text));
    match (outcome, tally) {
        (Ok(()), Some(tally)) if tally.passed > 0 => Ok(tally),
        (Ok(()), _) => Err(Fault::new("Playwright ran no test")),
        (Err(_), Some(tally)) if tally.failed > 0 => Ok(tally),
        (Err(fault), _) => Err(fault),
    }
}

/// The programs that drive a browser through the journeys.
pub struct Journeys {
    /// The folder with their packages installed.
    pub folder: PathBuf,
    /// The browser; without one, Playwright has its own.
    pub chromium: Option<PathBuf>,
}

/// Installs what the journeys need.
pub fn prepare() -> Result<Journeys> {
    let folder = workspace::root().join("end2end");
    install::node()?;
    let chromium = install::chromium()?;
    dependencies(&folder)?;
    if chromium.is_none() {
        // `--no` keeps npx from downloading another Playwright where ours is missing.
        let mut download = process::command(tool("npx")?);
        process::run(download.current_dir(&folder).args([
            "--no",
            "playwright",
            "install",
            "chromium",
        ]))?;
    }
    Ok(Journeys { folder, chromium })
}

/// Installs the packages of the lock file, unless the last installation was of the same one.
pub fn dependencies(folder: &Path) -> Result {
    let lock = folder.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).at(&lock)?;
    let note = folder.join("node_modules/.installed-lock.json");
    if fs::read_to_string(&note).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let mut install = process::command(tool("npm")?);
    // None of their scripts runs before a test calls it.
    process::run(install.current_dir(folder).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ]))?;
    fs::write(&note, wanted).at(&note)
}

/// A program that comes with Node.
pub fn tool(name: &str) -> Result<PathBuf> {
    process::on_path(name).ok_or_else(|| {
        Fault::new(format!(
            "`{name}` is not on the PATH; it comes with Node's npm"
        ))
    })
}
