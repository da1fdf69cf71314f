//! What a request tells the application of its user in plain headers, besides their id.

/// Something that the application is told, if it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityHeader {
    /// The user's address, in `Remote-Email`.
    Email,
    /// The user's name, in `Remote-Name`.
    Name,
}

impl IdentityHeader {
    /// Reads a list.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn list(text: &str) -> Result<Vec<Self>, &'static str> {
        let read = |word: &str| match word.trim() {
            "email" => Ok(Self::Email),
            "name" => Ok(Self::Name),
            _ => Err("not a list of email and name, with commas"),
        };
        text.split(',').map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_what_there_is() {
        use IdentityHeader::{Email, Name};
        assert_eq!(IdentityHeader::list("email"), Ok(vec![Email]));
        assert_eq!(IdentityHeader::list("name, email"), Ok(vec![Name, Email]));
        for bad in ["", "email,", "groups", "email name"] {
            assert!(IdentityHeader::list(bad).is_err(), "{bad:?}");
        }
    }
}
