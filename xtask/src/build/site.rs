//! The public folder: the style sheet in `pkg`, and the assets beside it.

use std::fs;
use std::path::Path;

use super::{precompress, style};
use crate::error::{At, Result};
use crate::workspace::{self, NAME};

/// Lays out everything but the client.
pub fn assemble(site: &Path) -> Result {
    let style = workspace::root().join("style");
    write_if_changed(
        style::bundle(&style.join("main.css"))?.as_bytes(),
        &site.join("pkg").join(format!("{NAME}.css")),
    )?;
    let assets = style.join("assets");
    if assets.is_dir() {
        copy(&assets, site)
    } else {
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> Result {
    for entry in fs::read_dir(from).at(from)? {
        let path = entry.at(from)?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            write_if_changed(&fs::read(&path).at(&path)?, &target)?;
        }
    }
    Ok(())
}

/// Writes a file only if it differs: browsers keep what has not changed.
fn write_if_changed(bytes: &[u8], target: &Path) -> Result {
    if fs::read(target).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).at(folder)?;
    }
    fs::write(target, bytes).at(target)?;
    precompress::remove_copies(&[target.to_path_buf()])
}
