//! Debian packages, and the programs that the browser tests need: Node, a Chromium, a text browser
//! and the browsers of other engines.

use std::env;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::Command;

use crate::fault::{Fault, Result};
use crate::process;

/// The name of a Debian package.
#[derive(Clone, Copy)]
pub struct Package(pub &'static str);

/// The oldest Node that the browser tests are run with.
const NODE: u32 = 18;

/// Whether packages can be installed by apt.
pub fn has_apt() -> bool {
    process::on_path("apt-get").is_some() && process::on_path("dpkg-query").is_some()
}

/// Whether we may write to the system's folders.
pub fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Installs those of `wanted` that are missing.
///
/// At a terminal, it asks first. Without the right to install, it prints the command.
pub fn packages(wanted: &[Package]) -> Result {
    let missing: Vec<&str> = wanted
        .iter()
        .map(|package| package.0)
        .filter(|name| !is_installed(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    // No installed package may be removed: `rustc-web`, for one, conflicts with Debian's own
    // `rustc` and `rustup`.
    let options = "install -y --no-remove --no-install-recommends";
    let line = format!("apt-get {options} {}", missing.join(" "));
    if !is_root() {
        return Err(Fault::new(format!(
            "some programs are missing; run `sudo {line}`, then start again"
        )));
    }
    if !consent(&line)? {
        return Err(Fault::new(format!(
            "nothing was installed; run `{line}` when it suits you, then start again"
        )));
    }
    let apt = |words: &mut dyn Iterator<Item = &str>| {
        let mut command = process::command("apt-get");
        process::run(command.env("DEBIAN_FRONTEND", "noninteractive").args(words))
    };
    let install = || apt(&mut options.split(' ').chain(missing.iter().copied()));
    // The lists of a fresh image are empty or old, but reading them again takes a while and is
    // seldom needed.
    install().or_else(|_| apt(&mut ["update"].into_iter()).and_then(|()| install()))
}

fn is_installed(name: &str) -> bool {
    let mut ask = process::command("dpkg-query");
    ask.args(["-W", "-f=${db:Status-Status}", name])
        .stderr(std::process::Stdio::null());
    ask.output()
        .is_ok_and(|output| output.stdout == b"installed")
}

fn consent(line: &str) -> Result<bool> {
    if process::in_ci() || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(true);
    }
    print!("May I run `{line}`? [Y/n] ");
    let _ = io::stdout().flush();
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Fault::new(format!("the answer could not be read: {error}")))?;
    Ok(matches!(
        answer.trim().to_lowercase().as_str(),
        "" | "y" | "yes"
    ))
}

/// Makes sure that a Node new enough for the browser tests is installed, with npm.
pub fn node() -> Result {
    if node_is_good() {
        return Ok(());
    }
    let advice = format!("the browser tests need Node {NODE} or newer with npm on the PATH");
    if !has_apt() {
        return Err(Fault::new(format!("{advice}; install it and start again")));
    }
    packages(&[Package("nodejs"), Package("npm")])?;
    if node_is_good() {
        Ok(())
    } else {
        Err(Fault::new(format!(
            "{advice}; the one that apt has is older"
        )))
    }
}

fn node_is_good() -> bool {
    let Some(node) = process::on_path("node") else {
        return false;
    };
    if process::on_path("npm").is_none() {
        return false;
    }
    process::output(process::command(node).arg("--version"))
        .is_ok_and(|version| major(&version) >= NODE)
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

/// The text browser in which one of the browser tests reads the pages. Without it, and without
/// apt, that test is skipped.
pub fn text_browser() -> Result {
    if process::on_path("w3m").is_none() && has_apt() {
        packages(&[Package("w3m")])?;
    }
    Ok(())
}

/// A Chromium for the browser tests; none where Playwright should bring its own.
pub fn chromium() -> Result<Option<PathBuf>> {
    if let Some(path) = env::var_os("CHROMIUM_PATH").or_else(|| env::var_os("CHROMIUM")) {
        return Ok(Some(path.into()));
    }
    if let Some(path) = installed_chromium() {
        return Ok(Some(path));
    }
    if has_apt() {
        packages(&[Package("chromium")])?;
    }
    Ok(installed_chromium())
}

fn installed_chromium() -> Option<PathBuf> {
    [
        "chromium",
        "chromium-browser",
        "google-chrome-stable",
        "google-chrome",
    ]
    .into_iter()
    .find_map(process::on_path)
}

/// A Firefox, for the tests with other engines.
pub fn firefox() -> Result<PathBuf> {
    let installed = || {
        ["firefox-esr", "firefox"]
            .into_iter()
            .find_map(process::on_path)
    };
    if installed().is_none() && has_apt() {
        packages(&[Package("firefox-esr")])?;
    }
    installed().ok_or_else(|| Fault::new("there is no `firefox` on the PATH; install it"))
}

/// The program that drives the Linux build of Safari's engine, which needs a screen to draw on.
pub fn webkit() -> Result<PathBuf> {
    let installed = || process::on_path("Xvfb").and_then(|_| process::on_path("WebKitWebDriver"));
    if installed().is_none() && has_apt() {
        packages(&[Package("webkit2gtk-driver"), Package("xvfb")])?;
    }
    installed().ok_or_else(|| {
        Fault::new("`WebKitWebDriver` and `Xvfb` are not both on the PATH; install them")
    })
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
