//! `cargo xtask run`: from a fresh clone to a running server.

use crate::client::{self, Kind, Warnings};
use crate::fault::Result;
use crate::step::step;
use crate::{process, server, site, workspace};

/// Builds what has changed, then becomes the server. `arguments` go to the server.
pub fn run(arguments: &[String]) -> Result {
    let site = workspace::site();
    step("build", || {
        client::build(Kind::Quick, Warnings::Shown, &site)?;
        site::lay_out(&site)?;
        server::build(false)
    })?;
    let mut start = process::command(workspace::server(false));
    server::point_to(&mut start, &site)
        .current_dir(workspace::root())
        .args(arguments);
    become_it(&mut start)
}

/// Replaces this process by the server, so that Ctrl-C reaches the server and its exit status
/// reaches the terminal.
#[cfg(unix)]
fn become_it(start: &mut std::process::Command) -> Result {
    use std::os::unix::process::CommandExt;

    let error = start.exec();
    Err(crate::fault::Fault::new(format!(
        "the server could not be started: {error}"
    )))
}

#[cfg(not(unix))]
fn become_it(start: &mut std::process::Command) -> Result {
    process::run(start)
}
