//! Files and folders that only their owner can look into.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

/// Makes a folder that only its owner can look into, if it is not there.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// Makes a database's file, if it is not there, and has it and the files beside it be private, also
/// in a folder that others can look into. `SQLite` gives the files that it puts beside it later the
/// same permissions.
pub fn make_database(file: &Path) -> io::Result<()> {
    fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)?;
    for beside in ["", "-wal", "-shm", "-journal"] {
        let mut path = file.as_os_str().to_owned();
        path.push(beside);
        restrict(Path::new(&path))?;
    }
    Ok(())
}

/// Removes all permissions on the file `path` from everyone but its owner, if it exists.
pub fn restrict(path: &Path) -> io::Result<()> {
    let mode = match fs::metadata(path) {
        Ok(known) => known.permissions().mode(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let own = mode & 0o700;
    if mode & 0o777 == own {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(own))?;
    tracing::warn!(
        "{} could be read by others than its owner, and no longer can",
        path.display()
    );
    Ok(())
}
