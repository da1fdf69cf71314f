//! `cargo xtask run`: from a fresh clone to a running server.

use crate::build::client::{ClientBuild, Profile, Warnings};
use crate::build::{server, site};
use crate::error::Result;
use crate::step::step;
use crate::{process, workspace};

/// Builds what has changed, then becomes the server. `arguments` go to the server.
pub fn run(arguments: &[String]) -> Result {
    let site = workspace::site();
    step("build", || {
        ClientBuild::of_vestibule(Profile::Quick).build(Warnings::Shown, &site)?;
        site::assemble(&site)?;
        server::build(false)
    })?;
    let mut start = process::command(workspace::server(false));
    server::set_variables(&mut start, &site)
        .current_dir(workspace::root())
        .args(arguments);
    exec(&mut start)
}

/// Replaces this process by the server, so that Ctrl-C reaches the server and its exit status
/// reaches the terminal.
#[cfg(unix)]
fn exec(start: &mut std::process::Command) -> Result {
    use std::os::unix::process::CommandExt;

    let error = start.exec();
    Err(crate::error::Error::new(format!(
        "the server could not be started: {error}"
    )))
}

#[cfg(not(unix))]
fn exec(start: &mut std::process::Command) -> Result {
    process::run(start)
}
