//! What a browser is told in the end, and where it is sent.

use crate::{
    confirmation::{Ending, Rejection},
    path::{Base, LocalPath},
};

pub use vestibule_protocol::Outcome;

/// Where outcomes lead: the closed list of a redirect's targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destinations {
    /// Where a browser goes once it is signed in (default: the profile).
    pub confirmed: LocalPath,
    /// The login page, to which `?reason=` is added.
    pub login: LocalPath,
}

impl Default for Destinations {
    fn default() -> Self {
        Self::below(&Base::default())
    }
}

impl Destinations {
    /// Our own pages below `base`: the profile, and the login page.
    #[must_use]
    pub fn below(base: &Base) -> Self {
        Self {
            confirmed: base.path("/profile"),
            login: base.path("/login"),
        }
    }

    /// The outcome of a confirmation that came to `ending`.
    #[must_use]
    pub fn outcome(&self, ending: Ending) -> Outcome {
        match ending {
            Ending::Confirmed(_) => Outcome::Confirmed {
                redirect: self.confirmed.clone(),
            },
            Ending::Rejected(reason) => self.rejected(reason),
            Ending::Unavailable => Outcome::Unavailable,
        }
    }

    /// The outcome of a confirmation that was rejected.
    ///
    /// # Panics
    /// If the login page's path is so long that nothing can be added to it.
    #[must_use]
    pub fn rejected(&self, reason: Rejection) -> Outcome {
        let redirect = format!("{}?reason={}", self.login, reason.as_str());
        Outcome::Rejected {
            reason,
            redirect: redirect.parse().expect("a short path with a word added"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(ending: Ending) -> String {
        serde_json::to_string(&Destinations::default().outcome(ending)).unwrap()
    }

    #[test]
    fn an_outcome_says_what_and_where_to_and_nothing_else() {
        let ada = crate::user::UserId::from_bytes([7; 16]);
        assert_eq!(
            json(Ending::Confirmed(ada)),
            r#"{"outcome":"confirmed","redirect":"/profile"}"#
        );
        assert_eq!(
            json(Ending::Rejected(Rejection::Expired)),
            r#"{"outcome":"rejected","reason":"expired","redirect":"/login?reason=expired"}"#
        );
        assert_eq!(json(Ending::Unavailable), r#"{"outcome":"unavailable"}"#);
    }
}
