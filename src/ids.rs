//! The ids that several parts name each other by.

use crate::id::id;

id! {
    /// The id of a confirmation; also the idempotency key of its validations.
    ConfirmationId
}

id! {
    /// The id of a session. It never changes and never leaves the server.
    SessionId
}

id! {
    /// The id of a user.
    UserId
}
