//! To cancel a confirmation: by its user, or by an operator.

use super::{Progress, Report, SignIns};
use crate::{
    channel::Channel,
    confirmation::{Confirmation, Decider, Decision, Ending, Rejection},
    publisher::Announcement,
    secret::SecretHash,
    session::Session,
    store::{Settlement, StoreError, Stores},
    token::Token,
};

/// What a cancel came to.
pub(crate) enum CancelResult {
    /// The confirmation is cancelled: undecided before, or confirmed and revoked.
    Cancelled,
    /// Something was decided before, which stands.
    Stands(Confirmation),
}

impl SignIns {
    /// Cancels the browser's confirmation: the user's own deciding write. After a valid decision it
    /// revokes the session instead, as long as that has not been exchanged.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn cancel(&self, token: &Token, shown: Option<&str>) -> Result<Report, StoreError> {
        let Some(cookie) = self.genuine(token, shown) else {
            return Ok(Report {
                channel: None,
                progress: Progress::Unknown,
            });
        };
        self.cancel_begun_with(&cookie.secret.hash()).await
    }

    pub(crate) async fn cancel_begun_with(
        &self,
        secret: &SecretHash,
    ) -> Result<Report, StoreError> {
        let channel = Channel::of(secret);
        let known = self.stores.confirmations.confirmation_by_secret(secret);
        let Some(confirmation) = known.await? else {
            return Ok(Report {
                channel: Some(channel),
                progress: Progress::Unknown,
            });
        };
        let settlement = self.settlement();
        let revocable = |session: &Session| session.exchangeable(secret, settlement.now).is_some();
        let result = cancel(&self.stores, confirmation, settlement, revocable).await?;
        if let CancelResult::Stands(stored) = result {
            return self.report(&stored).await;
        }
        let outcome = self.destinations.rejected(Rejection::Cancelled);
        self.announce(&channel, Announcement::Outcome(outcome.clone()));
        Ok(Report {
            channel: Some(channel),
            progress: Progress::Done(outcome),
        })
    }
}

/// Decides `confirmation` as cancelled. After a valid decision it revokes the session instead, if
/// that is `revocable`.
pub(crate) async fn cancel(
    stores: &Stores,
    confirmation: Confirmation,
    settlement: Settlement,
    revocable: impl Fn(&Session) -> bool + Send,
) -> Result<CancelResult, StoreError> {
    let is_over = |ending| !matches!(ending, Ending::Confirmed(_));
    if confirmation.ending().is_some_and(is_over) {
        return Ok(CancelResult::Stands(confirmation));
    }
    let id = confirmation.id;
    let cancelled = Decision::Rejected(Rejection::Cancelled);
    let decided = stores
        .confirmations
        .decide(id, Decider::User, &cancelled, settlement)
        .await?;
    // A confirmation that has gone meanwhile can come to nothing else any more.
    let Some(decided) = decided else {
        return Ok(CancelResult::Cancelled);
    };
    match decided.ending() {
        Some(Ending::Confirmed(_)) => {}
        Some(Ending::Rejected(Rejection::Cancelled)) => return Ok(CancelResult::Cancelled),
        _ => return Ok(CancelResult::Stands(decided)),
    }
    let session = stores.sessions.session(decided.session).await?;
    if !session.is_some_and(|session| revocable(&session)) {
        return Ok(CancelResult::Stands(decided));
    }
    stores.confirmations.revoke(id, decided.session).await?;
    Ok(CancelResult::Cancelled)
}
