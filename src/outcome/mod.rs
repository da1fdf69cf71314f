//! What a browser is told in the end, and where it is sent.
//!
//! It is led back to where it wanted to go, or to where every sign-in leads. All of these are
//! whole paths on the host, of which an application may have what is not below the base.

use crate::{
    confirmation::{Decision, Ending, Rejection},
    path::{Base, LocalPath},
    validator::Verdict,
};

pub use vestibule_protocol::Outcome;

/// What lies below the base and is no page to come back to.
const NO_PAGES: [&str; 11] = [
    ".well-known",
    "api",
    "app",
    "confirm",
    "continue",
    "enter",
    "login",
    "logout",
    "pkg",
    "pusher",
    "v1",
];

/// The longest way back, in bytes: written into a query it is no longer than a path may be.
const MAX: usize = 2_048;

/// Where outcomes lead: the closed list of a redirect's targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destinations {
    base: Base,
    /// Where a browser goes once it is signed in (default: the profile).
    pub confirmed: LocalPath,
    /// The login page, to which `?reason=` is added.
    pub login: LocalPath,
}

impl Default for Destinations {
    fn default() -> Self {
        Self::below(Base::default())
    }
}

impl Destinations {
    /// Our own pages below `base`: the profile, and the login page.
    #[must_use]
    pub fn below(base: Base) -> Self {
        Self {
            confirmed: base.path("/profile"),
            login: base.path("/login"),
            base,
        }
    }

    /// The same, but every sign-in leads to `confirmed`, which must be a page; some are pages of
    /// `practice` mode alone.
    ///
    /// # Errors
    /// Says why it is none.
    pub fn leading_to(self, confirmed: LocalPath, practice: bool) -> Result<Self, &'static str> {
        if confirmed.as_str().len() > MAX {
            return Err("longer than 2048 bytes");
        }
        if self.way_back(confirmed.as_str()).is_none() {
            return Err("no page of its own: it leads back here, or shows nothing");
        }
        match self.base.first_name_below(&confirmed).as_deref() {
            Some("profile") if !self.base.below(&confirmed).is_some_and(needs_a_user) => {
                Err("no page that there is")
            }
            Some("practice" | "") if !practice => {
                Err("a page of practice mode alone: it leads back here, or shows nothing")
            }
            Some("favicon.ico" | "favicon.svg" | "healthz" | "readyz") => {
                Err("not a page to sign in for")
            }
            _ => Ok(Self {
                confirmed: self.through(confirmed),
                ..self
            }),
        }
    }

    /// The page of the application's that every sign-in leads to, if it is one of the application's.
    #[must_use]
    pub fn confirmed_page(&self) -> Option<LocalPath> {
        let (_, query) = self.confirmed.as_str().split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == "next")?.1.parse().ok()
    }

    /// The path under which all of our addresses lie.
    #[must_use]
    pub const fn base(&self) -> &Base {
        &self.base
    }

    /// Where the user wanted to go before they were asked to sign in: a path on this origin, but
    /// none of ours that is not a page to come back to, however it is spelled.
    #[must_use]
    pub fn way_back(&self, next: &str) -> Option<LocalPath> {
        let path: LocalPath = next.parse().ok().filter(|_| next.len() <= MAX)?;
        let ours = self.base.first_name_below(&path);
        let is_page = ours.is_none_or(|name| !NO_PAGES.contains(&&*name));
        is_page.then_some(path)
    }

    /// The page that lets a browser get its session on its way to a page that is not ours.
    #[must_use]
    pub fn enter(&self) -> LocalPath {
        self.base.path("/enter")
    }

    /// The way to `path` for a browser that may still have to get its session.
    #[must_use]
    pub fn through(&self, path: LocalPath) -> LocalPath {
        if self.base.below(&path).is_some_and(needs_a_user) {
            return path;
        }
        let enter = self.enter();
        let next: String = form_urlencoded::byte_serialize(path.as_str().as_bytes()).collect();
        // A way back always has room there; what would not is forgotten: the session matters more.
        format!("{enter}?next={next}").parse().unwrap_or(enter)
    }

    /// The way to where a sign-in leads that is to lead to `next`, if that is a page, and else to
    /// where every one does.
    #[must_use]
    pub fn confirmed_for(&self, next: Option<&LocalPath>) -> LocalPath {
        let next = next.and_then(|next| self.way_back(next.as_str()));
        next.map_or_else(|| self.confirmed.clone(), |next| self.through(next))
    }

    /// What a validator's verdict decides. A way that leads to no page does not take the place of
    /// where the link leads.
    #[must_use]
    pub fn decision(&self, verdict: Verdict) -> Decision {
        match verdict {
            Verdict::Valid(identity, next) => {
                let next = next.filter(|next| self.way_back(next.as_str()).is_some());
                Decision::Valid(identity, next)
            }
            verdict => verdict.into(),
        }
    }

    /// The outcome of a confirmation that came to `ending`, and was to lead to `next`.
    #[must_use]
    pub fn outcome(&self, ending: Ending, next: Option<&LocalPath>) -> Outcome {
        match ending {
            Ending::Confirmed(_) => Outcome::Confirmed {
                redirect: self.confirmed_for(next),
            },
            Ending::Rejected(reason) => self.rejected(reason),
            Ending::Unavailable => Outcome::Unavailable,
        }
    }

    /// The outcome of a confirmation that was rejected.
    ///
    /// # Panics
    /// Never: our login page with a word added is a path.
    #[must_use]
    pub fn rejected(&self, reason: Rejection) -> Outcome {
        let redirect = format!("{}?reason={}", self.login, reason.as_str());
        Outcome::Rejected {
            reason,
            redirect: redirect.parse().expect("a short path with a word added"),
        }
    }
}

/// Whether it is a page of ours that needs a user, and so performs the exchange itself.
fn needs_a_user(page: &str) -> bool {
    matches!(page, "/profile" | "/profile/password" | "/profile/address")
        || page.starts_with("/profile/address/")
}

#[cfg(test)]
mod tests;
