//! A session's hash as a row: numbers in decimal, the rest as it is. A column that is null is a
//! field that is not there.

use crate::store::row::{Row, SessionColumns, Unreadable};
use redis::{FromRedisValue, ParsingError, Value};
use std::{collections::HashMap, str};

/// A session's hash, with the id from its key.
pub(super) struct Hash {
    id: Vec<u8>,
    fields: HashMap<Vec<u8>, Vec<u8>>,
}

impl FromRedisValue for Hash {
    fn from_redis_value(reply: Value) -> Result<Self, ParsingError> {
        let (id, fields): (Vec<u8>, _) = FromRedisValue::from_redis_value(reply)?;
        Ok(Self {
            id: id_from_key(&id).unwrap_or(id),
            fields,
        })
    }
}

impl Row for Hash {
    fn number(&self, column: &str) -> Result<Option<i64>, Unreadable> {
        self.text(column)?
            .map(str::parse)
            .transpose()
            .map_err(|_| Unreadable)
    }

    fn text(&self, column: &str) -> Result<Option<&str>, Unreadable> {
        self.bytes(column)?
            .map(str::from_utf8)
            .transpose()
            .map_err(|_| Unreadable)
    }

    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Unreadable> {
        let bytes = if column == "id" {
            Some(&self.id)
        } else {
            self.fields.get(field(column).as_bytes())
        };
        Ok(bytes.map(Vec::as_slice))
    }
}

/// The name of a column's field. Fields keep the names that they have always had: sessions that an
/// earlier version has stored are there for up to 90 days.
fn field(column: &str) -> &str {
    match column {
        "created_at" => "since",
        "last_seen_at" => "seen",
        "expires_at" => "expires",
        column => column,
    }
}

/// The fields of a session's hash: all columns but the id.
pub(super) fn fields(session: &SessionColumns<'_>) -> Vec<(&'static str, Vec<u8>)> {
    let number = |number: i64| number.to_string().into_bytes();
    [
        ("revision", Some(number(session.revision))),
        ("state", Some(session.state.into())),
        ("secret", Some(session.secret.into())),
        ("user_id", session.user.map(Vec::from)),
        ("token_tag", session.token_tag.map(Vec::from)),
        ("created_at", Some(number(session.created_at))),
        ("last_seen_at", session.last_seen_at.map(number)),
        ("former", session.former.map(Vec::from)),
        ("former_until", session.former_until.map(number)),
        ("expires_at", Some(number(session.expires_at))),
        ("device", session.device.map(Vec::from)),
    ]
    .into_iter()
    .filter_map(|(column, value)| Some((field(column), value?)))
    .collect()
}

/// An id as it stands in a key.
pub(super) fn id_in_key(id: &[u8]) -> String {
    id.iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn id_from_key(text: &[u8]) -> Option<Vec<u8>> {
    let pairs = text
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
    pairs.collect()
}
