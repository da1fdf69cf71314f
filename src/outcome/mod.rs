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
mod tests {
    use super::*;

    fn path(text: &str) -> LocalPath {
        text.parse().unwrap()
    }

    /// No base: the whole host is ours.
    fn host() -> Destinations {
        Destinations::default()
    }

    /// An application has the rest of the host.
    fn auth() -> Destinations {
        Destinations::below("/auth".parse().unwrap())
    }

    /// Where every sign-in leads then.
    fn target(
        destinations: Destinations,
        path: LocalPath,
        practice: bool,
    ) -> Result<LocalPath, &'static str> {
        let destinations = destinations.leading_to(path, practice)?;
        Ok(destinations.confirmed)
    }

    /// Where `enter` leads from this way.
    fn next_of(way: &LocalPath) -> Option<LocalPath> {
        let (_, query) = way.as_str().split_once('?')?;
        let (_, next) = form_urlencoded::parse(query.as_bytes()).next()?;
        host().way_back(&next)
    }

    #[test]
    fn a_page_of_ours_is_gone_to_at_once_and_every_other_one_through_enter() {
        for own in [
            "/profile",
            "/profile?tab=1",
            "/profile/password",
            "/profile/address/abc#x",
        ] {
            assert_eq!(host().through(path(own)), path(own));
        }
        for (other, way) in [
            ("/dashboard", "/enter?next=%2Fdashboard"),
            (
                "/orders?id=7&x=a+b",
                "/enter?next=%2Forders%3Fid%3D7%26x%3Da%2Bb",
            ),
            ("/profiles", "/enter?next=%2Fprofiles"),
            ("/Profile", "/enter?next=%2FProfile"),
            ("/profile/", "/enter?next=%2Fprofile%2F"),
        ] {
            assert_eq!(host().through(path(other)), path(way));
            assert_eq!(next_of(&path(way)), Some(path(other)));
        }
    }

    #[test]
    fn what_leads_back_or_is_no_page_is_no_target() {
        for bad in [
            "/login",
            "/login/",
            "/login?reason=used",
            "/LOGIN",
            "/%6cogin",
            "/login;x=1",
            "/logout",
            "/confirm/valid-1",
            "/continue",
            "/enter",
            "/enter?next=/dashboard",
            "/%65nter",
            "/api/begin",
            "/app/key",
            "/pkg/vestibule.js",
            "/pusher/auth",
            "/healthz",
            "/readyz",
            "/v1/session",
            "/.well-known/jwks.json",
            "/favicon.ico",
            "/",
            "/?x",
            "/practice/mail",
            "/profile/sessions/end",
            "/profile/x",
            "/profile/",
        ] {
            assert!(target(host(), path(bad), false).is_err(), "{bad}");
        }
        for good in ["/dashboard", "/a/login", "/login-help", "/profile"] {
            assert_eq!(
                target(host(), path(good), false),
                Ok(host().through(path(good))),
                "{good}"
            );
        }
        assert_eq!(target(host(), path("/"), true), Ok(path("/enter?next=%2F")));
        // Each byte of it is three in the query.
        let longest = format!("/{}a", "%25".repeat(682));
        let way = target(host(), path(&longest), false).unwrap();
        assert_eq!(next_of(&way), Some(path(&longest)));
        assert!(target(host(), path(&format!("{longest}a")), false).is_err());
    }

    #[test]
    fn the_way_back_leads_to_a_page_of_this_origin() {
        for good in [
            "/profile",
            "/orders?id=7",
            "/",
            "/profile/password",
            "/confirmed",
            "/x/confirm/y",
            "/%252e/confirm",
        ] {
            assert_eq!(
                host().way_back(good).as_ref().map(LocalPath::as_str),
                Some(good)
            );
        }
    }

    #[test]
    fn no_spelling_leads_back_to_what_is_no_page() {
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/",
            "/logout",
            "/login?next=/",
            "/api/begin",
            "/login/",
            "/login;x",
            "/login#x",
            "/LOGOUT",
            "/Confirm/x",
            "/c%6fnfirm/x",
            "/%6Cogin",
            "/login%3Bx",
            "/./confirm/x",
            "/%2e/confirm/x",
            "/%2E/Confirm/x",
            "/.//x",
            "/profile/../confirm/x",
            "/profile/%2e%2E/confirm/x",
            "/profile/..%2fconfirm/x",
            "/x%5c..%5cconfirm",
            "/confirm\\x",
            "/confirm%00",
        ] {
            assert_eq!(host().way_back(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_not_below_the_base_is_the_applications() {
        for other in [
            "/",
            "/login",
            "/logout?x",
            "/api/x",
            "/profile",
            "/authority/login",
            "/healthz",
        ] {
            let way = auth().through(path(other));
            assert!(way.as_str().starts_with("/auth/enter?next=%2F"), "{way}");
            assert_eq!(auth().way_back(other), Some(path(other)));
            assert_eq!(target(auth(), path(other), false), Ok(way));
        }
        for own in ["/auth/profile", "/auth/profile/address/x?y"] {
            assert_eq!(target(auth(), path(own), false), Ok(path(own)));
        }
        for bad in [
            "/auth",
            "/auth/",
            "/auth/login",
            "/AUTH/login",
            "/%61uth/LOGOUT",
            "/auth;x/enter",
            "/auth/v1/authorize",
            "/auth/profile/x",
            "/auth/healthz",
        ] {
            assert!(target(auth(), path(bad), false).is_err(), "{bad}");
        }
        for bad in [
            "/auth/login",
            "/Auth/Login",
            "/%61uth/log%6fut",
            "/auth/confirm/x",
        ] {
            assert_eq!(auth().way_back(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_sign_in_leads_to_where_it_says_if_that_is_a_page() {
        for (next, leads) in [
            (None, "/auth/profile"),
            (Some("/orders?a=1"), "/auth/enter?next=%2Forders%3Fa%3D1"),
            (Some("/auth/profile"), "/auth/profile"),
            (Some("/auth/logout"), "/auth/profile"),
        ] {
            let next = next.map(path);
            assert_eq!(auth().confirmed_for(next.as_ref()), path(leads));
        }
    }

    fn json(ending: Ending) -> String {
        serde_json::to_string(&Destinations::default().outcome(ending, None)).unwrap()
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
