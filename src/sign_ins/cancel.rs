//! To cancel a confirmation: by its user, or by an operator.

use crate::{
    confirmation::{Confirmation, Decider, Decision, Ending, Rejection},
    session::Session,
    store::{Settlement, StoreError, Stores},
};

/// What a cancel came to.
pub(crate) enum CancelResult {
    /// The confirmation is cancelled: undecided before, or confirmed and revoked.
    Cancelled,
    /// Something was decided before, which stands.
    Stands(Confirmation),
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
