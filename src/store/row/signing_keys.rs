//! The keys that sign assertions, as one setting: when they were rotated, by which key they are
//! sealed, and the sealed bytes, in base64.

use crate::{
    clock::Timestamp,
    secret::Sealed,
    store::{StoreError, StoredSigningKeys},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Reads a setting.
pub(in crate::store) fn signing_keys(text: &str) -> Result<StoredSigningKeys, StoreError> {
    read(text).ok_or_else(|| StoreError::Corrupt {
        table: "settings",
        row: "signing_keys".to_owned(),
        what: "not a time, a key and sealed bytes",
    })
}

fn read(text: &str) -> Option<StoredSigningKeys> {
    let mut words = text.split(' ');
    let mut word = || words.next();
    Some(StoredSigningKeys {
        rotated_at: Timestamp::from_millis(word()?.parse().ok()?),
        sealed: Sealed {
            key_id: word()?.parse().ok()?,
            bytes: STANDARD.decode(word()?).ok()?,
        },
    })
}

/// Writes a setting.
pub(in crate::store) fn signing_keys_text(keys: &StoredSigningKeys) -> String {
    format!(
        "{} {} {}",
        keys.rotated_at.as_millis(),
        keys.sealed.key_id,
        STANDARD.encode(&keys.sealed.bytes)
    )
}
