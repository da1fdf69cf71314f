//! Writes reports and announcements as JSON with serde; the types' own `read` functions read it.

use crate::{Announcement, JsonObject, Outcome, Progress, Report, Step};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::Error as _,
    ser::{SerializeMap as _, SerializeStruct as _},
};
use serde_json::Value;

impl JsonObject for Value {
    fn member(&self, name: &str) -> Option<Self> {
        self.get(name).cloned()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.as_str().map(str::to_owned)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "as documented"
    )]
    fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.as_f64().map(|number| number as u32)
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 2)?;
        report.serialize_field("channel", self.channel.as_deref().unwrap_or_default())?;
        report.serialize_field("progress", &self.progress)?;
        report.end()
    }
}

impl Serialize for Progress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut progress = serializer.serialize_map(None)?;
        match self {
            Self::Unknown => progress.serialize_entry("state", "unknown")?,
            Self::Waiting(step) => {
                progress.serialize_entry("state", "waiting")?;
                progress.serialize_entry("step", step)?;
            }
            Self::Done(outcome) => {
                progress.serialize_entry("state", "done")?;
                progress.serialize_entry("outcome", outcome)?;
            }
        }
        progress.end()
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut step = serializer.serialize_map(None)?;
        match self {
            Self::Queued => step.serialize_entry("step", "queued")?,
            Self::Contacting => step.serialize_entry("step", "contacting")?,
            Self::Retrying { attempt } => {
                step.serialize_entry("step", "retrying")?;
                step.serialize_entry("attempt", attempt)?;
            }
            Self::Later { stage } => {
                step.serialize_entry("step", "later")?;
                if let Some(stage) = stage {
                    step.serialize_entry("stage", stage.as_str())?;
                }
            }
        }
        step.end()
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut outcome = serializer.serialize_map(None)?;
        match self {
            Self::Confirmed { redirect } => {
                outcome.serialize_entry("outcome", "confirmed")?;
                outcome.serialize_entry("redirect", redirect.as_str())?;
            }
            Self::Rejected { reason, redirect } => {
                outcome.serialize_entry("outcome", "rejected")?;
                outcome.serialize_entry("reason", reason.as_str())?;
                outcome.serialize_entry("redirect", redirect.as_str())?;
            }
            Self::Unavailable => outcome.serialize_entry("outcome", "unavailable")?,
        }
        outcome.end()
    }
}

impl Announcement {
    /// The event's data.
    #[must_use]
    pub fn data(&self) -> Value {
        match self {
            Self::Outcome(outcome) => serde_json::json!(outcome),
            Self::Progress(step) => serde_json::json!(step),
        }
    }
}

impl<'de> Deserialize<'de> for Report {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Value::deserialize(deserializer)?;
        Self::read(&json).ok_or_else(|| D::Error::custom("not a report"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rejection, Stage};

    fn rejected(reason: Rejection) -> Outcome {
        Outcome::Rejected {
            reason,
            redirect: format!("/login?reason={}", reason.as_str())
                .parse()
                .unwrap(),
        }
    }

    fn confirmed() -> Outcome {
        Outcome::Confirmed {
            redirect: "/profile".parse().unwrap(),
        }
    }

    fn waiting(step: Step) -> Progress {
        Progress::Waiting(step)
    }

    #[test]
    fn every_report_is_read_as_it_was_meant() {
        let unavailable = Progress::Done(Outcome::Unavailable);
        let rejections = Rejection::ALL.map(|reason| Progress::Done(rejected(reason)));
        let others = [
            Progress::Unknown,
            waiting(Step::Queued),
            waiting(Step::Contacting),
            waiting(Step::Retrying { attempt: 7 }),
            waiting(Step::Later { stage: None }),
            Progress::Done(confirmed()),
            unavailable,
        ];
        let stages = Stage::ALL.map(|stage| waiting(Step::Later { stage: Some(stage) }));
        for progress in rejections.into_iter().chain(others).chain(stages) {
            for channel in [Some("private-confirm-0".to_owned()), None] {
                let progress = progress.clone();
                let meant = Report { channel, progress };
                let written = serde_json::to_string(&meant).unwrap();
                let read: Option<Report> = serde_json::from_str(&written).ok();
                assert_eq!(read, Some(meant), "{written}");
            }
        }
    }

    #[test]
    fn every_announcement_is_read_as_it_was_meant() {
        let rejections = Rejection::ALL.map(|reason| Announcement::Outcome(rejected(reason)));
        let others = [
            Announcement::Outcome(confirmed()),
            Announcement::Outcome(Outcome::Unavailable),
            Announcement::Progress(Step::Queued),
            Announcement::Progress(Step::Retrying { attempt: 2 }),
            Announcement::Progress(Step::Later {
                stage: Some(Stage::Almost),
            }),
        ];
        for meant in rejections.into_iter().chain(others) {
            assert!(Announcement::EVENTS.contains(&meant.event()));
            assert_eq!(
                Announcement::read(meant.event(), &meant.data()),
                Some(meant)
            );
        }
    }

    #[test]
    fn a_reason_of_a_later_version_is_read_as_invalid() {
        let redirect = "/login?reason=withdrawn";
        let data = serde_json::json!({
            "outcome": "rejected", "reason": "withdrawn", "redirect": redirect,
        });
        assert_eq!(
            Outcome::read(&data),
            Some(Outcome::Rejected {
                reason: Rejection::Invalid,
                redirect: redirect.parse().unwrap(),
            })
        );
        for incomplete in ["reason", "redirect"] {
            let mut data = data.clone();
            data.as_object_mut().unwrap().remove(incomplete);
            assert_eq!(Outcome::read(&data), None, "without its {incomplete}");
        }
    }

    #[test]
    fn the_json_does_not_change() {
        let json = |progress| {
            let channel = Some("private-confirm-0".to_owned());
            serde_json::to_string(&Report { channel, progress }).unwrap()
        };
        let report =
            |progress| format!(r#"{{"channel":"private-confirm-0","progress":{progress}}}"#);
        assert_eq!(json(Progress::Unknown), report(r#"{"state":"unknown"}"#));
        assert_eq!(
            json(waiting(Step::Contacting)),
            report(r#"{"state":"waiting","step":{"step":"contacting"}}"#)
        );
        assert_eq!(
            json(waiting(Step::Retrying { attempt: 2 })),
            report(r#"{"state":"waiting","step":{"step":"retrying","attempt":2}}"#)
        );
        assert_eq!(
            json(waiting(Step::Later { stage: None })),
            report(r#"{"state":"waiting","step":{"step":"later"}}"#)
        );
        let stage = Some(Stage::Reviewing);
        assert_eq!(
            json(waiting(Step::Later { stage })),
            report(r#"{"state":"waiting","step":{"step":"later","stage":"reviewing"}}"#)
        );
        assert_eq!(
            json(Progress::Done(rejected(Rejection::Expired))),
            report(
                r#"{"state":"done","outcome":{"outcome":"rejected","reason":"expired","redirect":"/login?reason=expired"}}"#
            )
        );
    }

    #[test]
    fn a_stage_of_a_later_version_is_read_as_none() {
        let data = serde_json::json!({ "step": "later", "stage": "notarised" });
        assert_eq!(Step::read(&data), Some(Step::Later { stage: None }));
    }

    #[test]
    fn what_is_no_report_is_none() {
        for reply in [
            "{}",
            "null",
            "[1]",
            r#"{"channel":"c","progress":{"state":"done","outcome":{"outcome":"x"}}}"#,
            r#"{"channel":"c","progress":{"state":"done","outcome":{"outcome":"confirmed","redirect":"//evil.example"}}}"#,
        ] {
            let json: Value = serde_json::from_str(reply).unwrap();
            assert_eq!(Report::read(&json), None, "{reply}");
        }
    }
}
