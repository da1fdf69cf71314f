//! Notices as rows.

use super::{Reading, Row};
use crate::{
    id::{ConfirmationId, UserId},
    notice::Notice,
    store::StoreError,
};

/// Reads notices. A row that cannot be read stops itself and nothing else.
pub(in crate::store) fn notices<R: Row>(rows: &[R]) -> Vec<Notice> {
    let readable = |row: &R| {
        notice(row).inspect_err(|error| tracing::error!(%error, "a notice cannot be given"))
    };
    rows.iter().filter_map(|row| readable(row).ok()).collect()
}

fn notice(row: &dyn Row) -> Result<Notice, StoreError> {
    let row = Reading::new("notices", row);
    Ok(Notice {
        confirmation: ConfirmationId::from_bytes(row.bytes("confirmation")?),
        user: UserId::from_bytes(row.bytes("user_id")?),
        is_new: row.number::<u8>("is_new")? == 1,
        created_at: row.time("created_at")?,
    })
}
