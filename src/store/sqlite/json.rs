//! Rows that go into a statement as JSON, their bytes in hexadecimal: one statement takes as many
//! as there are.

use serde_json::Value;
use std::fmt::Write as _;

/// Bytes, for `unhex`.
pub(super) fn hex(bytes: &[u8]) -> Value {
    let digits = bytes.iter().fold(
        String::with_capacity(bytes.len() * 2),
        |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        },
    );
    Value::String(digits)
}

/// The rows as the argument of a statement; `None` if there are none.
pub(super) fn rows(rows: impl IntoIterator<Item = Value>) -> Option<String> {
    let rows: Vec<_> = rows.into_iter().collect();
    (!rows.is_empty()).then(|| Value::Array(rows).to_string())
}
