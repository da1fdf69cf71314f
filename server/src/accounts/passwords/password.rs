//! A password as the user typed it.

use serde::Deserialize;
use std::fmt;
use zeroize::ZeroizeOnDrop;

/// A password as the user typed it. `Debug` prints nothing of it, and it is overwritten when it is
/// dropped.
#[derive(Deserialize, ZeroizeOnDrop)]
pub struct Password(String);

impl Password {
    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_printed_and_is_overwritten() {
        fn is_overwritten(_: &impl ZeroizeOnDrop) {}

        let password = Password::from("open sesame");
        assert_eq!(
            format!("{password:?} {:?}", Some(&password)),
            "Password(…) Some(Password(…))"
        );
        assert_eq!(password.expose(), "open sesame");
        is_overwritten(&password);
    }
}
