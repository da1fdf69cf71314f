//! What a test has the practice validator answer, and what that was asked.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use vestibule::{
    confirmation::ConfirmationId, token::Token, user::PRACTICE_IDENTITY, validator::Answer,
};

/// How many tokens have a script, and how many confirmations are remembered; the oldest is
/// forgotten.
const REMEMBERED: usize = 1000;
/// How many answers a token may have.
const MAX_ANSWERS: usize = 100;
/// The longest time that an answer or a callback may be put off.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// What the practice validator answers for the tokens of tests, and how often it was asked about
/// which confirmations.
#[derive(Debug, Default)]
pub struct ValidatorScript(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    tokens: VecDeque<(String, TokenScript)>,
    asked: VecDeque<(String, u32)>,
}

/// The answers for one token: each once, in order, and the last one from then on.
#[derive(Debug)]
struct TokenScript {
    answers: VecDeque<ScriptedAnswer>,
}

/// One answer of the practice validator.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptedAnswer {
    /// How long it takes.
    pub after: Duration,
    /// Its status.
    pub status: StatusCode,
    /// Its `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// Its body, if it has one.
    pub body: Option<Value>,
    /// After how long the validator calls back, and what it says then.
    pub callback: Option<(Duration, Value)>,
}

impl ScriptedAnswer {
    /// An answer that says this at once.
    pub const fn verdict(said: Value) -> Self {
        Self {
            after: Duration::ZERO,
            status: StatusCode::OK,
            retry_after: None,
            body: Some(said),
            callback: None,
        }
    }
}

/// An answer cannot be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidScript(String);

/// The body of `PUT /practice/tokens/{token}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptBody {
    answers: Vec<AnswerBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerBody {
    after: Option<String>,
    status: Option<u16>,
    retry_after: Option<u32>,
    callback_after: Option<String>,
    verdict: Option<String>,
    identity: Option<Value>,
    reason: Option<String>,
    redirect: Option<String>,
    step: Option<String>,
}

impl ScriptBody {
    /// The answers, in their order.
    ///
    /// # Errors
    /// [`InvalidScript`] says which of them cannot be given, and why.
    pub fn checked(self) -> Result<Vec<ScriptedAnswer>, InvalidScript> {
        if !(1..=MAX_ANSWERS).contains(&self.answers.len()) {
            return Err(InvalidScript(format!(
                "answers: there are {}, and 1 to {MAX_ANSWERS} are taken",
                self.answers.len()
            )));
        }
        let numbered = self.answers.into_iter().enumerate();
        let checked = numbered.map(|(place, answer)| {
            let problem = |InvalidScript(why)| InvalidScript(format!("answers[{place}]: {why}"));
            answer.checked().map_err(problem)
        });
        checked.collect()
    }
}

impl AnswerBody {
    fn checked(self) -> Result<ScriptedAnswer, InvalidScript> {
        let after = duration("after", self.after.as_deref())?.unwrap_or_default();
        let callback_after = duration("callback_after", self.callback_after.as_deref())?;
        let retry_after = self.retry_after;
        let status = self.status;
        match (status, callback_after) {
            (None | Some(202), Some(callback_after)) => Ok(ScriptedAnswer {
                after,
                status: StatusCode::ACCEPTED,
                retry_after,
                body: None,
                callback: Some((callback_after, self.callback()?)),
            }),
            (Some(_), Some(_)) => Err(InvalidScript(
                "callback_after: only a 202 is followed by a callback".into(),
            )),
            (Some(202), None) if self.verdict.is_none() => Ok(ScriptedAnswer {
                after,
                status: StatusCode::ACCEPTED,
                retry_after,
                body: self
                    .step
                    .map(|step| json!({ "verdict": "pending", "step": step })),
                callback: None,
            }),
            (Some(status), None) => self.bare(after, status),
            (None, None) => Ok(ScriptedAnswer {
                after,
                retry_after,
                ..ScriptedAnswer::verdict(self.said()?)
            }),
        }
    }

    /// An answer that is a status alone.
    fn bare(self, after: Duration, status: u16) -> Result<ScriptedAnswer, InvalidScript> {
        let says = [
            ("verdict", self.verdict.is_some()),
            ("identity", self.identity.is_some()),
            ("reason", self.reason.is_some()),
            ("redirect", self.redirect.is_some()),
            ("step", self.step.is_some()),
        ];
        if let Some((field, _)) = says.into_iter().find(|(_, is_there)| *is_there) {
            return Err(InvalidScript(format!(
                "{field}: an answer with the status {status} says nothing else; leave one of them out"
            )));
        }
        let known = StatusCode::from_u16(status).ok();
        let status = known.filter(|status| (200..=599).contains(&status.as_u16()));
        Ok(ScriptedAnswer {
            after,
            status: status.ok_or_else(|| InvalidScript("status: not from 200 to 599".into()))?,
            retry_after: self.retry_after,
            body: None,
            callback: None,
        })
    }

    /// What it says by calling back: unless something else is given, that the token is valid.
    fn callback(mut self) -> Result<Value, InvalidScript> {
        if self.verdict.is_none() {
            let verdict = if self.reason.is_some() {
                "invalid"
            } else if self.step.is_some() && self.identity.is_none() {
                "pending"
            } else {
                "valid"
            };
            self.verdict = Some(verdict.to_owned());
        }
        self.said()
    }

    /// Refuses what its verdict leaves out.
    fn says_nothing_else(&self) -> Result<(), InvalidScript> {
        let verdict = self.verdict.as_deref().unwrap_or_default();
        let unused = [
            ("identity", self.identity.is_some() && verdict != "valid"),
            ("redirect", self.redirect.is_some() && verdict != "valid"),
            ("reason", self.reason.is_some() && verdict != "invalid"),
            ("step", self.step.is_some() && verdict != "pending"),
        ];
        match unused.into_iter().find(|(_, is_unused)| *is_unused) {
            Some((field, _)) => Err(InvalidScript(format!(
                "{field}: an answer that is {verdict} does not say it; leave one of them out"
            ))),
            None => Ok(()),
        }
    }

    /// What it says of the token, as `docs/PROTOCOL.md` has it.
    fn said(self) -> Result<Value, InvalidScript> {
        self.says_nothing_else()?;
        let mut said = Map::new();
        let verdict = self.verdict.ok_or_else(|| {
            InvalidScript("verdict or status is missing (example: {\"verdict\":\"valid\"})".into())
        })?;
        match verdict.as_str() {
            "valid" => said.insert("identity".into(), self.identity.unwrap_or_else(ada)),
            "invalid" => {
                let reason = self.reason.unwrap_or_else(|| "invalid".into());
                said.insert("reason".into(), reason.into())
            }
            _ => None,
        };
        said.insert("verdict".into(), verdict.into());
        for (field, value) in [("redirect", self.redirect), ("step", self.step)] {
            said.extend(value.map(|value| (field.to_owned(), value.into())));
        }
        let said = Value::Object(said);
        Answer::read(said.to_string().as_bytes())
            .map(|_| said)
            .map_err(|error| InvalidScript(error.to_string()))
    }
}

/// How long `field` says, if it is there.
fn duration(field: &str, text: Option<&str>) -> Result<Option<Duration>, InvalidScript> {
    let Some(text) = text else { return Ok(None) };
    let problem = |why: &str| InvalidScript(format!("{field}: {why} (example: 2s)"));
    let duration =
        humantime::parse_duration(text).map_err(|_| problem("not a time with its unit"))?;
    if duration > LONGEST {
        return Err(problem("longer than 7days"));
    }
    Ok(Some(duration))
}

/// The identity that practice mode's validator vouches for, as a validator says it.
pub fn ada() -> Value {
    let (issuer, subject) = PRACTICE_IDENTITY;
    json!({ "issuer": issuer, "subject": subject, "name": "Ada Lovelace", "email": "ada@example.com" })
}

impl ValidatorScript {
    /// Has these answers given for `token`, in place of those that it has.
    pub fn set(&self, token: &Token, answers: Vec<ScriptedAnswer>) {
        let mut memory = self.lock();
        memory.tokens.retain(|(known, _)| known != token.expose());
        if memory.tokens.len() == REMEMBERED {
            memory.tokens.pop_front();
        }
        let answers = answers.into();
        memory
            .tokens
            .push_back((token.expose().to_owned(), TokenScript { answers }));
    }

    /// Forgets what was set for `token`.
    pub fn forget(&self, token: &Token) {
        let mut memory = self.lock();
        memory.tokens.retain(|(known, _)| known != token.expose());
    }

    /// The answer to the next question about `token`, if it has a script.
    pub fn next(&self, token: &str) -> Option<ScriptedAnswer> {
        let mut memory = self.lock();
        let (_, script) = memory.tokens.iter_mut().find(|(known, _)| known == token)?;
        if script.answers.len() > 1 {
            script.answers.pop_front()
        } else {
            script.answers.front().cloned()
        }
    }

    /// Counts a question, and returns how many there were about this confirmation.
    pub fn asks(&self, confirmation: &str) -> u32 {
        let asked = &mut self.lock().asked;
        if let Some((_, times)) = asked.iter_mut().find(|(known, _)| known == confirmation) {
            *times += 1;
            return *times;
        }
        if asked.len() == REMEMBERED {
            asked.pop_front();
        }
        asked.push_back((confirmation.to_owned(), 1));
        1
    }

    /// How often it was asked about which confirmations.
    pub fn asked(&self) -> Vec<(ConfirmationId, u32)> {
        let memory = self.lock();
        let known = memory.asked.iter();
        known
            .filter_map(|(confirmation, times)| Some((confirmation.parse().ok()?, *times)))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
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
}
