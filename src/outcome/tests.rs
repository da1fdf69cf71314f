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

#[test]
fn the_applications_page_that_every_sign_in_leads_to_is_known() {
    let page = |destinations: Destinations, leads: &str| {
        let destinations = destinations.leading_to(path(leads), false).unwrap();
        destinations.confirmed_page().map(|page| page.to_string())
    };
    let orders = "/orders?page=2&next=/a#b";
    assert_eq!(page(auth(), orders).as_deref(), Some(orders));
    for own in ["/auth/profile", "/auth/profile?tab=1"] {
        assert_eq!(page(auth(), own), None, "{own}");
    }
    assert_eq!(auth().confirmed_page(), None);
}
