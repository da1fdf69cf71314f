//! `cargo xtask build`: the server and the site, to use or to deploy.

pub mod client;
pub mod precompress;
pub mod server;
pub mod site;
mod style;
pub mod wasm_target;

use client::{ClientBuild, Profile, Warnings};

use crate::error::{Error, Result};
use crate::step::step;
use crate::workspace;

/// Builds everything; with `--release`, for deployment.
pub fn build(arguments: &[String]) -> Result {
    let release = match arguments {
        [] => false,
        [only] if only == "--release" => true,
        _ => {
            return Err(Error::new(
                "`cargo xtask build` takes `--release` or nothing",
            ));
        }
    };
    everything(release)?;
    println!("server {}", workspace::server(release).display());
    println!("site   {}", workspace::site().display());
    Ok(())
}

/// Builds the server and the site.
pub fn everything(release: bool) -> Result {
    let site = workspace::site();
    let profile = if release {
        Profile::Small
    } else {
        Profile::Quick
    };
    ClientBuild::of_vestibule(profile).build(Warnings::Shown, &site)?;
    site::assemble(&site)?;
    if release {
        step("compression", || precompress::folder(&site))?;
    }
    server::build(release)
}
