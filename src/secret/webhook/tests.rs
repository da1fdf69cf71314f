use super::*;
use crate::clock::{Clock as _, SystemClock};
use sha2::Digest as _;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const BODY: &[u8] = br#"{"confirmation":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","verdict":"pending"}"#;

fn keys(text: &str) -> WebhookKeys {
    text.parse().unwrap()
}

fn key(number: u8) -> String {
    of(number, 32)
}

/// A key of so many bytes.
fn of(number: u8, length: usize) -> String {
    let mut bytes = Vec::new();
    for block in 0..3 {
        bytes.extend(Sha256::digest([number, block]));
    }
    format!("whsec_{}", STANDARD.encode(&bytes[..length]))
}

fn verify(
    keys: &WebhookKeys,
    [id, timestamp, signatures]: [&str; 3],
    body: &[u8],
) -> Result<(), WebhookError> {
    let headers = WebhookHeaders::read(Some(id), Some(timestamp), Some(signatures), NOW)?;
    keys.verify(&headers, body)
}

/// The example of the specification's own test, with its published key.
#[test]
fn the_published_example_is_signed_as_published() {
    let published = WebhookKeys {
        newest: WebhookKey(STANDARD.decode(PUBLISHED).unwrap()),
        older: Vec::new(),
    };
    let at = Timestamp::from_millis(1_614_265_330_000);
    let signed = published.sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        at,
        br#"{"test": 2432232314}"#,
    );
    assert_eq!(
        signed,
        (
            "1614265330".into(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".into()
        )
    );
}

/// The published library takes the time from the machine's clock alone.
#[test]
fn the_published_library_takes_our_signatures_and_we_take_its() {
    let now = SystemClock.now();
    let theirs = standardwebhooks::Webhook::new(&key(1)).unwrap();
    let ours = keys(&key(1));
    let [(timestamp, by_us), (_, by_another)] =
        [&ours, &keys(&key(2))].map(|keys| keys.sign("msg-1", now, BODY));
    let by_them = theirs
        .sign("msg-1", timestamp.parse().unwrap(), BODY)
        .unwrap();
    let mut changed = BODY.to_vec();
    changed[20] ^= 1;
    for (signature, body, is_genuine) in [
        (&by_us, BODY, true),
        (&by_them, BODY, true),
        (&by_another, BODY, false),
        (&by_us, &*changed, false),
        (&by_them, &*changed, false),
    ] {
        let texts = ["msg-1", &*timestamp, signature];
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers = WebhookHeaders::read(Some(texts[0]), Some(texts[1]), Some(texts[2]), now);
        assert_eq!(ours.verify(&headers.unwrap(), body).is_ok(), is_genuine);
        let headers = std::iter::zip(names, texts)
            .map(|(name, text)| (name.parse().unwrap(), text.parse().unwrap()));
        assert_eq!(theirs.verify(body, &headers.collect()).is_ok(), is_genuine);
    }
}

#[test]
fn each_key_is_taken_while_keys_rotate_and_each_signature_is_looked_at() {
    let both = keys(&format!("{},{}", key(2), key(1)));
    let (timestamp, old) = keys(&key(1)).sign("a", NOW, BODY);
    let (_, new) = both.sign("a", NOW, BODY);
    let (_, other) = keys(&key(3)).sign("a", NOW, BODY);
    for signatures in [
        old.clone(),
        new.clone(),
        format!("{other} {old}"),
        format!("v1a,x v2,{new} v1, {new}"),
    ] {
        assert_eq!(verify(&both, ["a", &timestamp, &signatures], BODY), Ok(()));
    }
    for signatures in [
        other.clone(),
        String::new(),
        "v1,".into(),
        new.replacen("v1", "v2", 1),
        format!("{new},"),
    ] {
        assert_eq!(
            verify(&both, ["a", &timestamp, &signatures], BODY),
            Err(WebhookError::Signature),
            "{signatures}"
        );
    }
}

#[test]
fn one_bit_that_is_flipped_anywhere_is_noticed() {
    let keys = keys(&key(1));
    let (timestamp, signature) = keys.sign("msg-1", NOW, BODY);
    let parts = [
        b"msg-1".to_vec(),
        timestamp.into_bytes(),
        signature.into_bytes(),
        BODY.to_vec(),
    ];
    for part in 0..parts.len() {
        for bit in 0..parts[part].len() * 8 {
            let mut forged = parts.clone();
            forged[part][bit / 8] ^= 1 << (bit % 8);
            let [id, timestamp, signature, body] = &forged;
            let texts = [id, timestamp, signature].map(|part| std::str::from_utf8(part));
            // No header holds what is no text.
            let [Ok(id), Ok(timestamp), Ok(signature)] = texts else {
                continue;
            };
            assert!(
                verify(&keys, [id, timestamp, signature], body).is_err(),
                "bit {bit} of part {part}"
            );
        }
    }
}

#[test]
fn what_was_signed_long_ago_or_will_be_is_not_taken() {
    let keys = keys(&key(1));
    for (seconds, taken) in [
        (-301, false),
        (-300, true),
        (0, true),
        (300, true),
        (301, false),
    ] {
        let at = Timestamp::from_millis(NOW.as_millis() + seconds * 1000);
        let (timestamp, signature) = keys.sign("a", at, BODY);
        let verified = verify(&keys, ["a", &timestamp, &signature], BODY);
        assert_eq!(verified.is_ok(), taken, "{seconds}");
    }
    for timestamp in [
        "",
        "+1800000000",
        "1800000000.0",
        "-1",
        " 1800000000",
        "99999999999999999999",
        "9223372036854775807",
    ] {
        let (_, signature) = keys.sign("a", NOW, BODY);
        assert_eq!(
            verify(&keys, ["a", timestamp, &signature], BODY),
            Err(WebhookError::Timestamp),
            "{timestamp}"
        );
    }
}

#[test]
fn a_key_has_its_mark_and_24_to_64_bytes() {
    let of = |length| of(1, length);
    for good in [of(24), of(64), format!("{}, {}", of(24), of(32))] {
        assert!(good.parse::<WebhookKeys>().is_ok(), "{good}");
    }
    for bad in [
        String::new(),
        of(23),
        of(65),
        of(32).replace("whsec_", ""),
        format!("{},", of(32)),
        "whsec_*".into(),
    ] {
        assert_eq!(
            bad.parse::<WebhookKeys>().err(),
            Some(InvalidWebhookKey::Form),
            "{bad}"
        );
    }
    let typed = format!("whsec_{}", STANDARD.encode([7; 32]));
    let typed = format!("{},{typed}", of(32)).parse::<WebhookKeys>();
    assert_eq!(typed.err(), Some(InvalidWebhookKey::Typed));
    let published = format!("whsec_{PUBLISHED}").parse::<WebhookKeys>();
    assert_eq!(published.err(), Some(InvalidWebhookKey::Typed));
    assert_eq!(format!("{:?}", keys(&of(32))), "WebhookKeys(…)");
}
