//! Users as rows.

use super::{Reading, Row};
use crate::{
    link::Address,
    store::StoreError,
    user::{Identity, Moved, User, UserId},
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
    let disabled = row.number::<u8>("disabled")? == 1;
    let (id, since, valid_from) = (UserId::from_bytes(row.bytes("id")?), row.time("since")?, row.time("valid_from")?);
    Ok(User { id, identity, since, disabled, valid_from })
}

/// What can become of the user `id`, where `rows` are those who are known by the addresses `from` and `to`.
pub(in crate::store) fn moved<R: Row>(
    rows: &[R],
    id: UserId,
    from: &Address,
    to: &Address,
) -> Result<Moved, StoreError> {
    let mut is_there = false;
    for row in rows {
        let row = Reading::new("users", row);
        if row.text("subject")? == to.as_str() {
            return Ok(if UserId::from_bytes(row.bytes("id")?) == id { Moved::Gone } else { Moved::Taken });
        }
        is_there |= row.text("subject")? == from.as_str() && UserId::from_bytes(row.bytes("id")?) == id;
    }
    Ok(if is_there { Moved::Done } else { Moved::Gone })
}
