//! What an application's own validator is made of: `use vestibule_server::validator::*`.

pub use async_trait::async_trait;
pub use vestibule::{
    clock::Timestamp,
    confirmation::{ConfirmationId, Stage},
    path::LocalPath,
    token::Token,
    user::Identity,
    validator::{Reason, ValidationError, Validator, Verdict},
};
