//! `cargo xtask package`: the crates as they can be published, with the built client in the server's.

use std::fs;
use std::path::{Path, PathBuf};

use crate::build::client::{ClientBuild, Profile, Warnings};
use crate::build::{precompress, site};
use crate::error::{At, Error, Result};
use crate::step::step;
use crate::{copy, process, workspace};

/// The crates that can be published, each after those that it needs.
pub const CRATES: [&str; 5] = [
    "vestibule-protocol",
    "vestibule",
    "vestibule-app",
    "vestibule-broker",
    "vestibule-server",
];

/// The licences, which each package has.
pub const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// What stands before the build's id in the client.
const MARK: &[u8] = b"vestibule-build:";
/// How long the id is.
const ID_LENGTH: usize = 16;

/// Builds the client, packs the crates, and says where they are.
pub fn package(arguments: &[String]) -> Result {
    if !arguments.is_empty() {
        return Err(Error::new("`cargo xtask package` takes nothing"));
    }
    let site = workspace::scratch().join("package-site");
    ClientBuild::of_vestibule(Profile::Small).build(Warnings::Shown, &site)?;
    site::assemble(&site)?;
    step("compression", || precompress::folder(&site))?;
    for package in pack(&site)? {
        println!("{}", package.display());
    }
    Ok(())
}

/// Packs the crates, with the release client that is in `site`.
///
/// It works on a copy of the project: the client is no part of the sources.
pub fn pack(site: &Path) -> Result<Vec<PathBuf>> {
    let source = workspace::scratch().join("package");
    fs::create_dir_all(&source).at(&source)?;
    copy::refresh(&workspace::root(), &source)?;
    add(site, &source.join("server/client/site"))?;
    for folder in ["app", "broker", "protocol", "server"] {
        for licence in LICENCES {
            let from = source.join(licence);
            fs::copy(&from, source.join(folder).join(licence)).at(&from)?;
        }
    }
    let id = source.join("app/build-id");
    fs::write(&id, build_id(site)?).at(&id)?;
    let mut pack = process::cargo();
    pack.current_dir(&source)
        .args(["package", "--quiet", "--no-verify", "--allow-dirty"])
        .arg("--target-dir")
        .arg(workspace::target());
    for name in CRATES {
        pack.args(["--package", name]);
    }
    process::run(&mut pack)?;
    let folder = workspace::target().join("package");
    let version = env!("CARGO_PKG_VERSION");
    let packages = CRATES.map(|name| folder.join(format!("{name}-{version}.crate")));
    Ok(packages.into())
}

/// Copies what of a site is served.
fn add(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to).at(to)?;
    for entry in fs::read_dir(from).at(from)? {
        let path = entry.at(from)?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            add(&path, &to.join(name))?;
        } else if !name.to_string_lossy().starts_with('.') {
            fs::copy(&path, to.join(name)).at(&path)?;
        }
    }
    Ok(())
}

/// The id of the sources that the client in `site` was built of.
fn build_id(site: &Path) -> Result<String> {
    let [_, wasm] = ClientBuild::of_vestibule(Profile::Small).files(site);
    let bytes = fs::read(&wasm).at(&wasm)?;
    let id = id_in(&bytes);
    id.ok_or_else(|| {
        Error::new(format!(
            "{} does not say of which build it is",
            wasm.display()
        ))
    })
}

fn id_in(wasm: &[u8]) -> Option<String> {
    let place = wasm.windows(MARK.len()).position(|bytes| bytes == MARK)?;
    let id = wasm.get(place + MARK.len()..)?.get(..ID_LENGTH)?;
    let id = std::str::from_utf8(id).ok()?;
    id.chars()
        .all(|digit| digit.is_ascii_hexdigit())
        .then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::id_in;

    #[test]
    fn the_id_of_a_client_is_read_from_its_mark() {
        let id = |wasm: &[u8]| id_in(wasm);
        let marked = b"\0asm vestibule-bu vestibule-build:0123456789abcdef;release; and more";
        assert_eq!(id(marked), Some("0123456789abcdef".to_owned()));
        for other in [
            &b"\0asm"[..],
            b"vestibule-build:0123",
            b"vestibule-build:no-hex-digits-ab;",
        ] {
            assert_eq!(id(other), None);
        }
    }
}
