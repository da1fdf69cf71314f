//! A session and its user in one row.

use super::{Row, Unreadable, session, user};
use crate::store::{SessionWithUser, StoreError};

/// Reads a session, and its user if they are there.
pub(in crate::store) fn session_with_user(row: &dyn Row) -> Result<SessionWithUser, StoreError> {
    // No user is without an issuer.
    let is_there = !matches!(row.text("issuer"), Ok(None));
    let user = is_there.then(|| user(&UserPart(row))).transpose()?;
    let session = session(row)?;
    Ok(SessionWithUser { session, user })
}

/// The user's part of such a row: a column that the session has too has another name there.
struct UserPart<'r>(&'r dyn Row);

fn name(column: &str) -> &str {
    match column {
        "id" => "user_id",
        "created_at" => "user_created_at",
        "revision" => "user_revision",
        column => column,
    }
}

impl Row for UserPart<'_> {
    fn number(&self, column: &str) -> Result<Option<i64>, Unreadable> {
        self.0.number(name(column))
    }

    fn text(&self, column: &str) -> Result<Option<&str>, Unreadable> {
        self.0.text(name(column))
    }

    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Unreadable> {
        self.0.bytes(name(column))
    }
}
