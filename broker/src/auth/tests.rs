use super::*;
use std::time::SystemTime;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The worked example in the protocol's own documentation.
fn documented() -> (BrokerConfig, Vec<(String, String)>, &'static [u8]) {
    let mut config = BrokerConfig::new(
        "3",
        "278d425bdf160c739803",
        AppSecret::new("7ad3773142a6692b25b8"),
    );
    config.clock = || at(1_353_088_179);
    let query = [
        ("auth_key", "278d425bdf160c739803"),
        ("auth_timestamp", "1353088179"),
        ("auth_version", "1.0"),
        ("body_md5", "ec365a775a4cd0599faeb73354201b6f"),
        (
            "auth_signature",
            "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c",
        ),
    ];
    let query = query
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    (
        config,
        query,
        br#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#,
    )
}

fn verify(
    config: &BrokerConfig,
    query: Vec<(String, String)>,
    body: &[u8],
) -> Result<(), SignatureError> {
    let query = SignedQuery::new(query);
    query.verify(config, "POST", "/apps/3/events")?;
    query.verify_body(body)
}

#[test]
fn the_documented_example_is_valid_in_any_order_and_case_of_names() {
    let (config, mut query, body) = documented();
    assert_eq!(verify(&config, query.clone(), body), Ok(()));
    query.reverse();
    query[0].0.make_ascii_uppercase();
    assert_eq!(verify(&config, query, body), Ok(()));
}

#[test]
fn any_change_to_a_signed_request_is_found() {
    let (config, query, body) = documented();
    let checked = SignedQuery::new(query.clone());
    assert_eq!(
        checked.verify(&config, "GET", "/apps/3/events"),
        Err(SignatureError::Signature)
    );
    assert_eq!(
        checked.verify(&config, "POST", "/apps/3/batch_events"),
        Err(SignatureError::Signature)
    );
    assert_eq!(checked.verify_body(b"{}"), Err(SignatureError::Body));

    let mut more = query.clone();
    more.push(("info".into(), "subscription_count".into()));
    assert_eq!(verify(&config, more, body), Err(SignatureError::Signature));

    let mut other_body = query.clone();
    other_body[3].1 = "00365a775a4cd0599faeb73354201b6f".into();
    assert_eq!(
        verify(&config, other_body, body),
        Err(SignatureError::Signature)
    );

    for (part, error) in [
        (0, SignatureError::Missing("auth_key")),
        (1, SignatureError::Missing("auth_timestamp")),
        (2, SignatureError::Missing("auth_version")),
        (3, SignatureError::Signature),
        (4, SignatureError::Missing("auth_signature")),
    ] {
        let mut without = query.clone();
        without.remove(part);
        assert_eq!(verify(&config, without, body), Err(error));
    }
}

#[test]
fn a_signature_is_valid_for_ten_minutes_either_way() {
    let (mut config, query, body) = documented();
    let clocks: [(fn() -> SystemTime, _); 4] = [
        (|| at(1_353_088_179 + 600), Ok(())),
        (|| at(1_353_088_179 - 600), Ok(())),
        (|| at(1_353_088_179 + 601), Err(SignatureError::Timestamp)),
        (|| at(1_353_088_179 - 601), Err(SignatureError::Timestamp)),
    ];
    for (clock, expected) in clocks {
        config.clock = clock;
        assert_eq!(verify(&config, query.clone(), body), expected);
    }
}

#[test]
fn what_is_not_hex_of_the_right_length_is_not_a_signature() {
    let (config, query, body) = documented();
    let good = query[4].1.clone();
    for bad in [
        "",
        &good[..62],
        &format!("{good}00"),
        &good.replace('d', "g"),
        &good.replacen("da", "+a", 1),
        "é",
    ] {
        let mut query = query.clone();
        bad.clone_into(&mut query[4].1);
        assert_eq!(
            verify(&config, query, body),
            Err(SignatureError::Signature),
            "{bad}"
        );
    }
}
