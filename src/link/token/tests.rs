use super::*;
use crate::secret::SystemEntropy;

#[test]
fn a_token_of_ours_is_known_under_each_of_our_keys_and_no_other() {
    let old = Keys::from_secret(&[1; 32]);
    let other = Keys::from_secret(&[2; 32]);
    let link = LinkToken::generate(&SystemEntropy);
    let token = link.token(&old);
    assert_eq!(LinkToken::read(&old, &token), Some(link.clone()));
    assert_eq!(LinkToken::read(&other, &token), None);
    for forged in ["x", &"A".repeat(54), link.waiting(&old).expose()] {
        assert_eq!(
            LinkToken::read(&old, &forged.parse().unwrap()),
            None,
            "{forged}"
        );
    }
}

#[test]
fn the_waiting_token_is_the_links_own_and_is_not_the_link() {
    let link = LinkToken::generate(&SystemEntropy);
    let other = LinkToken::generate(&SystemEntropy);
    let keys = Keys::from_secret(&[1; 32]);
    let unmarked = unmarked(&link.waiting(&keys)).parse().unwrap();
    assert!(
        LinkToken::is_waiting(&keys, &unmarked),
        "a browser has it from before the mark"
    );
    assert_eq!(link.waiting_each(&keys), [link.waiting(&keys), unmarked]);
    assert_ne!(link.waiting(&keys), other.waiting(&keys));
    assert!(LinkToken::is_waiting(&keys, &link.waiting(&keys)));
    assert!(!LinkToken::is_waiting(
        &Keys::from_secret(&[2; 32]),
        &link.waiting(&keys)
    ));
    assert!(!LinkToken::is_waiting(&keys, &link.token(&keys)));
}

#[test]
fn a_link_that_was_mangled_on_its_way_is_found_again_or_known_as_ours() {
    let keys = Keys::from_secret(&[1; 32]);
    let link = LinkToken::generate(&SystemEntropy);
    let token = link.token(&keys);
    let marked = token.expose();
    let old = unmarked(&token);
    for good in [marked, old] {
        let parsed: Token = good.parse().unwrap();
        assert_eq!(
            LinkToken::read(&keys, &parsed),
            Some(link.clone()),
            "also from before the mark"
        );
        for (before, after) in [
            ("", ""),
            ("", "."),
            ("", "-"),
            ("", "_"),
            ("", "~"),
            ("3D", ""),
            ("3D", "._"),
            ("http-", ".html"),
        ] {
            let mangled = format!("{before}{good}{after}").parse().unwrap();
            assert_eq!(
                LinkToken::within(&keys, &mangled)
                    .as_ref()
                    .map(Token::expose),
                Some(good),
                "{mangled:?}"
            );
            assert!(LinkToken::is_ours(&keys, &mangled));
        }
        for cut in 1..=5 {
            for mangled in [
                good[..good.len() - cut].to_owned(),
                format!("3D{}.", &good[..good.len() - cut]),
            ] {
                let mangled = mangled.parse().unwrap();
                assert_eq!(LinkToken::within(&keys, &mangled), None);
                assert!(
                    LinkToken::is_ours(&keys, &mangled),
                    "{cut} characters are missing"
                );
            }
        }
    }
    for cut in 1..marked.len() - LENGTH {
        assert!(
            LinkToken::is_ours(&keys, &marked[cut..].parse().unwrap()),
            "{cut} characters are missing in front"
        );
    }
    for cut in 1..LENGTH {
        assert!(LinkToken::is_ours(
            &keys,
            &marked[..marked.len() - cut].parse().unwrap()
        ));
    }
    assert!(LinkToken::is_ours(
        &keys,
        &marked.to_ascii_uppercase().parse().unwrap()
    ));
    assert!(LinkToken::is_ours(&keys, &link.waiting(&keys)));
}

#[test]
fn a_token_of_another_issuer_is_not_ours() {
    let keys = Keys::from_secret(&[1; 32]);
    let other = Keys::from_secret(&[2; 32]);
    let theirs = unmarked(&LinkToken::generate(&SystemEntropy).token(&other)).to_owned();
    for token in [
        "a",
        "valid-2",
        "vestibule",
        "vestibule-1",
        "vestibule-links",
        "eyJ.eyJ.abc-_",
        &"A".repeat(54),
        &theirs,
    ] {
        let token = token.parse().unwrap();
        assert!(!LinkToken::is_ours(&keys, &token), "{token:?}");
        assert_eq!(LinkToken::within(&keys, &token), None);
    }
    assert!(!LinkToken::is_ours(
        &keys,
        &"x".repeat(512).parse().unwrap()
    ));
}
