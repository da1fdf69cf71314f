//! The journeys in a real browser, against the real server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Options, programs};
use crate::build::server as binary;
use crate::error::{At, Error, Result};
use crate::test_counts::TestCounts;
use crate::{process, workspace};

/// Builds the server that the journeys use.
pub fn server(_: &Options<'_>) -> Result<TestCounts> {
    binary::build(false)?;
    Ok(TestCounts::PASS)
}

/// Where the server's addresses lie: it has the host to itself, or shares it with an application.
const BASES: [&str; 2] = ["", "/auth"];

/// Runs the journeys, at each base.
pub fn browser(options: &Options<'_>) -> Result<TestCounts> {
    let playwright = install()?;
    programs::text_browser()?;
    let mut counts = TestCounts::default();
    for base in BASES {
        println!("at {}", if base.is_empty() { "/" } else { base });
        counts += run(&playwright, "journeys", options, |test| {
            test.env("VESTIBULE_TEST_BASE", base);
        })?;
    }
    Ok(counts)
}

/// Runs Playwright's tests of one project; `configure` adds to their command.
pub fn run(
    playwright: &Playwright,
    project: &str,
    options: &Options<'_>,
    configure: impl FnOnce(&mut Command),
) -> Result<TestCounts> {
    let report = workspace::scratch().join("playwright.json");
    // A report of an earlier run must not be taken for this one's.
    if report.exists() {
        fs::remove_file(&report).at(&report)?;
    }
    let mut test = process::command(tool("npx")?);
    test.current_dir(&playwright.folder)
        .args(["--no", "playwright", "test", "--project", project]);
    test.arg("--reporter=list,json").args(options.arguments);
    test.env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report)
        .env("PLAYWRIGHT_JSON_OUTPUT_NAME", &report);
    test.env("VESTIBULE_BIN", workspace::server(false))
        .env("LEPTOS_SITE_ROOT", workspace::test_site());
    test.envs(
        playwright
            .chromium
            .iter()
            .map(|chromium| ("CHROMIUM_PATH", chromium)),
    );
    configure(&mut test);
    let outcome = process::run(&mut test);
    let counts = fs::read_to_string(&report)
        .ok()
        .and_then(|text| TestCounts::from_playwright_report(&text));
    match (outcome, counts) {
        (Ok(()), Some(counts)) if counts.passed > 0 => Ok(counts),
        (Ok(()), _) => Err(Error::new("Playwright ran no test")),
        (Err(_), Some(counts)) if counts.failed > 0 => Ok(counts),
        (Err(error), _) => Err(error),
    }
}

/// Playwright, and the browser that it drives.
pub struct Playwright {
    /// The folder with their packages installed.
    pub folder: PathBuf,
    /// The browser; without one, Playwright has its own.
    pub chromium: Option<PathBuf>,
}

/// Installs what the journeys need.
pub fn install() -> Result<Playwright> {
    let folder = workspace::root().join("end2end");
    programs::node(programs::NODE)?;
    let chromium = programs::chromium()?;
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
    Ok(Playwright { folder, chromium })
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
        Error::new(format!(
            "`{name}` is not on the PATH; it comes with Node's npm"
        ))
    })
}
