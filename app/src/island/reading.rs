//! The wire types of [`crate::api`] read from JSON, by hand: what serde derives for tagged enums is
//! many times as large.

use super::json::Json;
use crate::api::{Outcome, Progress, Report, Step};

/// Reads the reply to a call.
pub fn report(json: &Json) -> Option<Report> {
    let progress = json.member("progress")?;
    let progress = match progress.text("state")?.as_str() {
        "unknown" => Progress::Unknown,
        "waiting" => Progress::Waiting {
            step: step(&progress.member("step")?)?,
        },
        "done" => Progress::Done {
            outcome: outcome(&progress.member("outcome")?)?,
        },
        _ => return None,
    };
    Some(Report {
        channel: json.text("channel")?,
        progress,
    })
}

/// Reads a step.
pub fn step(json: &Json) -> Option<Step> {
    Some(match json.text("step")?.as_str() {
        "queued" => Step::Queued,
        "contacting" => Step::Contacting,
        "retrying" => Step::Retrying {
            attempt: json.number("attempt")?,
        },
        _ => return None,
    })
}

/// Reads an outcome.
pub fn outcome(json: &Json) -> Option<Outcome> {
    Some(match json.text("outcome")?.as_str() {
        "confirmed" => Outcome::Confirmed {
            redirect: json.text("redirect")?,
        },
        "rejected" => Outcome::Rejected {
            reason: json.text("reason")?,
            redirect: json.text("redirect")?,
        },
        "unavailable" => Outcome::Unavailable,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Json, report};
    use crate::api::{Outcome, Progress, Report, Step};

    #[test]
    fn what_the_server_writes_is_read_as_it_was_meant() {
        let redirect = || "/login?reason=expired".to_owned();
        for progress in [
            Progress::Unknown,
            Progress::Waiting { step: Step::Queued },
            Progress::Waiting {
                step: Step::Contacting,
            },
            Progress::Waiting {
                step: Step::Retrying { attempt: 7 },
            },
            Progress::Done {
                outcome: Outcome::Confirmed {
                    redirect: redirect(),
                },
            },
            Progress::Done {
                outcome: Outcome::Rejected {
                    reason: "expired".into(),
                    redirect: redirect(),
                },
            },
            Progress::Done {
                outcome: Outcome::Unavailable,
            },
        ] {
            let meant = Report {
                channel: "private-confirm-0".into(),
                progress,
            };
            let written = serde_json::to_string(&meant).expect("a report is JSON");
            assert_eq!(
                Json::parse(&written).and_then(|json| report(&json)),
                Some(meant),
                "{written}"
            );
        }
    }

    #[test]
    fn a_reply_that_is_not_one_is_none() {
        for reply in [
            "{}",
            "null",
            "[1]",
            r#"{"channel":"c","progress":{"state":"done","outcome":{"outcome":"x"}}}"#,
        ] {
            assert!(
                Json::parse(reply).and_then(|json| report(&json)).is_none(),
                "{reply}"
            );
        }
        assert!(Json::parse("<html>").is_none());
    }
}
