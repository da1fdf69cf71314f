//! nginx, only as a program.

use std::fs;
use std::path::PathBuf;

use crate::debian::apt::{self, Package};
use crate::error::{At, Error, Result};
use crate::{process, workspace};

/// The program. Debian's package would start a server on the machine's own ports, so it is unpacked
/// and not installed.
pub fn program() -> Result<PathBuf> {
    let system = || Some(PathBuf::from("/usr/sbin/nginx")).filter(|program| program.exists());
    if let Some(program) = process::on_path("nginx").or_else(system) {
        return Ok(program);
    }
    if !apt::is_available() {
        return Err(Error::new("there is no `nginx` on the PATH; install it"));
    }
    let folder = workspace::target().join("nginx");
    let program = folder.join("usr/sbin/nginx");
    if !program.exists() {
        fs::create_dir_all(&folder).at(&folder)?;
        let download = || {
            process::run(
                process::command("apt-get")
                    .current_dir(&folder)
                    .args(["download", "nginx"]),
            )
        };
        // The lists of a fresh image are empty or old.
        download().or_else(|_| {
            process::run(process::command("apt-get").arg("update")).and_then(|()| download())
        })?;
        process::run(
            process::command("sh")
                .current_dir(&folder)
                .args(["-c", "dpkg -x nginx_*.deb ."]),
        )?;
    }
    // Its libraries are on every Debian, except PCRE.
    if !process::succeeds(process::command(&program).arg("-v")) {
        apt::install(&[Package("libpcre2-8-0")])?;
    }
    Ok(program)
}
