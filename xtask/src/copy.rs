//! A copy of the project's files as they are now, committed or not.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{At, Result};
use crate::process;

/// Makes `copy` the same as the project in `root`, writing only what differs: cargo compares the
/// times of files.
pub fn refresh(root: &Path, copy: &Path) -> Result {
    let mut list = process::command("git");
    list.current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let names = process::output(&mut list)?;
    let mut wanted = HashSet::new();
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let from = root.join(name);
        let to = copy.join(name);
        // A file that was deleted and not committed yet is still listed.
        if !from.is_file() {
            continue;
        }
        let bytes = fs::read(&from).at(&from)?;
        if !fs::read(&to).is_ok_and(|there| there == bytes) {
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder).at(folder)?;
            }
            fs::write(&to, bytes).at(&to)?;
        }
        wanted.insert(to);
    }
    remove_others(copy, &wanted)
}

/// Removes what an earlier patch has added.
fn remove_others(folder: &Path, wanted: &HashSet<PathBuf>) -> Result {
    for entry in fs::read_dir(folder).at(folder)? {
        let path = entry.at(folder)?.path();
        if path.is_dir() {
            remove_others(&path, wanted)?;
        } else if !wanted.contains(&path) {
            fs::remove_file(&path).at(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;

    use super::remove_others;

    #[test]
    fn only_what_is_not_wanted_goes() -> std::io::Result<()> {
        let folder = std::env::temp_dir().join(format!("xtask-copy-{}", std::process::id()));
        fs::create_dir_all(folder.join("src"))?;
        let kept = folder.join("src/kept.rs");
        let added = folder.join("src/added.rs");
        fs::write(&kept, "")?;
        fs::write(&added, "")?;
        let done = remove_others(&folder, &HashSet::from([kept.clone()]));
        let state = (done.is_ok(), kept.exists(), added.exists());
        fs::remove_dir_all(&folder)?;
        assert_eq!(state, (true, true, false));
        Ok(())
    }
}
