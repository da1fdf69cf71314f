//! The programs that the browser tests need: Node, a Chromium, a text browser and the browsers of
//! other engines.

use std::env;
use std::path::PathBuf;

use crate::debian::apt::{self, Package};
use crate::error::{Error, Result};
use crate::process;

/// The oldest Node that the browser tests are run with.
pub const NODE: u32 = 18;

/// Makes sure that this version of Node or a newer one is installed, with npm.
pub fn node(oldest: u32) -> Result {
    let installed = || node_is_from(oldest).then_some(());
    apt::find_or_install(installed, &[Package("nodejs"), Package("npm")])?.ok_or_else(|| {
        Error::new(format!(
            "there is no Node {oldest} or newer with npm on the PATH; install it and start again"
        ))
    })
}

fn node_is_from(oldest: u32) -> bool {
    let Some(node) = process::on_path("node") else {
        return false;
    };
    if process::on_path("npm").is_none() {
        return false;
    }
    process::output(process::command(node).arg("--version"))
        .is_ok_and(|version| major(&version) >= oldest)
}

fn major(version: &str) -> u32 {
    version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// The text browser in which one of the browser tests reads the pages. Without it, that test is
/// skipped.
pub fn text_browser() -> Result {
    apt::find_or_install(|| process::on_path("w3m"), &[Package("w3m")])?;
    Ok(())
}

/// A Chromium for the browser tests; none where Playwright should bring its own.
pub fn chromium() -> Result<Option<PathBuf>> {
    if let Some(path) = env::var_os("CHROMIUM_PATH").or_else(|| env::var_os("CHROMIUM")) {
        return Ok(Some(path.into()));
    }
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome-stable",
        "google-chrome",
    ];
    apt::find_or_install(|| first_on_path(&names), &[Package("chromium")])
}

/// A Firefox, for the tests with other engines.
pub fn firefox() -> Result<PathBuf> {
    let names = ["firefox-esr", "firefox"];
    apt::find_or_install(|| first_on_path(&names), &[Package("firefox-esr")])?
        .ok_or_else(|| Error::new("there is no `firefox` on the PATH; install it"))
}

/// The program that drives the Linux build of Safari's engine, which needs a screen to draw on.
pub fn webkit() -> Result<PathBuf> {
    let find = || process::on_path("Xvfb").and_then(|_| process::on_path("WebKitWebDriver"));
    apt::find_or_install(find, &[Package("webkit2gtk-driver"), Package("xvfb")])?.ok_or_else(|| {
        Error::new("`WebKitWebDriver` and `Xvfb` are not both on the PATH; install them")
    })
}

fn first_on_path(names: &[&str]) -> Option<PathBuf> {
    names.iter().find_map(|name| process::on_path(name))
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn a_node_version_is_read_to_its_first_number() {
        assert_eq!(major("v18.20.4\n"), 18);
        assert_eq!(major("22.1.0"), 22);
    }

    #[test]
    fn what_is_not_a_version_counts_as_too_old() {
        assert_eq!(major("command not found"), 0);
    }
}
