use super::*;

fn read(json: &str) -> Result<Answer, String> {
    Answer::read(json.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn a_validator_cannot_vouch_for_a_user_who_has_a_password_here() {
    let answer = |issuer: &str| {
        format!(
            r#"{{"verdict":"valid","identity":{{"issuer":"{issuer}","subject":"ada@example.com"}}}}"#
        )
    };
    assert!(read(&answer("elsewhere")).is_ok());
    assert!(read(&answer(PASSWORD_ISSUER)).is_err());
}

#[test]
fn a_stage_that_is_not_known_is_none() {
    for (step, stage) in [
        (r#","step":"almost""#, Some(Stage::Almost)),
        (r#","step":"notarised""#, None),
        (r#","step":7"#, None),
        ("", None),
    ] {
        let answer = read(&format!(r#"{{"verdict":"pending"{step}}}"#));
        assert_eq!(answer, Ok(Answer::Pending(stage)), "{step}");
    }
}

#[test]
fn what_is_not_of_the_protocol_is_one_line_that_repeats_nothing() {
    for (json, problem) in [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("[]", "a field"),
        ("{}", "verdict is missing"),
        (r#"{"verdict":"hush"}"#, "verdict is not valid"),
        (r#"{"verdict":"valid"}"#, "identity is missing"),
        (
            r#"{"verdict":"valid","identity":{"issuer":"hush"}}"#,
            "a field",
        ),
        (
            r#"{"verdict":"valid","identity":{"issuer":"","subject":"hush"}}"#,
            "issuer and subject",
        ),
        (r#"{"verdict":"invalid"}"#, "reason is missing"),
        (
            r#"{"verdict":"invalid","reason":"hush"}"#,
            "reason is not invalid",
        ),
        (
            r#"{"verdict":"invalid","verdict":"valid","reason":"used","identity":{"issuer":"a","subject":"hush"}}"#,
            "a field",
        ),
        (
            r#"{"verdict":"valid","identity":{"issuer":"a","subject":"b","subject":"hush"}}"#,
            "a field",
        ),
        (
            r#"{"verdict":"invalid","reason":"used"}{}"#,
            "it is not JSON",
        ),
    ] {
        let line = read(json).expect_err(json);
        assert!(line.starts_with(problem), "{json}: {line}");
        assert!(!line.contains("hush") && !line.contains('\n'), "{line}");
    }
}

#[test]
fn a_callback_names_its_confirmation_by_all_of_its_digits() {
    let read = |id: &str| {
        let json = format!(r#"{{"confirmation":{id},"verdict":"pending"}}"#);
        CallbackBody::read(json.as_bytes())
            .map(|body| body.confirmation)
            .map_err(|error| error.to_string())
    };
    let id = ConfirmationId::from_bytes([0x0f; 16]);
    assert_eq!(read(r#""0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f""#), Ok(id));
    for bad in [
        r#""""#,
        r#""0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0""#,
        r#""0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F""#,
        r#""+f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f""#,
        r#""0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0""#,
    ] {
        assert!(
            read(bad).unwrap_err().starts_with("confirmation is not"),
            "{bad}"
        );
    }
    for bad in ["null", "7"] {
        assert!(read(bad).is_err(), "{bad}");
    }
    assert_eq!(
        CallbackBody::read(br#"{"verdict":"pending"}"#)
            .unwrap_err()
            .to_string(),
        "confirmation is missing"
    );
}
