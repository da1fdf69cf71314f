//! Compressed copies beside the site's files, so that the server sends them as they are and never
//! compresses itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use brotli::enc::BrotliEncoderParams;

use crate::error::{At, Error, Result};

/// What gains from compression. Pictures and fonts are compressed already.
const ENDINGS: [&str; 5] = ["wasm", "js", "css", "svg", "txt"];

/// Compresses each suitable file below `folder` that has no newer compressed copy.
pub fn folder(folder: &Path) -> Result {
    for entry in fs::read_dir(folder).at(folder)? {
        let path = entry.at(folder)?.path();
        if path.is_dir() {
            self::folder(&path)?;
        } else if path
            .extension()
            .is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
        {
            file(&path)?;
        }
    }
    Ok(())
}

/// The size in bytes of the compressed copy of `file`.
pub fn size(file: &Path) -> Result<u64> {
    let copy = beside(file);
    fs::metadata(&copy).map(|facts| facts.len()).at(&copy)
}

/// Removes the compressed copies of `files`.
pub fn remove_copies(files: &[PathBuf]) -> Result {
    for copy in files
        .iter()
        .map(|file| beside(file))
        .filter(|copy| copy.exists())
    {
        fs::remove_file(&copy).at(&copy)?;
    }
    Ok(())
}

fn file(path: &Path) -> Result {
    let copy = beside(path);
    if changed(&copy)?.is_some_and(|made| {
        changed(path).is_ok_and(|source| source.is_some_and(|source| source < made))
    }) {
        return Ok(());
    }
    let bytes = fs::read(path).at(path)?;
    fs::write(&copy, compress(&bytes)?).at(&copy)
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let parameters = BrotliEncoderParams {
        quality: 11,
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)
        .map_err(|error| Error::new(format!("brotli failed: {error}")))?;
    Ok(compressed)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".br");
    name.into()
}

fn changed(path: &Path) -> Result<Option<SystemTime>> {
    if !path.exists() {
        return Ok(None);
    }
    fs::metadata(path)
        .and_then(|facts| facts.modified())
        .at(path)
        .map(Some)
}
