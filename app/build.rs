//! Makes the build's id: a hash of what the server's half and the browser's half of a page have to
//! agree on.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// What both halves are made of. Pages and components are the server's alone.
const SOURCES: [&str; 6] = [
    "src/lib.rs",
    "src/build_id.rs",
    "src/island",
    "../frontend/src",
    "../protocol/src",
    "../Cargo.lock",
];

fn main() -> io::Result<()> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    // A packed crate has only its own sources, and the id of the client that was built of all.
    let packed = package.join("build-id");
    if packed.is_file() && !package.join("../frontend").is_dir() {
        println!("cargo:rerun-if-changed=build-id");
        let id = fs::read_to_string(packed)?;
        println!("cargo:rustc-env=VESTIBULE_BUILD={}", id.trim());
        return Ok(());
    }
    let mut id = Fnv::default();
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
        read(&package.join(source), &mut id)?;
    }
    println!("cargo:rustc-env=VESTIBULE_BUILD={:016x}", id.0);
    Ok(())
}

/// Hashes a file, or all files of a folder in the order of their names.
fn read(path: &Path, id: &mut Fnv) -> io::Result<()> {
    if path.is_dir() {
        let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
        let mut entries: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| read(entry, id));
    }
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    id.add(name.as_bytes());
    id.add(&fs::read(path)?);
    Ok(())
}

/// FNV-1a of 64 bits: no one gains anything by another build with the same id.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        // With its length, so that a byte that moves to the next file counts.
        for byte in bytes.len().to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
