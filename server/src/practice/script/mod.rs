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
            (Some(202), None) if self.verdict.is_none() => {
                self.says_nothing_beside("pending")?;
                Ok(ScriptedAnswer {
                    after,
                    status: StatusCode::ACCEPTED,
                    retry_after,
                    body: self
                        .step
                        .map(|step| json!({ "verdict": "pending", "step": step })),
                    callback: None,
                })
            }
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

    /// Refuses what an answer with this verdict leaves out.
    fn says_nothing_beside(&self, verdict: &str) -> Result<(), InvalidScript> {
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
        let mut said = Map::new();
        let verdict = self.verdict.clone().ok_or_else(|| {
            InvalidScript("verdict or status is missing (example: {\"verdict\":\"valid\"})".into())
        })?;
        self.says_nothing_beside(&verdict)?;
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
mod tests;
