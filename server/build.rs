//! Lists the files of the built client that a packed crate has in its folder `client`.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=client");
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let folder = package.join("client/site");
    let mut list = String::from("&[\n");
    if folder.is_dir() {
        add(&folder, "", &mut list)?;
    }
    list.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("packed.rs"), list)
}

/// Adds the files in `folder`, whose addresses begin with `address`, to the list.
fn add(folder: &Path, address: &str, list: &mut String) -> io::Result<()> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut entries: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
    entries.sort();
    for entry in entries {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        let address = format!("{address}/{name}");
        if entry.is_dir() {
            add(&entry, &address, list)?;
        } else {
            let path = entry.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
            writeln!(list, "    ({address:?}, include_bytes!({path:?})),")
                .map_err(io::Error::other)?;
        }
    }
    Ok(())
}
