//! Notices: the application that Vestibule runs in is told who has been confirmed.
//!
//! A notice is written in the transaction that decides, and deleted once the application has taken
//! it. So each is taken at least once, whichever process is killed in between.

mod worker;

pub use worker::NoticeWorker;

use crate::{
    clock::Timestamp,
    id::{ConfirmationId, UserId},
    user::User,
};
use async_trait::async_trait;
use std::{error::Error, future::Future};

/// That the application is to be told of a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which was confirmed.
    pub confirmation: ConfirmationId,
    /// Whose sign-in it is.
    pub user: UserId,
    /// Whether they signed in for the first time.
    pub is_new: bool,
    /// When it was decided.
    pub created_at: Timestamp,
}

/// What an application does once someone is confirmed.
#[async_trait]
pub trait OnConfirmed: Send + Sync + 'static {
    /// `user` has been confirmed, for the first time if they are new. Their browser may have arrived
    /// already, may never arrive, or may yet cancel.
    ///
    /// It is called at least once for each confirmation, in no order, and again a minute later if it
    /// fails, panics or takes over 30 s, for a day.
    ///
    /// # Errors
    /// Anything: it is logged.
    async fn confirmed(&self, user: User, is_new: bool)
    -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// A function is enough.
#[async_trait]
impl<F, T, E> OnConfirmed for F
where
    F: Fn(User, bool) -> T + Send + Sync + 'static,
    T: Future<Output = Result<(), E>> + Send,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    async fn confirmed(
        &self,
        user: User,
        is_new: bool,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self(user, is_new).await.map_err(Into::into)
    }
}
