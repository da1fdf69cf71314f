use super::*;

fn identity(issuer: &str, name: Option<&str>) -> Identity {
    Identity {
        issuer: issuer.into(),
        subject: "s".into(),
        name: name.map(Into::into),
        email: None,
    }
}

#[test]
fn an_identity_is_bounded_and_has_no_control_characters() {
    assert!(identity("i", Some("Ada")).checked().is_ok());
    assert_eq!(identity("", None).checked(), Err(InvalidIdentity::Key));
    assert_eq!(
        identity(&"i".repeat(256), None).checked(),
        Err(InvalidIdentity::Key)
    );
    assert_eq!(
        identity("i", Some(&"n".repeat(256))).checked(),
        Err(InvalidIdentity::Long)
    );
    assert_eq!(
        identity("i", Some("Ada\r\nBcc: x")).checked(),
        Err(InvalidIdentity::Control)
    );
}

#[test]
fn no_identity_looks_like_another_by_what_is_not_seen() {
    for hidden in "\u{ad}\u{34f}\u{61c}\u{180e}\u{200b}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{206f}\u{3164}\u{feff}\u{fffb}\u{e0001}\u{e0061}\u{e007f}".chars() {
        let text = format!("Ada{hidden}");
        let ada = identity("i", None);
        for identity in [
            identity("i", Some(&text)),
            Identity { issuer: text.clone(), ..ada.clone() },
            Identity { subject: text.clone(), ..ada.clone() },
            Identity { email: Some(text.clone()), ..ada },
        ] {
            assert_eq!(identity.checked(), Err(InvalidIdentity::Control), "{hidden:?}");
        }
    }
    for name in [
        "\u{915}\u{94d}\u{200d}\u{937}",
        "\u{645}\u{6cc}\u{200c}\u{62e}",
        "\u{5d0}\u{5d3}\u{5d4}",
        "Zo\u{eb}",
    ] {
        assert!(identity("i", Some(name)).checked().is_ok(), "{name}");
        let key = Identity {
            subject: format!("{name}\u{200d}"),
            ..identity("i", None)
        };
        assert_eq!(
            key.checked(),
            Err(InvalidIdentity::Control),
            "a joiner is for names alone"
        );
    }
}

#[test]
fn two_of_one_name_are_told_apart_by_who_knows_them_and_how() {
    let user = |issuer: &str, email: Option<&str>| {
        let identity = Identity {
            email: email.map(Into::into),
            ..identity(issuer, Some("Ada"))
        };
        User::new(
            UserId::from_bytes([0; 16]),
            identity,
            Timestamp::from_millis(0),
        )
        .description()
    };
    assert_eq!(
        user(PASSWORD_ISSUER, Some("ada@example.com")),
        "ada@example.com"
    );
    assert_eq!(
        user("school", Some("ada@example.com")),
        "ada@example.com (school: s)"
    );
    assert_eq!(user("school", None), "school: s");
}

#[test]
fn a_user_who_changed_their_sign_in_is_not_locked_out_by_a_clock_set_back() {
    let at = Timestamp::from_millis;
    let user = User::new(UserId::from_bytes([0; 16]), identity("i", None), at(0));
    let changed = User {
        valid_from: at(50),
        ..user
    };
    for (since, now, welcome) in [
        (49, 60, false),
        (50, 60, true),
        (40, 40, true),
        (40, 50, false),
    ] {
        assert_eq!(
            changed.may_sign_in(at(since), at(now)),
            welcome,
            "{since} at {now}"
        );
    }
    assert!(
        !User {
            disabled: true,
            ..changed
        }
        .may_sign_in(at(40), at(40))
    );
}

#[test]
fn a_user_without_a_name_is_called_by_what_is_known() {
    let user = |identity| {
        User::new(
            UserId::from_bytes([0; 16]),
            identity,
            Timestamp::from_millis(0),
        )
    };
    assert_eq!(user(identity("i", Some("Ada"))).display_name(), "Ada");
    for unseen in ["  ", "\u{200d}", "\u{200b}\u{a0}"] {
        assert_eq!(
            user(identity("i", Some(unseen))).display_name(),
            "s",
            "{unseen:?}"
        );
    }
}
