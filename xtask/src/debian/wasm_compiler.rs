//! The wasm target from Debian's archive, for machines that reach apt and crates.io but not
//! rustup's server.
//!
//! Debian carries a second, recent Rust for its browsers (`rustc-web`), with the sources of the
//! standard library but without the library for wasm32. We build that library once, and put it
//! where the compiler looks for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::apt::{self, Package};
use crate::error::{At, Error, Result};
use crate::process;
use crate::step::step;
use crate::workspace::{self, TARGET};

const CARGO: &str = "/usr/bin/cargo";
const CARGO_CLIPPY: &str = "/usr/bin/cargo-clippy";
const RUSTC: &str = "/usr/bin/rustc";
const SYSROOT: &str = "/usr/lib/rustlib";

/// The packages of the compiler, the standard library's sources and the linker.
const PACKAGES: [Package; 5] = [
    Package("rustc-web"),
    Package("cargo-web"),
    Package("rust-web-src"),
    Package("rust-web-llvm"),
    Package("lld-22"),
];

/// The package that checks the client's code when this compiler builds it; only the tests need it.
pub const CLIPPY: Package = Package("rust-web-clippy");

/// Debian's cargo with Debian's compiler, whichever toolchain started us.
pub fn cargo() -> Command {
    cargo_of(CARGO)
}

fn cargo_of(program: &str) -> Command {
    let mut command = process::command(program);
    command.env("RUSTC", RUSTC);
    for name in [
        "RUSTUP_TOOLCHAIN",
        "RUSTDOC",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "LD_LIBRARY_PATH",
    ] {
        command.env_remove(name);
    }
    command
}

/// Debian's clippy, without the arguments of `cargo clippy`.
///
/// It is started by its path: cargo looks for its subcommands in rustup's folder first, and finds
/// the one that belongs to the other compiler.
pub fn clippy() -> Command {
    let mut command = cargo_of(CARGO_CLIPPY);
    command.env("CARGO", CARGO).arg("clippy");
    command
}

/// Whether this machine has what this file needs.
pub fn is_possible() -> bool {
    cfg!(target_os = "linux") && apt::is_available()
}

/// Whether everything is in place and compiles.
pub fn is_ready() -> bool {
    is_possible() && workspace::holds_core(&library()) && verify().is_ok()
}

/// Installs the compiler, then builds and installs the standard library.
pub fn make_ready() -> Result {
    step("wasm compiler from Debian", || apt::install(&PACKAGES))?;
    let built = step("wasm standard library", build_library)?;
    install_library(&built)?;
    verify()?;
    // What was compiled against an older library cannot be linked to this one ("can't find crate").
    remove_folder(&workspace::front())
}

fn library() -> PathBuf {
    Path::new(SYSROOT).join(TARGET).join("lib")
}

/// Builds the standard library for an empty crate and returns the folder with the compiled parts.
fn build_library() -> Result<PathBuf> {
    let folder = workspace::scratch().join("wasm-std");
    remove_folder(&folder)?;
    write(&folder.join("src/lib.rs"), "")?;
    // Its own workspace, or cargo would add it to the project around it.
    let manifest =
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n";
    write(&folder.join("Cargo.toml"), manifest)?;
    let mut compile = cargo();
    compile
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"));
    // Building the standard library is an unstable option, which this variable enables in a
    // stable compiler.
    compile.env("RUSTC_BOOTSTRAP", "1");
    // Without the bitcode, link-time optimisation of the client fails.
    compile.env("RUSTFLAGS", "-Cembed-bitcode=yes -Copt-level=z");
    compile.args(["build", "--release", "--target", TARGET]);
    compile.args([
        "-Zbuild-std=std,panic_abort",
        "-Zbuild-std-features=optimize_for_size",
    ]);
    process::run(&mut compile)?;
    let parts = folder.join("target").join(TARGET).join("release/deps");
    let built = folder.join("lib");
    fs::create_dir_all(&built).at(&built)?;
    for entry in fs::read_dir(&parts).at(&parts)?.flatten() {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text.ends_with(".rlib") && !text.starts_with("libempty-") {
            fs::copy(entry.path(), built.join(&name)).at(&entry.path())?;
        }
    }
    Ok(built)
}

/// Puts the library where the compiler looks for it.
fn install_library(built: &Path) -> Result {
    let target = library();
    if !process::is_root() {
        let commands = format!(
            "rm -rf {0} && mkdir -p {0} && cp {1}/* {0}/",
            target.display(),
            built.display()
        );
        return Err(Error::new(format!(
            "the wasm standard library is built; run `sudo sh -c '{commands}'`, then start again"
        )));
    }
    // Parts of an older build have other names and would be found twice.
    remove_folder(&target)?;
    fs::create_dir_all(&target).at(&target)?;
    for entry in fs::read_dir(built).at(built)?.flatten() {
        fs::copy(entry.path(), target.join(entry.file_name())).at(&entry.path())?;
    }
    Ok(())
}

/// Compiles a few lines: a library of another compiler version has the right names and does not
/// work.
fn verify() -> Result {
    let folder = workspace::scratch().join("wasm-probe");
    let source = folder.join("probe.rs");
    write(
        &source,
        "pub fn probe(number: u32) -> String {\n    format!(\"{number}\")\n}\n",
    )?;
    let mut compile = process::command(RUSTC);
    compile.current_dir(&folder).env_remove("LD_LIBRARY_PATH");
    compile.args([
        "--edition",
        "2024",
        "--crate-type",
        "cdylib",
        "--target",
        TARGET,
        "probe.rs",
    ]);
    if process::succeeds(&mut compile) {
        return Ok(());
    }
    Err(Error::new(format!(
        "Debian's compiler cannot build for {TARGET}; remove {} and start again",
        library().display()
    )))
}

fn write(path: &Path, text: &str) -> Result {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).at(folder)?;
    }
    fs::write(path, text).at(path)
}

fn remove_folder(path: &Path) -> Result {
    if path.exists() {
        fs::remove_dir_all(path).at(path)
    } else {
        Ok(())
    }
}
