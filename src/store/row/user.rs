//! Users as rows.

use super::{Reading, Row};
use crate::{
    email_address::Address,
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
    Ok(User {
        id: UserId::from_bytes(row.bytes("id")?),
        identity,
        created_at: row.time("created_at")?,
        disabled,
        valid_from: row.time("valid_from")?,
        known_from: row.time("known_from")?,
        revision: row.number("revision")?,
    })
}

/// The address that the user in this row is known by, who may sign in by a link then.
pub(in crate::store) fn known_address(row: &dyn Row) -> Result<Option<Address>, StoreError> {
    let row = Reading::new("users", row);
    Ok(Address::known_by(row.text("issuer")?, row.text("subject")?))
}

/// What keeps the user `id` from moving, where `rows` are those who are known by the addresses
/// `from` and `to`.
pub(in crate::store) fn kept_from_moving<R: Row>(
    rows: &[R],
    id: UserId,
    from: &Address,
    to: &Address,
) -> Result<Option<Moved>, StoreError> {
    let mut is_there = false;
    for row in rows {
        let row = Reading::new("users", row);
        if row.text("subject")? == to.as_str() {
            return Ok(Some(if UserId::from_bytes(row.bytes("id")?) == id {
                Moved::Gone
            } else {
                Moved::Taken
            }));
        }
        is_there |=
            row.text("subject")? == from.as_str() && UserId::from_bytes(row.bytes("id")?) == id;
    }
    Ok((!is_there).then_some(Moved::Gone))
}
