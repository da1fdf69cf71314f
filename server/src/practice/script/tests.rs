use super::*;

fn read(answers: &Value) -> Result<Vec<ScriptedAnswer>, String> {
    let body = serde_json::from_value::<ScriptBody>(json!({ "answers": answers }));
    body.map_err(|error| error.to_string())?
        .checked()
        .map_err(|error| error.to_string())
}

fn token(text: &str) -> Token {
    text.parse().unwrap()
}

#[test]
fn each_kind_of_answer_is_read() {
    let answers = read(&json!([
        { "status": 503, "retry_after": 1 },
        { "after": "2s", "verdict": "valid" },
        { "verdict": "invalid", "reason": "used" },
        { "status": 202, "retry_after": 3, "step": "reviewing" },
        { "status": 202, "callback_after": "1s" },
        { "callback_after": "1s", "step": "almost" },
        { "callback_after": "1s", "reason": "expired" },
    ]))
    .unwrap();
    let valid = json!({ "verdict": "valid", "identity": ada() });
    let plain = ScriptedAnswer {
        after: Duration::ZERO,
        status: StatusCode::OK,
        retry_after: None,
        body: None,
        callback: None,
    };
    let later = ScriptedAnswer {
        status: StatusCode::ACCEPTED,
        ..plain.clone()
    };
    let second = Duration::from_secs(1);
    assert_eq!(
        answers,
        [
            ScriptedAnswer {
                status: StatusCode::SERVICE_UNAVAILABLE,
                retry_after: Some(1),
                ..plain.clone()
            },
            ScriptedAnswer {
                after: second * 2,
                body: Some(valid.clone()),
                ..plain.clone()
            },
            ScriptedAnswer {
                body: Some(json!({ "verdict": "invalid", "reason": "used" })),
                ..plain
            },
            ScriptedAnswer {
                retry_after: Some(3),
                body: Some(json!({ "verdict": "pending", "step": "reviewing" })),
                ..later.clone()
            },
            ScriptedAnswer {
                callback: Some((second, valid)),
                ..later.clone()
            },
            ScriptedAnswer {
                callback: Some((second, json!({ "verdict": "pending", "step": "almost" }))),
                ..later.clone()
            },
            ScriptedAnswer {
                callback: Some((second, json!({ "verdict": "invalid", "reason": "expired" }))),
                ..later
            },
        ]
    );
}

#[test]
fn what_cannot_be_answered_is_one_line_that_names_it() {
    for (answers, problem) in [
        (json!([]), "answers: there are 0, and 1 to 100 are taken"),
        (json!([{}]), "answers[0]: verdict or status is missing"),
        (
            json!([{ "verdict": "valid" }, { "verdict": "yes" }]),
            "answers[1]: verdict is not valid, invalid or pending",
        ),
        (
            json!([{ "verdict": "invalid", "reason": "late" }]),
            "answers[0]: reason is not invalid, expired or used",
        ),
        (
            json!([{ "verdict": "valid", "identity": { "issuer": "vestibule", "subject": "ada" } }]),
            "answers[0]: the issuer vestibule is reserved",
        ),
        (
            json!([{ "status": 503, "verdict": "valid" }]),
            "answers[0]: verdict: an answer with the status 503 says nothing else",
        ),
        (
            json!([{ "status": 99 }]),
            "answers[0]: status: not from 200 to 599",
        ),
        (
            json!([{ "status": 503, "callback_after": "1s" }]),
            "answers[0]: callback_after: only a 202 is followed by a callback",
        ),
        (
            json!([{ "after": "2", "verdict": "valid" }]),
            "answers[0]: after: not a time with its unit (example: 2s)",
        ),
        (
            json!([{ "after": "8days", "verdict": "valid" }]),
            "answers[0]: after: longer than 7days",
        ),
        (
            json!([{ "status": 202, "identity": ada() }]),
            "answers[0]: identity: an answer that is pending does not say it; leave one of them out",
        ),
        (
            json!([{ "verdict": "invalid", "redirect": "/orders" }]),
            "answers[0]: redirect: an answer that is invalid does not say it; leave one of them out",
        ),
        (
            json!([{ "callback_after": "1s", "reason": "used", "step": "almost" }]),
            "answers[0]: step: an answer that is invalid does not say it; leave one of them out",
        ),
        (json!([{ "verdit": "valid" }]), "unknown field `verdit`"),
        (
            json!([{ "retry_after": -1, "status": 503 }]),
            "invalid value",
        ),
    ] {
        let line = read(&answers).expect_err(&answers.to_string());
        assert!(line.starts_with(problem), "{answers}: {line}");
        assert!(!line.contains('\n'), "{line}");
    }
    let many = vec![json!({ "verdict": "valid" }); MAX_ANSWERS + 1];
    assert!(
        read(&many.into())
            .unwrap_err()
            .starts_with("answers: there are 101")
    );
}

#[test]
fn answers_are_given_in_order_and_the_last_one_from_then_on() {
    let script = ValidatorScript::default();
    let answers = json!([{ "status": 503 }, { "status": 502 }, { "verdict": "valid" }]);
    script.set(&token("a"), read(&answers).unwrap());
    let given = [(); 4].map(|()| script.next("a").map(|answer| answer.status.as_u16()));
    assert_eq!(given, [Some(503), Some(502), Some(200), Some(200)]);
    assert_eq!(script.next("b"), None);
    script.set(&token("a"), read(&json!([{ "status": 500 }])).unwrap());
    assert_eq!(script.next("a").unwrap().status, 500);
    script.forget(&token("a"));
    assert_eq!(script.next("a"), None);
}

#[test]
fn the_oldest_token_and_the_oldest_confirmation_are_forgotten() {
    let script = ValidatorScript::default();
    let answers = read(&json!([{ "status": 500 }])).unwrap();
    for number in 0..=REMEMBERED {
        script.set(&token(&format!("t{number}")), answers.clone());
        script.asks(&format!("{number:032x}"));
    }
    assert!(script.next("t0").is_none() && script.next("t1").is_some());
    assert_eq!(script.asked().len(), REMEMBERED);
    assert_eq!(script.asks(&format!("{:032x}", 0)), 1);
    assert_eq!(script.asks(&format!("{REMEMBERED:032x}")), 2);
}
