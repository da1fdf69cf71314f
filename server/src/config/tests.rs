use super::*;
use crate::validator::{Reason, Token, ValidationError, Verdict};
use std::{path::Path, sync::Arc};

const SECRET: &str = "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=";

fn read(given: &[(&str, &str)]) -> Result<Config, String> {
    let find = |setting: &Setting| {
        given
            .iter()
            .find(|(key, _)| *key == setting.key)
            .map(|(_, value)| (*value).to_owned())
    };
    Config::read(&RawSettings::from_lookup(find)).map_err(|error| error.to_string())
}

#[test]
fn nothing_given_is_practice_mode_on_loopback() {
    let config = read(&[]).unwrap();
    assert!(config.is_practice() && config.addr.ip().is_loopback());
}

#[test]
fn practice_mode_listens_on_loopback_only() {
    let elsewhere = ("LEPTOS_SITE_ADDR", "0.0.0.0:3000");
    for given in [&[elsewhere][..], &[elsewhere, ("PRACTICE", "on")]] {
        assert!(
            read(given)
                .unwrap_err()
                .starts_with("VALIDATOR_URL: missing")
        );
    }
}

#[test]
fn the_control_of_practice_mode_listens_on_loopback_only() {
    for elsewhere in ["0.0.0.0:3080", "192.0.2.7:3080", "[::]:3080"] {
        let line = read(&[("OPS_ADDR", elsewhere)]).unwrap_err();
        let expected = format!(
            "OPS_ADDR: practice mode listens on loopback only, not on {elsewhere} (example: 127.0.0.1:3080)"
        );
        assert_eq!(line, expected);
        let in_use = [
            ("OPS_ADDR", elsewhere),
            ("VALIDATOR_URL", "https://v.example/"),
            ("VESTIBULE_SECRET", SECRET),
        ];
        assert!(
            read(&in_use).is_ok(),
            "health alone may be asked from elsewhere"
        );
    }
    for own in ["127.0.0.1:0", "[::1]:3080"] {
        assert!(read(&[("OPS_ADDR", own)]).unwrap().ops_addr.is_some());
    }
    assert!(
        read(&[("OPS_ADDR", "3080")])
            .unwrap_err()
            .starts_with("OPS_ADDR: not an IP address")
    );
}

#[test]
fn outside_practice_mode_no_secret_has_a_default() {
    let validator = ("VALIDATOR_URL", "https://v.example/");
    assert!(
        read(&[validator])
            .unwrap_err()
            .starts_with("VESTIBULE_SECRET: missing")
    );
    assert!(
        read(&[validator, ("VESTIBULE_SECRET", "c2hvcnQ=")])
            .unwrap_err()
            .starts_with("VESTIBULE_SECRET: a key is")
    );
    let typed = read(&[validator, ("VESTIBULE_SECRET", &"c2hvcnQ".repeat(8))]).unwrap_err();
    assert!(
        typed.starts_with("VESTIBULE_SECRET: a key is not random")
            && typed.contains("openssl rand -base64 32")
    );
}

#[test]
fn the_key_of_practice_mode_is_no_key() {
    for keys in [
        format!("practice:{SECRET}"),
        format!("{SECRET},practice:{SECRET}"),
        "practice:".to_owned(),
    ] {
        let line = read(&[
            ("VALIDATOR_URL", "https://v.example/"),
            ("VESTIBULE_SECRET", &keys),
        ])
        .unwrap_err();
        assert!(
            line.starts_with("VESTIBULE_SECRET: it is the key of practice mode")
                && !line.contains(SECRET),
            "{line}"
        );
    }
}

#[test]
fn each_unencrypted_connection_to_another_machine_is_named_without_its_password() {
    let real = [
        ("VALIDATOR_URL", "https://v.example/"),
        ("VESTIBULE_SECRET", SECRET),
    ];
    let app = [
        ("PUSHER_APP_ID", "1"),
        ("PUSHER_KEY", "key"),
        ("PUSHER_SECRET", "hush"),
    ];
    let named = |settings: &[(&str, &str)]| {
        read(&[&real[..], &app, settings].concat())
            .unwrap()
            .unencrypted()
    };
    let lines = named(&[
        ("DATABASE_URL", "postgres://a:hush@db.internal/x"),
        ("REDIS_URL", "redis://:hush@10.0.0.9"),
        ("PUSHER_HOST", "soketi.internal"),
        ("PUSHER_SCHEME", "http"),
    ]);
    let keys: Vec<_> = lines
        .iter()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(keys, ["DATABASE_URL", "REDIS_URL", "PUSHER_SCHEME"]);
    assert!(
        lines
            .iter()
            .all(|line| !line.contains("hush") && !line.contains('\n')),
        "{lines:?}"
    );
    let encrypted = [
        (
            "DATABASE_URL",
            "postgres://db.internal/x?sslmode=verify-full",
        ),
        ("REDIS_URL", "rediss://10.0.0.9"),
        ("PUSHER_HOST", "127.0.0.1"),
        ("PUSHER_SCHEME", "http"),
    ];
    assert_eq!(named(&encrypted), <Vec<String>>::new());
}

#[test]
fn only_practice_mode_opens_registration_by_default() {
    let real = [
        ("VALIDATOR_URL", "https://v.example/"),
        ("VESTIBULE_SECRET", SECRET),
    ];
    let open = ("REGISTRATION", "open");
    assert_eq!(read(&real).unwrap().registration, Registration::Closed);
    assert_eq!(
        read(&[real[0], real[1], open]).unwrap().registration,
        Registration::Open
    );
    assert_eq!(read(&[]).unwrap().registration, Registration::Open);
    assert_eq!(
        read(&[("REGISTRATION", "closed")]).unwrap().registration,
        Registration::Closed
    );
}

#[test]
fn a_process_apart_needs_to_know_where_the_links_in_its_mails_lead() {
    let given = [
        ("VALIDATOR_URL", "https://v.example/"),
        ("VESTIBULE_SECRET", SECRET),
        ("DATABASE_URL", "postgres://localhost/sign_in"),
        ("SMTP_URL", "smtp://localhost"),
        ("MAIL_FROM", "no-reply@example.com"),
    ];
    let apart = |given: &[_]| {
        read(given)
            .unwrap()
            .apart()
            .map(drop)
            .map_err(|error| error.to_string())
    };
    assert!(
        apart(&given)
            .unwrap_err()
            .starts_with("PUBLIC_URL: missing; the links in mails")
    );
    assert_eq!(
        apart(&[&given[..], &[("PUBLIC_URL", "https://sign-in.example")]].concat()),
        Ok(())
    );
}

#[test]
fn a_session_may_live_as_long_as_it_may_be_unused_and_no_shorter() {
    assert!(read(&[("SESSION_ABSOLUTE", "14days")]).is_ok());
    for given in [("SESSION_ABSOLUTE", "13days"), ("SESSION_IDLE", "91days")] {
        assert!(
            read(&[given])
                .unwrap_err()
                .starts_with("SESSION_ABSOLUTE: shorter than SESSION_IDLE"),
            "{given:?}"
        );
    }
}

#[test]
fn a_wrong_value_is_one_line_with_key_problem_and_example() {
    for (key, value) in [
        ("LEPTOS_SITE_ADDR", "localhost"),
        ("PUBLIC_URL", "example"),
        ("PUBLIC_URL", "http://sign-in.example"),
        ("DATABASE_URL", "mysql://x"),
        ("REDIS_URL", "http://x"),
        ("SESSION_STORE", "disk"),
        ("SMTP_URL", "mail.example"),
        ("MAIL_FROM", "Vestibule"),
        ("REGISTRATION", "yes"),
        ("CONFIRM_START", "maybe"),
        ("CONFIRM_REDIRECT", "//evil.example"),
        ("CONFIRM_REDIRECT", "/login/"),
        ("VALIDATOR_TLS", "some"),
        ("PRACTICE", "perhaps"),
        ("CONFIRM_REDIRECT", "/%4Cogin"),
        ("CONFIRM_ATTEMPT", "10"),
        ("CONFIRM_ATTEMPT", "31s"),
        ("CONFIRM_DEADLINE", "0s"),
        ("CONFIRM_WAIT", "15"),
        ("CONFIRM_WAIT", "59s"),
        ("CONFIRM_WAIT", "8days"),
        ("CONFIRM_IN_FLIGHT", "0"),
        ("CONFIRM_PER_CLIENT", "0"),
        ("CONFIRM_UNDECIDED", "-1"),
        ("SESSIONS_PER_USER", "many"),
        ("SESSION_IDLE", "91days"),
        ("SESSION_ABSOLUTE", "13days"),
        ("TRUSTED_PROXIES", "proxy.example"),
        ("BROKER_ADDR", "0.0.0.0:6001"),
        ("PUSHER_KEY", "k"),
        ("PUSHER_HOST", "http://x"),
    ] {
        let line = read(&[(key, value), ("PRACTICE", "on")]).unwrap_err();
        assert!(
            !line.starts_with("VALIDATOR_URL")
                && line.contains(": ")
                && line.contains("(example: ")
                && !line.contains('\n'),
            "{key}={value}: {line}"
        );
    }
}

#[test]
fn a_sign_in_waits_for_its_browser_at_least_as_long_as_for_its_validator() {
    let times = |given: &[(&str, &str)]| {
        let timing = read(given).unwrap().timing;
        [timing.wait, timing.bound].map(|time| time.as_secs() / 60)
    };
    assert_eq!(times(&[]), [15, 15]);
    assert_eq!(times(&[("CONFIRM_WAIT", "1min")]), [1, 15]);
    assert_eq!(times(&[("CONFIRM_WAIT", "7days")]), [10_080, 10_080]);
    // Where a longer deadline was set before, no other setting is needed.
    assert_eq!(times(&[("CONFIRM_DEADLINE", "30min")]), [30, 30]);
}

async fn used(_: Token) -> Result<Verdict, ValidationError> {
    Ok(Verdict::Invalid(Reason::Used))
}

#[test]
fn the_site_of_an_application_in_leptos_is_not_taken_for_ours() {
    let site_root = |given: &[(&'static str, &str)]| {
        let base = [("PUBLIC_URL", "http://127.0.0.1:3000/auth")];
        let pairs = base.iter().chain(given).copied();
        let settings = RawSettings::from_pairs(pairs).unwrap();
        let config = Config::read_in_application(&settings, &ApplicationParts::default());
        config.unwrap().site_root
    };
    let own = ("LEPTOS_SITE_ROOT", "target/shop");
    assert_eq!(site_root(&[own]), Path::new("target/site"));
    let ours = ("VESTIBULE_SITE_ROOT", "vestibule/target/site");
    assert_eq!(site_root(&[own, ours]), Path::new("vestibule/target/site"));
}

#[test]
fn no_more_of_an_applications_own_validator_is_asked_at_once_than_has_threads() {
    for (given, own, expected) in [
        (None, true, MAX_CALLS),
        (None, false, 2048),
        (Some("7"), true, 7),
    ] {
        let pairs = [("PUBLIC_URL", "http://127.0.0.1:3000/auth")].into_iter();
        let pairs = pairs.chain(given.map(|given| ("CONFIRM_IN_FLIGHT", given)));
        let settings = RawSettings::from_pairs(pairs).unwrap();
        let mut parts = ApplicationParts::default();
        if own {
            parts.validator = Some(Arc::new(used));
        }
        let config = Config::read_in_application(&settings, &parts).unwrap();
        assert_eq!(config.in_flight, expected, "{given:?}");
    }
}
