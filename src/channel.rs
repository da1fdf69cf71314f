//! The name of the channel on which one browser hears of its confirmation.

use crate::secret::{SecretHash, labelled_hash};
use std::fmt;

/// `private-confirm-` and 128 bits of a labelled hash of the pending secret's hash.
///
/// Unique and unguessable, with nothing to store; the worker knows it without ever seeing the
/// secret, and it tells nothing of the hash that the database keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Channel(String);

impl Channel {
    /// The channel of the browser whose pending secret has this hash.
    #[must_use]
    pub fn of(secret: &SecretHash) -> Self {
        let hash = labelled_hash("vestibule/1 channel", secret);
        let bits = u128::from_be_bytes(std::array::from_fn(|place| hash[place]));
        Self(format!("private-confirm-{bits:032x}"))
    }

    /// The channel's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_a_valid_private_name_that_differs_by_secret() {
        let one = Channel::of(&SecretHash::from_bytes([1; 32]));
        let two = Channel::of(&SecretHash::from_bytes([2; 32]));
        assert_ne!(one, two);
        assert_eq!(one.as_str().len(), "private-confirm-".len() + 32);
    }
}
