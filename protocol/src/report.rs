//! What the server answers when the page asks.

use crate::{JsonObject, Outcome, Step};
use std::fmt::Display;

/// What is known of a browser's confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<Channel = String> {
    /// The private channel on which its outcome will be announced; `None` if the browser holds no
    /// pending secret.
    pub channel: Option<Channel>,
    /// How far it has come.
    pub progress: Progress,
}

/// How far a confirmation has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// This browser has begun none with this token.
    Unknown,
    /// It is on its way.
    Waiting(Step),
    /// It is decided.
    Done(Outcome),
}

impl Report {
    /// Reads a report.
    #[must_use]
    pub fn read(json: &impl JsonObject) -> Option<Self> {
        let channel = json.text("channel")?;
        Some(Self {
            channel: Some(channel).filter(|name| !name.is_empty()),
            progress: Progress::read(&json.member("progress")?)?,
        })
    }
}

impl<Channel: Display> Report<Channel> {
    /// The same report, with the channel's name for the channel.
    #[must_use]
    pub fn with_channel_name(self) -> Report {
        Report {
            channel: self.channel.map(|channel| channel.to_string()),
            progress: self.progress,
        }
    }
}

impl Progress {
    fn read(json: &impl JsonObject) -> Option<Self> {
        Some(match json.text("state")?.as_str() {
            "unknown" => Self::Unknown,
            "waiting" => Self::Waiting(Step::read(&json.member("step")?)?),
            "done" => Self::Done(Outcome::read(&json.member("outcome")?)?),
            _ => return None,
        })
    }
}
