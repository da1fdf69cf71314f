//! Practice mode's own key: made once, kept in the data folder, so that a restart keeps sign-ins.

use crate::{config::KEY_MARK, private_files::restrict};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};
use vestibule::secret::{Entropy, Keys, random};

/// The name of its file.
const NAME: &str = "practice.key";

/// The key could not be read or made.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct KeyError {
    path: PathBuf,
    what: String,
}

/// Reads the key in the folder `data`, or makes one that only its owner can read.
pub fn key(data: &Path, entropy: &dyn Entropy) -> Result<Keys, KeyError> {
    let path = data.join(NAME);
    let fault = |what: String| KeyError {
        path: path.clone(),
        what,
    };
    restrict(&path).map_err(|error| fault(error.to_string()))?;
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = KEY_MARK.to_owned() + &STANDARD.encode(random::<32>(entropy));
            let mut options = OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600).open(&path);
            file.and_then(|mut file| file.write_all(text.as_bytes()))
                .map_err(|error| fault(error.to_string()))?;
            text
        }
        Err(error) => return Err(fault(error.to_string())),
    };
    parse(&text).ok_or_else(|| {
        fault("holds no key; remove it, and the database beside it, to start afresh".into())
    })
}

fn parse(text: &str) -> Option<Keys> {
    let text = text.trim();
    let secret = STANDARD
        .decode(text.strip_prefix(KEY_MARK).unwrap_or(text))
        .ok()?;
    Some(Keys::from_secret(secret.as_slice().try_into().ok()?))
}

/// The file of the practice key in the folder `data`, and the key's fingerprint, if there is one.
pub fn fingerprint(data: &Path) -> Option<(PathBuf, u32)> {
    let path = data.join(NAME);
    let fingerprint = parse(&fs::read_to_string(&path).ok()?)?.fingerprint();
    Some((path, fingerprint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use vestibule::secret::SystemEntropy;

    #[test]
    fn the_key_is_made_once_and_readable_by_its_owner_only() {
        let data = tempfile::tempdir().unwrap();
        let first = key(data.path(), &SystemEntropy).unwrap().fingerprint();
        assert_eq!(
            key(data.path(), &SystemEntropy).unwrap().fingerprint(),
            first
        );
        let mode = fs::metadata(data.path().join("practice.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_key_that_others_could_read_is_its_owner_s_alone_again() {
        let data = tempfile::tempdir().unwrap();
        key(data.path(), &SystemEntropy).unwrap();
        let path = data.path().join("practice.key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        key(data.path(), &SystemEntropy).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_key_of_an_earlier_version_is_the_same_key_and_none_of_an_operator() {
        let data = tempfile::tempdir().unwrap();
        let marked = key(data.path(), &SystemEntropy).unwrap();
        let path = data.path().join("practice.key");
        let text = fs::read_to_string(&path).unwrap();
        assert!(Keys::parse(&text).is_err());
        fs::write(&path, format!("{}\n", text.strip_prefix(KEY_MARK).unwrap())).unwrap();
        assert_eq!(
            key(data.path(), &SystemEntropy).unwrap().fingerprint(),
            marked.fingerprint()
        );
        assert_eq!(fingerprint(data.path()), Some((path, marked.fingerprint())));
    }

    #[test]
    fn a_damaged_key_is_named_and_left_alone() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("practice.key"), "short").unwrap();
        assert!(
            key(data.path(), &SystemEntropy)
                .unwrap_err()
                .to_string()
                .contains("practice.key: holds no key")
        );
        assert_eq!(
            fs::read_to_string(data.path().join("practice.key")).unwrap(),
            "short"
        );
    }
}
