//! `cargo xtask build`: the server and the site, to use or to deploy.

use crate::client::{self, Kind, Warnings};
use crate::fault::{Fault, Result};
use crate::step::step;
use crate::{precompress, server, site, workspace};

/// Builds everything; with `--release`, for deployment.
pub fn build(arguments: &[String]) -> Result {
    let release = match arguments {
        [] => false,
        [only] if only == "--release" => true,
        _ => {
            return Err(Fault::new(
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
    client::build(
        if release { Kind::Small } else { Kind::Quick },
        Warnings::Shown,
        &site,
    )?;
    site::lay_out(&site)?;
    if release {
        step("compression", || precompress::folder(&site))?;
    }
    server::build(release)
}
