use super::*;

fn read(text: &str) -> Option<String> {
    text.parse::<Address>()
        .ok()
        .map(|address| address.as_str().to_owned())
}

#[test]
fn an_address_is_looked_up_in_lower_case_and_kept_as_it_was_typed() {
    for (text, key, typed) in [
        ("Ada@Example.COM", "ada@example.com", "Ada@example.com"),
        (
            " a.b+c@x-y.example ",
            "a.b+c@x-y.example",
            "a.b+c@x-y.example",
        ),
        (
            "o'Neil@xn--bcher-kva.example",
            "o'neil@xn--bcher-kva.example",
            "o'Neil@xn--bcher-kva.example",
        ),
    ] {
        let address: Address = text.parse().unwrap();
        assert_eq!((address.as_str(), address.typed()), (key, typed));
    }
    assert_eq!(
        "Ada@example.com".parse::<Address>(),
        "ada@EXAMPLE.com".parse()
    );
}

#[test]
fn full_stops_may_stand_anywhere_in_a_mailbox() {
    for text in [
        "a..b@docomo.ne.jp",
        ".a@docomo.ne.jp",
        "a.@docomo.ne.jp",
        "a...b..@ezweb.ne.jp",
    ] {
        assert_eq!(read(text).as_deref(), Some(text));
    }
}

#[test]
fn a_domain_in_other_letters_is_turned_into_a_labels() {
    for (text, key) in [
        ("joe@bücher.example", "joe@xn--bcher-kva.example"),
        ("joe@BÜCHER.example", "joe@xn--bcher-kva.example"),
        ("joe@bu\u{308}cher.example", "joe@xn--bcher-kva.example"),
        ("joe@例え.jp", "joe@xn--r8jz45g.jp"),
        ("joe@mail.пример.example", "joe@mail.xn--e1afmkfd.example"),
        // Another letter than it looks like, and told apart by its A-label.
        ("ada@ex\u{430}mple.com", "ada@xn--exmple-4nf.com"),
    ] {
        assert_eq!(read(text).as_deref(), Some(key), "{text}");
    }
}

#[test]
fn no_character_is_taken_for_one_of_ascii() {
    for (char, ascii) in [
        ('\u{212a}', 'k'),
        ('\u{17f}', 's'),
        ('\u{130}', 'i'),
        ('\u{131}', 'i'),
        ('\u{ff4b}', 'k'),
        ('\u{1d424}', 'k'),
        ('\u{24da}', 'k'),
        ('\u{2170}', 'i'),
        ('\u{aa}', 'a'),
        ('\u{43a}', 'k'),
    ] {
        assert_eq!(read(&format!("{char}arl@example.com")), None, "{char}");
        let folded = format!("ada@{ascii}arl.example");
        assert_ne!(
            read(&format!("ada@{char}arl.example")),
            Some(folded),
            "{char}"
        );
    }
    for text in [
        "ada\u{ff20}example.com",
        "ada@example\u{3002}com",
        "ada@example\u{ff0e}com",
        "ada@\u{212a}arlü.example",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn invisible_characters_in_a_pasted_address_are_removed() {
    for char in [
        '\u{200b}', '\u{feff}', '\u{a0}', '\u{ad}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202c}',
        '\u{202e}', '\u{2060}', '\u{2066}', '\u{2069}', '\u{61c}', '\u{200c}', '\u{200d}',
        '\u{202f}', '\u{fe0f}',
    ] {
        for text in [
            format!("{char}ada@example.com"),
            format!("ada@example.com{char}"),
            format!("ad{char}a@exam{char}ple.com"),
        ] {
            assert_eq!(read(&text).as_deref(), Some("ada@example.com"), "{text:?}");
        }
    }
}

#[test]
fn what_stands_around_a_pasted_address_is_removed() {
    for text in [
        "mailto:ada@example.com",
        "MAILTO:ada@example.com?subject=Hello",
        "<mailto:ada@example.com>",
        "Ada <ada@example.com>",
        "\"King, Ada\" <ada@example.com>,",
        "Ada King <ada@example.com>;",
        "ada@example.com <ada@example.com>",
        "<ada@example.com>",
        "ada@example.com.",
        "ada@example.com,",
        "ada@example.com;",
        "\"ada@example.com\"",
        "'ada@example.com'",
        "\u{201c}ada@example.com\u{201d}",
        "\u{201e}ada@example.com\u{201c}.",
        "\u{ab}ada@example.com\u{bb}",
        "(ada@example.com)",
        "[ada@example.com]",
        "\tada@example.com\r\n",
        "\u{3000}ada@example.com\u{2003}",
    ] {
        assert_eq!(read(text).as_deref(), Some("ada@example.com"), "{text:?}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_no_address() {
    let long = "a".repeat(65);
    let label = "b".repeat(64);
    for bad in [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@example..com",
        "..@example.com",
        "ada@-example.com",
        "ada@example.com@evil.example",
        "ada@[127.0.0.1]",
        "\"ada\"@example.com",
        "ada(comment)@example.com",
        "ada king@example.com",
        "ada@example.com, bob@example.com",
        "Ada <ada@example.com>, Bob <bob@example.com>",
        "bob@example.com <ada@example.com>",
        "Ada <ada@example.com",
        "mailto:ada%40example.com@example.com",
        "ada@example.com\r\nBcc: bob@example.com",
        "ada\0@example.com",
        "аda@example.com",
        "adı@example.com",
        &format!("{long}@example.com"),
        &format!("ada@{label}.com"),
        &format!("ada@{}.example", "ü".repeat(64)),
    ] {
        assert_eq!(bad.parse::<Address>(), Err(InvalidAddress), "{bad:?}");
    }
}

#[test]
fn mail_for_a_user_goes_to_the_address_that_they_have_given() {
    let typed: Address = "ADA@example.com".parse().unwrap();
    let identity = |email: Option<&str>| Identity {
        issuer: PASSWORD_ISSUER.into(),
        subject: "ada@example.com".into(),
        name: None,
        email: email.map(Into::into),
    };
    assert_eq!(
        typed.of_user(&identity(Some("Ada@example.com"))).typed(),
        "Ada@example.com"
    );
    for other in [None, Some("bob@example.com"), Some("?")] {
        assert_eq!(typed.of_user(&identity(other)).typed(), "ada@example.com");
    }
}

#[test]
fn a_mailbox_is_the_address_without_what_follows_a_plus() {
    for (address, mailbox) in [
        ("Ada@example.com", "ada@example.com"),
        ("ada+news@example.com", "ada@example.com"),
        ("ada+a+b@Example.com", "ada@example.com"),
        ("+ada@example.com", "+ada@example.com"),
        ("a-da_=+x@example.com", "a-da_=@example.com"),
    ] {
        assert_eq!(address.parse::<Address>().unwrap().mailbox(), mailbox);
    }
}

#[test]
fn a_masked_address_tells_no_more_than_its_first_letter_and_its_domain() {
    for (address, masked) in [
        ("ada@example.com", "a…@example.com"),
        ("ab@example.com", "a…@example.com"),
        ("a@example.com", "…@example.com"),
    ] {
        assert_eq!(address.parse::<Address>().unwrap().masked(), masked);
    }
}

#[test]
fn a_text_that_is_too_long_is_refused_before_its_domain_is_looked_at() {
    let named = |length: usize| format!("{} <ada@example.com>", "n".repeat(length - 18)).parse();
    assert_eq!(named(1024), "ada@example.com".parse::<Address>());
    assert_eq!(named(1025), Err(InvalidAddress));
}
