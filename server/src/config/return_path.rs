//! Where a browser may be led after it has signed in: back to where it wanted to go, or to where
//! every sign-in leads.

use vestibule::path::LocalPath;

/// Where the user wanted to go before they were asked to sign in: a path on this origin, but none
/// of ours that is not a page to come back to, however it is spelled.
pub fn way_back(next: &str) -> Option<LocalPath> {
    const NO_PAGES: [&str; 9] = [
        "api", "app", "confirm", "continue", "enter", "login", "logout", "pkg", "pusher",
    ];
    let path: LocalPath = next.parse().ok()?;
    (!NO_PAGES.contains(&&*path.first_segment())).then_some(path)
}

/// The path of `/enter`.
pub const ENTER: &str = "/enter";

/// Where a query of `/enter` leads, if it leads anywhere.
pub fn next_of(query: &str) -> Option<LocalPath> {
    let mut fields = url::form_urlencoded::parse(query.as_bytes());
    fields
        .find(|(name, _)| name == "next")
        .and_then(|(_, next)| way_back(&next))
}

/// The way to `path` for a browser that may still have to get its session.
///
/// # Panics
/// Never: the path of `/enter` is one.
pub fn through(path: LocalPath) -> LocalPath {
    if needs_a_user(&path) {
        return path;
    }
    let next: String = url::form_urlencoded::byte_serialize(path.as_str().as_bytes()).collect();
    // A path that is too long to be written once more is forgotten; the session matters more.
    format!("{ENTER}?next={next}")
        .parse()
        .unwrap_or_else(|_| ENTER.parse().expect("a constant path"))
}

/// Whether it is a page of ours that needs a user, and so performs the exchange itself.
fn needs_a_user(path: &LocalPath) -> bool {
    let page = path.as_str().split(['?', '#']).next().unwrap_or_default();
    matches!(page, "/profile" | "/profile/password" | "/profile/address")
        || page.starts_with("/profile/address/")
}

/// The way to where every sign-in leads, which must be a page.
///
/// # Errors
/// Says why it is none.
pub fn target(path: LocalPath, practice: bool) -> Result<LocalPath, &'static str> {
    let first = path.first_segment();
    if way_back(path.as_str()).is_none() {
        return Err("no page of its own: it leads back here, or shows nothing");
    }
    match &*first {
        "profile" if !needs_a_user(&path) => Err("no page that there is"),
        "practice" | "" if !practice => {
            Err("a page of practice mode alone: it leads back here, or shows nothing")
        }
        "favicon.ico" | "favicon.svg" | "healthz" | "readyz" => Err("not a page to sign in for"),
        _ if path.as_str().len() > MAX => Err("longer than an address may be"),
        _ => Ok(through(path)),
    }
}

/// The longest target, so that there is room for it in the query of `/enter`.
const MAX: usize = 320;

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> LocalPath {
        text.parse().unwrap()
    }

    #[test]
    fn a_page_of_ours_is_gone_to_at_once_and_every_other_one_through_enter() {
        for own in [
            "/profile",
            "/profile?tab=1",
            "/profile/password",
            "/profile/address/abc#x",
        ] {
            assert_eq!(through(path(own)), path(own));
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
            assert_eq!(through(path(other)), path(way));
            assert_eq!(next_of(way.split_once('?').unwrap().1), Some(path(other)));
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
            "/favicon.ico",
            "/",
            "/?x",
            "/practice/mail",
            "/profile/sessions/end",
            "/profile/x",
            "/profile/",
        ] {
            assert!(target(path(bad), false).is_err(), "{bad}");
        }
        for good in ["/dashboard", "/a/login", "/login-help", "/profile"] {
            assert_eq!(target(path(good), false), Ok(through(path(good))), "{good}");
        }
        assert_eq!(target(path("/"), true), Ok(path("/enter?next=%2F")));
        assert!(target(path(&format!("/{}", "%25".repeat(107))), false).is_err());
        assert!(
            target(path(&format!("/{}", "%25".repeat(106))), false)
                .unwrap()
                .as_str()
                .starts_with("/enter")
        );
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
            assert_eq!(way_back(good).as_ref().map(LocalPath::as_str), Some(good));
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
            assert_eq!(way_back(bad), None, "{bad}");
        }
    }
}
