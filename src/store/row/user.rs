//! Users as rows.

use super::{Reading, Row};
use crate::{
    store::StoreError,
    user::{Identity, User, UserId},
};

/// Reads a user.
pub(in crate::store) fn user(row: &dyn Row) -> Result<User, StoreError> {
    let row = Reading::new("users", row);
    let identity = Identity {
        issuer: row.text("issuer")?.to_owned(),
        subject: row.text("subject")?.to_owned(),
        name: row.optional_text("name")?.map(str::to_owned),
        email: row.optional_text("email")?.map(str::to_owned),
    };
    Ok(User { id: UserId::from_bytes(row.bytes("id")?), identity, since: row.time("since")? })
}
