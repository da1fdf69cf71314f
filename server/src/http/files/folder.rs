//! The folder of the built site: what of it is served, and whether it has changed.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// What browsers ask for beside the scripts and styles.
const ICONS: [&str; 2] = ["favicon.svg", "favicon.ico"];

/// The folder of the built site.
pub struct Folder {
    root: PathBuf,
    pkg: String,
}

/// What tells whether files have changed: length, number and the time of the last change, which no
/// program can set.
pub type Version = BTreeMap<PathBuf, (u64, u64, i64, i64)>;

impl Folder {
    /// The site in `root`, with scripts and styles in its folder `pkg`.
    pub fn new(root: &Path, pkg: &str) -> Self {
        Self {
            root: root.to_owned(),
            pkg: pkg.to_owned(),
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The name of its folder of scripts and styles.
    pub fn pkg(&self) -> &str {
        &self.pkg
    }

    /// The version of its files.
    pub fn version(&self) -> io::Result<Version> {
        let version = |path: PathBuf| {
            let facts = fs::metadata(&path)?;
            Ok((
                path,
                (facts.len(), facts.ino(), facts.ctime(), facts.ctime_nsec()),
            ))
        };
        self.paths()?.into_iter().map(version).collect()
    }

    /// The bytes of its files, by the path of their address.
    pub fn files(&self) -> io::Result<HashMap<String, Vec<u8>>> {
        let mut bytes = HashMap::new();
        for path in self.paths()? {
            let Some(name) = path.strip_prefix(&self.root).ok().and_then(Path::to_str) else {
                continue;
            };
            bytes.insert(format!("/{name}"), fs::read(&path)?);
        }
        Ok(bytes)
    }

    fn paths(&self) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        collect(&self.root.join(&self.pkg), &mut paths)?;
        let icons = ICONS
            .iter()
            .flat_map(|icon| [(*icon).to_owned(), format!("{icon}.br")]);
        paths.extend(
            icons
                .map(|icon| self.root.join(icon))
                .filter(|path| path.is_file()),
        );
        Ok(paths)
    }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}
