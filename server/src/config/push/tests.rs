use super::*;

const APP: [(&str, &str); 3] = [
    ("PUSHER_APP_ID", "1"),
    ("PUSHER_KEY", "key"),
    ("PUSHER_SECRET", "hush"),
];

fn given(settings: &[(&str, &str)]) -> RawSettings {
    RawSettings::from_lookup(|setting| {
        settings
            .iter()
            .find(|(key, _)| *key == setting.key)
            .map(|(_, value)| (*value).to_owned())
    })
}

/// Where is published and whether with TLS, and where browsers connect, with these settings besides
/// the app's.
fn places(settings: &[(&str, &str)]) -> (String, bool, String) {
    match PushConfig::read(&given(&[&APP, settings].concat()), true).unwrap() {
        PushConfig::Server { app, socket } => (app.host, app.tls.is_some(), socket),
        PushConfig::Embedded(_) => panic!("embedded"),
    }
}

fn refused(settings: &[(&str, &str)]) -> String {
    PushConfig::read(&given(settings), true)
        .unwrap_err()
        .to_string()
}

#[test]
fn a_cluster_says_it_all() {
    let eu = (
        "api-eu.pusher.com:443".to_owned(),
        true,
        "wss://ws-eu.pusher.com:443".to_owned(),
    );
    assert_eq!(places(&[("PUSHER_CLUSTER", "eu")]), eu);
    // As frameworks write it into their environments.
    let besides = [
        ("PUSHER_CLUSTER", "eu"),
        ("PUSHER_HOST", ""),
        ("PUSHER_PORT", "443"),
        ("PUSHER_SCHEME", "https"),
    ];
    assert_eq!(places(&besides), eu);
}

#[test]
fn a_server_of_ones_own_has_the_ports_of_its_scheme() {
    let host = ("PUSHER_HOST", "push.example");
    let tls = (
        "push.example:443".to_owned(),
        true,
        "wss://push.example:443".to_owned(),
    );
    assert_eq!(places(&[host]), tls);
    assert_eq!(places(&[host, ("PUSHER_SCHEME", "https")]), tls);
    let local = (
        "localhost:80".to_owned(),
        false,
        "ws://localhost:80".to_owned(),
    );
    assert_eq!(
        places(&[("PUSHER_HOST", "localhost"), ("PUSHER_SCHEME", "http")]),
        local
    );
    let path = (
        "push.example:8443/push".to_owned(),
        true,
        "wss://push.example:8443/push".to_owned(),
    );
    assert_eq!(
        places(&[host, ("PUSHER_PORT", "8443"), ("PUSHER_PATH", "/push/")]),
        path
    );
}

#[test]
fn browsers_may_come_by_another_way() {
    let inside = [
        ("PUSHER_HOST", "soketi.internal"),
        ("PUSHER_PORT", "6001"),
        ("PUSHER_SCHEME", "http"),
    ];
    let seen = |public: &[(&str, &str)]| places(&[&inside, public].concat());
    let outside = [
        ("PUSHER_PUBLIC_HOST", "push.example"),
        ("PUSHER_PUBLIC_SCHEME", "https"),
    ];
    let (api, tls, socket) = seen(&outside);
    assert_eq!(
        (api.as_str(), tls, socket.as_str()),
        ("soketi.internal:6001", false, "wss://push.example:443")
    );
    let more = [
        ("PUSHER_PUBLIC_PORT", "8443"),
        ("PUSHER_PUBLIC_PATH", "/ws"),
    ];
    assert_eq!(
        seen(&[&outside[..], &more].concat()).2,
        "wss://push.example:8443/ws"
    );
    let (_, _, socket) = places(&[
        ("PUSHER_HOST", "a.example"),
        ("PUSHER_PATH", "/a"),
        ("PUSHER_PUBLIC_PATH", "/"),
    ]);
    assert_eq!(socket, "wss://a.example:443");
}

#[test]
fn settings_that_are_at_odds_stop_the_start_with_one_line() {
    let app = |more: &[(&'static str, &'static str)]| [&APP, more].concat();
    let eu = ("PUSHER_CLUSTER", "eu");
    let own = ("PUSHER_HOST", "push.example");
    for (settings, key) in [
        (app(&[eu, own]), "PUSHER_CLUSTER"),
        (vec![eu], "PUSHER_APP_ID"),
        (vec![own], "PUSHER_APP_ID"),
        (
            app(&[("PUSHER_CLUSTER", "eu.pusher.com")]),
            "PUSHER_CLUSTER",
        ),
        (app(&[eu, ("PUSHER_SCHEME", "http")]), "PUSHER_SCHEME"),
        (app(&[eu, ("PUSHER_PORT", "6001")]), "PUSHER_PORT"),
        (app(&[eu, ("PUSHER_PATH", "/x")]), "PUSHER_PATH"),
        (app(&[eu, ("PUSHER_CA", "ca.pem")]), "PUSHER_CA"),
        (app(&[("PUSHER_SCHEME", "https")]), "PUSHER_SCHEME"),
        (vec![("PUSHER_PORT", "6001")], "PUSHER_PORT"),
        (vec![("PUSHER_CA", "ca.pem")], "PUSHER_CA"),
        (
            vec![("PUSHER_PUBLIC_HOST", "push.example")],
            "PUSHER_PUBLIC_HOST",
        ),
        (vec![("PUSHER_SECRET", "hush")], "PUSHER_APP_ID"),
        (app(&[own, ("PUSHER_SCHEME", "wss")]), "PUSHER_SCHEME"),
        (app(&[own, ("PUSHER_PORT", "0")]), "PUSHER_PORT"),
        (app(&[own, ("PUSHER_PATH", "push")]), "PUSHER_PATH"),
        (app(&[own, ("PUSHER_PATH", "/a?b")]), "PUSHER_PATH"),
        (app(&[own, ("PUSHER_CA", "/nowhere/ca.pem")]), "PUSHER_CA"),
        (app(&[own, ("PUSHER_CA", "Cargo.toml")]), "PUSHER_CA"),
        (app(&[("PUSHER_HOST", "push.example:6001")]), "PUSHER_HOST"),
        (
            app(&[("PUSHER_HOST", "https://push.example")]),
            "PUSHER_HOST",
        ),
        (app(&[("PUSHER_HOST", "[::1]")]), "PUSHER_PUBLIC_HOST"),
        (
            app(&[own, ("PUSHER_SCHEME", "http")]),
            "PUSHER_PUBLIC_SCHEME",
        ),
        (
            app(&[
                ("PUSHER_HOST", "localhost"),
                ("PUSHER_SCHEME", "http"),
                ("PUSHER_CA", "ca.pem"),
            ]),
            "PUSHER_CA",
        ),
        (
            vec![
                ("PUSHER_APP_ID", "1/2"),
                ("PUSHER_KEY", "key"),
                ("PUSHER_SECRET", "hush"),
            ],
            "PUSHER_APP_ID",
        ),
    ] {
        let line = refused(&settings);
        assert!(
            line.starts_with(&format!("{key}: ")),
            "{settings:?}: {line}"
        );
        assert!(
            line.contains("(example: ") || line.ends_with("; leave it out"),
            "{line}"
        );
        assert!(!line.contains('\n') && !line.contains("hush"), "{line}");
    }
}

#[test]
fn pages_without_tls_may_use_sockets_without_tls() {
    let settings = [
        &APP[..],
        &[("PUSHER_HOST", "push.example"), ("PUSHER_SCHEME", "http")],
    ]
    .concat();
    assert!(PushConfig::read(&given(&settings), false).is_ok());
}
