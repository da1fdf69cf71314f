//! A newcomer's program: the one in README.md, with the crates as they are packed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{At, Error, Result};
use crate::servers::server::free_port;
use crate::{package, process, workspace};

/// Where the page says that the program listens.
const ADDRESS: &str = "127.0.0.1:3000";

/// What a newcomer's `Cargo.toml` says around what the page shows: it is compiled as the project is,
/// so that what is compiled already serves again.
const PACKAGE: &str = "\
[package]
name = \"newcomer\"
edition = \"2024\"

[workspace]

[profile.dev]
debug = \"line-tables-only\"

[profile.dev.package.\"*\"]
debug = false

[profile.dev.package.argon2]
opt-level = 3

[profile.dev.package.blake2]
opt-level = 3

[profile.dev.package.sha2]
opt-level = 3

[profile.dev.package.chacha20]
opt-level = 3

";

/// Builds the program with the client of the tests packed, and tells where it is and at which port
/// of this machine it listens.
pub fn build() -> Result<(PathBuf, u16)> {
    let folder = workspace::scratch().join("newcomer");
    if folder.exists() {
        fs::remove_dir_all(&folder).at(&folder)?;
    }
    let source = folder.join("src");
    fs::create_dir_all(&source).at(&source)?;
    for package in package::pack(&workspace::test_site())? {
        unpack(&package, &folder)?;
        let unpacked = folder.join(package.file_stem().unwrap_or_default());
        for licence in package::LICENCES {
            fs::metadata(unpacked.join(licence)).at(&package)?;
        }
    }
    let page = workspace::root().join("README.md");
    let page = fs::read_to_string(&page).at(&page)?;
    let port = free_port()?;
    let program = block(&page, "rust,no_run")?.replace(ADDRESS, &format!("127.0.0.1:{port}"));
    write(&source.join("main.rs"), &program)?;
    let manifest = PACKAGE.to_owned() + block(&page, "toml")?;
    write(&folder.join("Cargo.toml"), &manifest)?;
    // The versions that the project is tested with.
    let lock = workspace::root().join("Cargo.lock");
    fs::copy(&lock, folder.join("Cargo.lock")).at(&lock)?;
    let mut build = process::cargo();
    build
        .current_dir(&folder)
        .args(["build", "--target-dir"])
        .arg(workspace::target());
    process::run(&mut build)?;
    Ok((workspace::target().join("debug/newcomer"), port))
}

fn unpack(package: &Path, folder: &Path) -> Result {
    let mut tar = process::command("tar");
    tar.arg("-xzf").arg(package).arg("-C").arg(folder);
    process::run(&mut tar)
}

/// The first block of this kind in a page.
fn block<'p>(page: &'p str, kind: &str) -> Result<&'p str> {
    page.split_once(&format!("```{kind}\n"))
        .and_then(|(_, rest)| rest.split_once("```"))
        .map(|(block, _)| block)
        .ok_or_else(|| Error::new(format!("README.md shows no `{kind}`")))
}

fn write(path: &Path, text: &str) -> Result {
    fs::write(path, text).at(path)
}
