//! The server's binary: how it is built, and the environment in which it finds its site.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::error::Result;
use crate::step::step;
use crate::workspace::NAME;
use crate::{process, workspace};

/// The server's package.
pub const PACKAGE: &str = "vestibule-server";

/// Builds the binary in the `dev` or the `release` profile.
pub fn build(release: bool) -> Result {
    step("server", || {
        let mut build = process::cargo();
        build
            .current_dir(workspace::root())
            .args(["build", "--package", PACKAGE, "--bin", NAME]);
        if release {
            build.arg("--release");
        }
        process::run(&mut build)
    })
}

/// Tells a server where to listen and where the public folder is.
pub fn set_variables<'a>(command: &'a mut Command, site: &Path) -> &'a mut Command {
    if env::var_os("LEPTOS_SITE_ADDR").is_none() {
        command.env("LEPTOS_SITE_ADDR", "127.0.0.1:3000");
    }
    command.env("LEPTOS_SITE_ROOT", site)
}
