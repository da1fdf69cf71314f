//! A newcomer's program: the one in docs/EMBEDDING.md, with the crates as they are packed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{At, Error, Result};
use crate::servers::server::free_port;
use crate::{package, process, workspace};

/// Where the page says that the program listens.
const ADDRESS: &str = "127.0.0.1:3000";

/// What a newcomer's `Cargo.toml` says. The packages are named where a registry would be asked, and
/// compiled as the project is, so that what is compiled already serves again.
const MANIFEST: &str = "\
[package]
name = \"newcomer\"
edition = \"2024\"

[dependencies]
axum = \"0.8\"
tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\", \"net\"] }
vestibule-server = \"0.1\"

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

[workspace]

[patch.crates-io]
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
    let mut manifest = MANIFEST.to_owned();
    for (name, package) in package::CRATES
        .iter()
        .zip(package::pack(&workspace::test_site())?)
    {
        let unpacked = unpack(&package, &folder)?;
        let patch = format!("{name} = {{ path = {unpacked:?} }}\n");
        manifest.push_str(&patch);
    }
    let port = free_port()?;
    write(&folder.join("Cargo.toml"), &manifest)?;
    write(&source.join("main.rs"), &program(port)?)?;
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

/// Unpacks a package below `folder`, and returns the name of its folder there.
fn unpack(package: &Path, folder: &Path) -> Result<String> {
    let mut tar = process::command("tar");
    tar.arg("-xzf").arg(package).arg("-C").arg(folder);
    process::run(&mut tar)?;
    let name = package.file_stem().unwrap_or_default();
    Ok(name.to_string_lossy().into_owned())
}

/// The program that the page shows, at another port.
fn program(port: u16) -> Result<String> {
    let page = workspace::root().join("docs/EMBEDDING.md");
    let text = fs::read_to_string(&page).at(&page)?;
    let program = text
        .split_once("```rust,no_run\n")
        .and_then(|(_, rest)| rest.split_once("```"));
    let (program, _) =
        program.ok_or_else(|| Error::new(format!("{} shows no program", page.display())))?;
    Ok(program.replace(ADDRESS, &format!("127.0.0.1:{port}")))
}

fn write(path: &Path, text: &str) -> Result {
    fs::write(path, text).at(path)
}
