//! Where a browser may be led after it has signed in: back to where it wanted to go, or to where
//! every sign-in leads.
//!
//! All of these are whole paths on the host, of which an application may have what is not below the
//! base.

use vestibule::path::{Base, LocalPath};

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

/// The page that lets a browser get its session on its way to a page that is not ours.
pub const ENTER: &str = "/enter";

/// Where the user wanted to go before they were asked to sign in: a path on this origin, but none
/// of ours that is not a page to come back to, however it is spelled.
pub fn way_back(base: &Base, next: &str) -> Option<LocalPath> {
    let path: LocalPath = next.parse().ok().filter(|_| next.len() <= MAX)?;
    let ours = base.first_name_below(&path);
    let is_page = ours.is_none_or(|name| !NO_PAGES.contains(&&*name));
    is_page.then_some(path)
}

/// Where a query of the page `enter` leads, if it leads anywhere.
pub fn next_of(base: &Base, query: &str) -> Option<LocalPath> {
    let mut fields = url::form_urlencoded::parse(query.as_bytes());
    fields
        .find(|(name, _)| name == "next")
        .and_then(|(_, next)| way_back(base, &next))
}

/// The way to `path` for a browser that may still have to get its session.
pub fn through(base: &Base, path: LocalPath) -> LocalPath {
    if base.below(&path).is_some_and(needs_a_user) {
        return path;
    }
    let enter = base.path(ENTER);
    let next: String = url::form_urlencoded::byte_serialize(path.as_str().as_bytes()).collect();
    // A way back always has room there; what would not is forgotten: the session matters more.
    format!("{enter}?next={next}").parse().unwrap_or(enter)
}

/// Whether it is a page of ours that needs a user, and so performs the exchange itself.
fn needs_a_user(page: &str) -> bool {
    matches!(page, "/profile" | "/profile/password" | "/profile/address")
        || page.starts_with("/profile/address/")
}

/// The way to where every sign-in leads, which must be a page.
///
/// # Errors
/// Says why it is none.
pub fn target(base: &Base, path: LocalPath, practice: bool) -> Result<LocalPath, &'static str> {
    if path.as_str().len() > MAX {
        return Err("longer than 2048 bytes");
    }
    if way_back(base, path.as_str()).is_none() {
        return Err("no page of its own: it leads back here, or shows nothing");
    }
    match base.first_name_below(&path).as_deref() {
        Some("profile") if !base.below(&path).is_some_and(needs_a_user) => {
            Err("no page that there is")
        }
        Some("practice" | "") if !practice => {
            Err("a page of practice mode alone: it leads back here, or shows nothing")
        }
        Some("favicon.ico" | "favicon.svg" | "healthz" | "readyz") => {
            Err("not a page to sign in for")
        }
        _ => Ok(through(base, path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> LocalPath {
        text.parse().unwrap()
    }

    /// No base: the whole host is ours.
    fn host() -> Base {
        Base::default()
    }

    /// An application has the rest of the host.
    fn auth() -> Base {
        "/auth".parse().unwrap()
    }

    #[test]
    fn a_page_of_ours_is_gone_to_at_once_and_every_other_one_through_enter() {
        for own in [
            "/profile",
            "/profile?tab=1",
            "/profile/password",
            "/profile/address/abc#x",
        ] {
            assert_eq!(through(&host(), path(own)), path(own));
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
            assert_eq!(through(&host(), path(other)), path(way));
            assert_eq!(
                next_of(&host(), way.split_once('?').unwrap().1),
                Some(path(other))
            );
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
            assert!(target(&host(), path(bad), false).is_err(), "{bad}");
        }
        for good in ["/dashboard", "/a/login", "/login-help", "/profile"] {
            assert_eq!(
                target(&host(), path(good), false),
                Ok(through(&host(), path(good))),
                "{good}"
            );
        }
        assert_eq!(
            target(&host(), path("/"), true),
            Ok(path("/enter?next=%2F"))
        );
        // Each byte of it is three in the query.
        let longest = format!("/{}a", "%25".repeat(682));
        let way = target(&host(), path(&longest), false).unwrap();
        assert_eq!(
            next_of(&host(), &way.as_str()["/enter?".len()..]),
            Some(path(&longest))
        );
        assert!(target(&host(), path(&format!("{longest}a")), false).is_err());
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
                way_back(&host(), good).as_ref().map(LocalPath::as_str),
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
            assert_eq!(way_back(&host(), bad), None, "{bad}");
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
            let way = through(&auth(), path(other));
            assert!(way.as_str().starts_with("/auth/enter?next=%2F"), "{way}");
            assert_eq!(way_back(&auth(), other), Some(path(other)));
            assert_eq!(target(&auth(), path(other), false), Ok(way));
        }
        for own in ["/auth/profile", "/auth/profile/address/x?y"] {
            assert_eq!(target(&auth(), path(own), false), Ok(path(own)));
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
            assert!(target(&auth(), path(bad), false).is_err(), "{bad}");
        }
        for bad in [
            "/auth/login",
            "/Auth/Login",
            "/%61uth/log%6fut",
            "/auth/confirm/x",
        ] {
            assert_eq!(way_back(&auth(), bad), None, "{bad}");
        }
    }
}
