//! The public API that is promised: `cargo xtask api` writes it down in `api/`, and
//! `cargo xtask test api` holds the crates to that.
//!
//! docs/TOOLCHAIN.md says what is promised. cargo-semver-checks knows more rules, but brings 400
//! crates and compares with a published version, of which there is none yet.

mod changes;
mod surface;

use std::fs;
use std::path::PathBuf;

use crate::error::{At, Error, Result};
use crate::test::rust_version;
use crate::test_counts::TestCounts;
use crate::workspace;

/// The crates whose public API is promised. The server needs exactly its own version of the others,
/// whose API may change with any.
const PROMISED: [&str; 2] = ["vestibule-server", "vestibule-broker"];

/// Writes the API down as it is now.
pub fn api(arguments: &[String]) -> Result {
    if !arguments.is_empty() {
        return Err(Error::new("`cargo xtask api` takes nothing"));
    }
    if let Some(other) = rust_version::other_than_oldest()? {
        return Err(Error::new(format!(
            "the API is written down with Rust {}, for others spell it in another way; this is {other}",
            rust_version::OLDEST
        )));
    }
    surface::describe()?;
    for package in PROMISED {
        let path = list(package);
        let lines = surface::lines(package)?;
        fs::write(&path, lines.join("\n") + "\n").at(&path)?;
        println!("{}: {} lines", path.display(), lines.len());
    }
    Ok(())
}

/// The API is what is written down. It is compared with the oldest compiler alone: with another one
/// this is skipped, which is an error in continuous integration.
pub fn check() -> Result<TestCounts> {
    if let Some(other) = rust_version::other_than_oldest()? {
        println!(
            "the API is not compared: it is written down with Rust {}, and this is {other}",
            rust_version::OLDEST
        );
        return Ok(TestCounts::SKIPPED);
    }
    surface::describe()?;
    let mut broken = 0;
    for package in PROMISED {
        let path = list(package);
        let written = fs::read_to_string(&path).at(&path)?;
        for change in changes::between(&written, &surface::lines(package)?) {
            broken += 1;
            println!("{}", change.advice(package, env!("CARGO_PKG_VERSION")));
        }
    }
    if broken == 0 {
        return Ok(TestCounts::PASS);
    }
    Err(Error::new(format!(
        "{broken} lines of the API are not as api/ has them"
    )))
}

/// Where the API of a crate is written down.
fn list(package: &str) -> PathBuf {
    workspace::root().join(format!("api/{package}.txt"))
}
