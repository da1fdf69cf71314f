//! What an application brings along that sign-ins are a part of.

use std::sync::Arc;
use vestibule::{notice::OnConfirmed, store::ApplicationDatabase, validator::Validator};

/// How many calls of an application's own validator may be under way at once: each has a thread.
pub const MAX_CALLS: usize = 256;

/// What an application brings along.
#[derive(Default)]
pub struct ApplicationParts {
    /// Judges tokens, in place of a service.
    pub validator: Option<Arc<dyn Validator>>,
    /// Where everything is kept.
    pub database: Option<ApplicationDatabase>,
    /// What is told of confirmations.
    pub on_confirmed: Option<Arc<dyn OnConfirmed>>,
}
