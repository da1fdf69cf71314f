//! Rows that go into a statement as JSON, their bytes in hexadecimal: one statement takes as many
//! as there are.

use serde_json::Value;

/// Bytes, for `unhex`.
pub(super) fn hex(bytes: &[u8]) -> Value {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    Value::String(digits.collect())
}

/// The rows as the argument of a statement; `None` if there are none.
pub(super) fn rows(rows: impl IntoIterator<Item = Value>) -> Option<String> {
    let rows: Vec<_> = rows.into_iter().collect();
    (!rows.is_empty()).then(|| Value::Array(rows).to_string())
}

/// The beginning of a statement that reads its rows from `new`. Each is written out once there, and
/// `json_each` itself would do it again for each column.
macro_rules! with_new {
    () => {
        "with new as materialized (select jsonb(value) as value from json_each($1)) "
    };
}
pub(super) use with_new;
