//! Doubles for tests: a clock driven by hand, entropy from a seed, a validator that a test answers
//! for, a publisher that remembers. Nothing here sleeps.

mod clock;
mod database;
mod entropy;
mod mailer;
mod publisher;
mod validator;

pub use clock::ManualClock;
pub use database::MemoryDatabase;
pub use entropy::SeededEntropy;
pub use mailer::{ScriptedMailer, Sent};
pub use publisher::RecordingPublisher;
pub use validator::{Question, ScriptedValidator};
