//! What a layer leaves in a request for the extractors.

use super::{Vestibule, signed_in::SignedIn};
use std::sync::{Arc, atomic::AtomicBool};

/// Whom the extractors ask, and what is known already.
#[derive(Clone)]
pub struct SignInContext {
    /// Whom to ask.
    pub vestibule: Vestibule,
    /// The user, if it is known already.
    pub user: Option<SignedIn>,
    /// Whether it had to be one.
    pub required: bool,
    /// Whether anything has asked.
    pub asked: Arc<AtomicBool>,
}
