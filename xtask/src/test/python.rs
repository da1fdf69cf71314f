//! Pythons with packages of their own, each in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::debian::apt::{self, Package};
use crate::error::{At, Result};
use crate::{process, workspace};

/// A Python that has the packages of the `list`, and nothing else.
pub fn with(list: &Path, name: &str) -> Result<PathBuf> {
    let wanted = fs::read_to_string(list).at(list)?;
    let folder = workspace::target().join(name);
    let program = folder.join("bin/python");
    let note = folder.join("installed.txt");
    if program.exists() && fs::read_to_string(&note).is_ok_and(|installed| installed == wanted) {
        return Ok(program);
    }
    let make = || {
        process::run(
            process::command("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )
    };
    if let Err(error) = make() {
        if !apt::is_available() {
            return Err(error);
        }
        // Debian's Python comes without the module.
        apt::install(&[Package("python3-venv")])?;
        make()?;
    }
    install(&program, &["--requirement", &list.to_string_lossy()], None)?;
    fs::write(&note, wanted).at(&note)?;
    Ok(program)
}

/// Installs these packages beside the Python `program`, or into a `folder`: only those, and none of
/// their scripts runs before a test calls it.
pub fn install(program: &Path, packages: &[&str], folder: Option<&Path>) -> Result {
    let exactly = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
    ];
    let mut install = process::command(program);
    install.args(exactly).args(packages);
    if let Some(folder) = folder {
        install.arg("--target").arg(folder);
    }
    process::run(&mut install)
}
