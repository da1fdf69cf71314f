//! The static files, served from memory: however slowly an answer is read, it holds no file open
//! and shares its bytes with all others.
//!
//! They are read at the start, so a folder that is replaced under a running server is never served
//! by halves. In development (a debug build, or `cargo leptos watch`) they are read again once one
//! of them has changed.

mod client;
mod file;
mod folder;
mod packed;

use axum::{http::HeaderMap, response::Response};
use file::File;
use folder::{Folder, Version};
use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::task::spawn_blocking;

/// The static files.
pub struct Files {
    folder: Folder,
    follows: bool,
    current: RwLock<Arc<Contents>>,
}

/// The files of one moment, by the path of their address.
#[derive(Default)]
struct Contents {
    version: Version,
    files: HashMap<String, File>,
    /// Whether the scripts among them go with the pages of this server.
    has_client: bool,
}

impl Files {
    /// Reads the files of the site in `root` whose scripts and styles are in its folder `pkg`, but
    /// those that are packed with the crate, if some are: an application's own site may be in `root`.
    /// One that `follows` looks each time whether they have changed.
    pub fn read(root: &Path, pkg: &str, follows: bool) -> Self {
        let folder = Folder::new(root, pkg);
        let packed = packed::files();
        let follows = follows && packed.is_none();
        let current = match packed {
            Some(packed) => Contents::new(Version::default(), packed, &folder),
            None => Contents::of(&folder).unwrap_or_else(|error| {
                tracing::warn!(
                    "the site in {} cannot be read, so pages have no script and no style: {error}",
                    root.display()
                );
                Contents::default()
            }),
        };
        Self {
            folder,
            follows,
            current: RwLock::new(Arc::new(current)),
        }
    }

    /// Whether the scripts go with the pages of this server: they are of the same build.
    pub fn have_client(&self) -> bool {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .has_client
    }

    /// The answer to a request for the file at `path`, decoded. `None`: there is none.
    pub async fn answer(self: &Arc<Self>, path: &str, headers: &HeaderMap) -> Option<Response> {
        let contents = self.current().await;
        contents.files.get(path).map(|file| file.answer(headers))
    }

    /// The files as they are now.
    async fn current(self: &Arc<Self>) -> Arc<Contents> {
        if self.follows {
            let this = Arc::clone(self);
            // A panic is told by the hook; what was there before is served.
            let _ = spawn_blocking(move || this.follow()).await;
        }
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn follow(&self) {
        let known = self
            .current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .version
            .clone();
        if self.folder.version().is_ok_and(|version| version == known) {
            return;
        }
        // One that cannot be read just now is being written: the next request sees it.
        if let Ok(contents) = Contents::of(&self.folder) {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(contents);
        }
    }
}

impl Contents {
    fn of(folder: &Folder) -> io::Result<Self> {
        // Before the files: what changes meanwhile is then read once more.
        let version = folder.version()?;
        let files = folder.files()?;
        Ok(Self::new(version, files, folder))
    }

    /// These files, as those of `folder`.
    fn new(version: Version, files: HashMap<String, Vec<u8>>, folder: &Folder) -> Self {
        let files = file::with_copies(files);
        let has_client = match client::check(&files, folder.pkg()) {
            Ok(()) => true,
            Err(wrong) => {
                tracing::warn!(
                    "the site in {} {wrong}; pages keep to their plain form. Build server and site together (cargo xtask build)",
                    folder.root().display()
                );
                false
            }
        };
        Self {
            version,
            files,
            has_client,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{
        body::to_bytes,
        http::{StatusCode, header},
    };
    use std::{fs, time::SystemTime};
    use tempfile::TempDir;

    const SCRIPT: &str = "pkg/vestibule.js";

    /// A site of one script, and its folder.
    fn site(follows: bool) -> (TempDir, Arc<Files>) {
        let root = TempDir::new().unwrap();
        fs::create_dir(root.path().join("pkg")).unwrap();
        fs::write(root.path().join(SCRIPT), "one").unwrap();
        let files = Arc::new(Files::read(root.path(), "pkg", follows));
        (root, files)
    }

    /// Writes other content of the same length under the same time.
    fn replace(root: &TempDir, content: &str) {
        let path = root.path().join(SCRIPT);
        let changed = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, content).unwrap();
        set_time(&path, changed);
    }

    fn set_time(path: &Path, time: SystemTime) {
        fs::File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(time)
            .unwrap();
    }

    async fn script(files: &Arc<Files>, headers: HeaderMap) -> (StatusCode, HeaderMap, String) {
        let answer = files.current().await.files[&format!("/{SCRIPT}")].answer(&headers);
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (
            parts.status,
            parts.headers,
            String::from_utf8(body.to_vec()).unwrap(),
        )
    }

    #[tokio::test]
    async fn a_changed_file_is_never_said_to_be_the_same_whatever_its_time_says() {
        let (root, before) = site(false);
        let (_, headers, _) = script(&before, HeaderMap::new()).await;
        let tag = headers[header::ETAG].clone();
        replace(&root, "two");
        let after = Arc::new(Files::read(root.path(), "pkg", false));
        let conditions: HeaderMap = [
            (header::IF_NONE_MATCH, tag.clone()),
            (
                header::IF_MODIFIED_SINCE,
                "Sat, 01 Jan 2050 00:00:00 GMT".parse().unwrap(),
            ),
        ]
        .into_iter()
        .collect();
        let (status, headers, body) = script(&after, conditions.clone()).await;
        assert_eq!((status, &*body), (StatusCode::OK, "two"));
        assert_ne!(headers[header::ETAG], tag);
        replace(&root, "one");
        let rolled_back = Arc::new(Files::read(root.path(), "pkg", false));
        assert_eq!(
            script(&rolled_back, conditions).await.0,
            StatusCode::NOT_MODIFIED,
            "it is the same once more"
        );
    }

    #[tokio::test]
    async fn changed_files_are_reloaded_only_during_development() {
        for (follows, expected) in [(false, "one"), (true, "two")] {
            let (root, files) = site(follows);
            assert_eq!(script(&files, HeaderMap::new()).await.2, "one");
            replace(&root, "two");
            assert_eq!(
                script(&files, HeaderMap::new()).await.2,
                expected,
                "follows: {follows}"
            );
        }
    }

    #[tokio::test]
    async fn an_unchanged_file_is_not_read_again() {
        let (_root, files) = site(true);
        let [first, second] = [files.current().await, files.current().await];
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[tokio::test]
    async fn a_site_that_is_not_there_has_no_files() {
        let files = Arc::new(Files::read(Path::new("/nowhere"), "pkg", true));
        assert!(files.current().await.files.is_empty());
    }
}
