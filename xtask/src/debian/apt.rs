//! Debian packages.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::Stdio;

use crate::error::{Error, Result};
use crate::process;

/// The name of a Debian package.
#[derive(Clone, Copy)]
pub struct Package(pub &'static str);

/// Whether packages can be installed.
pub fn is_available() -> bool {
    process::on_path("apt-get").is_some() && process::on_path("dpkg-query").is_some()
}

/// What `find` finds, if need be after installing the packages. Without apt, nothing is installed.
pub fn find_or_install<T>(find: impl Fn() -> Option<T>, packages: &[Package]) -> Result<Option<T>> {
    if let Some(found) = find() {
        return Ok(Some(found));
    }
    if is_available() {
        install(packages)?;
    }
    Ok(find())
}

/// Installs those packages that are missing.
///
/// At a terminal, it asks first. Without the right to install, it prints the command.
pub fn install(packages: &[Package]) -> Result {
    let missing: Vec<&str> = packages
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
    if !process::is_root() {
        return Err(Error::new(format!(
            "some programs are missing; run `sudo {line}`, then start again"
        )));
    }
    if !may_run(&line)? {
        return Err(Error::new(format!(
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
        .stderr(Stdio::null());
    ask.output()
        .is_ok_and(|output| output.stdout == b"installed")
}

/// Asks at a terminal; elsewhere, the answer is yes.
fn may_run(line: &str) -> Result<bool> {
    if process::in_ci() || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(true);
    }
    print!("May I run `{line}`? [Y/n] ");
    let _ = io::stdout().flush();
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Error::new(format!("the answer could not be read: {error}")))?;
    Ok(matches!(
        answer.trim().to_lowercase().as_str(),
        "" | "y" | "yes"
    ))
}
