//! What an attempt came to is written down, and tells what there is to announce.

use crate::{
    audit,
    caps::Shares,
    clock::Timestamp,
    confirmation::{Claim, Decider, Decision, Ending, Later, Noted, Postponement, Wait},
    publisher::Announcement,
    store::{Settlement, StoreError},
    user::UserId,
    worker::Environment,
};
use vestibule_protocol::Step;

pub(super) async fn retry(
    environment: &Environment,
    claim: &Claim,
    due: Timestamp,
) -> Result<Option<Announcement>, StoreError> {
    let noted = environment
        .stores
        .queue
        .postpone(claim, due, Postponement::Failed)
        .await?;
    let is_news = noted == Noted::Stored && due < claim.deadline && claim.later.is_none();
    Ok(is_news.then_some(Announcement::Progress(Step::Retrying {
        attempt: claim.failed + 2,
    })))
}

/// The validator has understood: it is asked the same again when that is due, until the deadline
/// of those that take longer, or, where there is no room for one that does, until its own. The page
/// is told once, and of each further stage.
pub(super) async fn ask_later(
    environment: &Environment,
    claim: &Claim,
    due: Timestamp,
    later: Later,
) -> Result<Option<Announcement>, StoreError> {
    let queue = &*environment.stores.queue;
    let now = environment.clock.now();
    let wait = Wait {
        later,
        deadline: claim.created_at + environment.timing.wait,
        room: match claim.later {
            Some(_) => Shares::new(0),
            None => environment.room.for_later(now, queue).await?,
        },
    };
    let noted = queue
        .postpone(claim, due, Postponement::Later(wait))
        .await?;
    if noted == Noted::NoRoom {
        tracing::warn!(confirmation = %claim.id, "the validator answers later, but too many wait for that");
        queue.postpone(claim, due, Postponement::HandedBack).await?;
    }
    let is_news = noted == Noted::Stored && Some(later) > claim.later;
    Ok(is_news.then_some(Announcement::Progress(Step::Later { stage: later.stage })))
}

pub(super) async fn decide(
    environment: &Environment,
    claim: &Claim,
    decider: Decider,
    decision: Decision,
) -> Result<Option<Announcement>, StoreError> {
    let settlement = Settlement {
        now: environment.clock.now(),
        new_user: UserId::generate(&*environment.entropy),
        bound: environment.timing.bound,
        tells: environment.notice_wake.is_some(),
    };
    let stored = environment
        .stores
        .confirmations
        .decide(claim.id, decider, &decision, settlement)
        .await?;
    // Whatever is stored is announced, even if this worker did not decide it: saying it twice does
    // no harm.
    let Some((ending, stored)) = stored.and_then(|stored| Some((stored.ending()?, stored))) else {
        return Ok(None);
    };
    audit::settled(&stored, ending, settlement.now);
    if let (Ending::Confirmed(_), Some(wake)) = (ending, &environment.notice_wake) {
        wake.notify_one();
    }
    if claim.later.is_some()
        && let Some(outbox) = &environment.outbox
        && let Ok(token) = claim.token.open(&environment.keys, claim.id)
    {
        let lives = environment.timing.bound;
        outbox.tell_confirmed(&stored, &token, lives).await;
    }
    Ok(Some(Announcement::Outcome(
        environment
            .destinations
            .outcome(ending, stored.next.as_ref()),
    )))
}
