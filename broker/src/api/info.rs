//! The `info` of a request: which figures about a channel the application asks for.

use super::error::HttpApiError;
use serde_json::{Value, json};

/// Whether `info` asks for the number of subscribers, the only figure that there is.
pub(super) fn wants_count(info: Option<&str>) -> Result<bool, HttpApiError> {
    match info {
        None | Some("") => Ok(false),
        Some(info)
            if info
                .split(',')
                .all(|attribute| attribute == "subscription_count") =>
        {
            Ok(true)
        }
        Some(_) => Err(HttpApiError::Info),
    }
}

/// The number of a channel's subscribers, as the response has it.
pub(super) fn count(subscribers: usize) -> Value {
    json!({ "subscription_count": subscribers })
}
