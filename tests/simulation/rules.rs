//! The rules that never break, looked at after every step. Their numbers are the design's.

use crate::{act::Greeting, world::World};
use std::collections::{BTreeMap, BTreeSet};
use vestibule::{
    channel::Channel,
    clock::Timestamp,
    confirmation::{Confirmation, ConfirmationId, Ending, Rejection, State},
    outcome::Outcome,
    publisher::Announcement,
    session::{Session, SessionId, SessionState},
    store::UserStore as _,
    validator::{ValidationError, Verdict},
};

/// A rule that broke.
#[derive(Clone, Debug)]
pub struct Broken {
    pub rule: u8,
    pub what: String,
}

/// What has been seen so far.
#[derive(Default)]
pub struct Rules {
    /// Every confirmation as it was last seen, also once it was swept.
    confirmations: BTreeMap<ConfirmationId, Confirmation>,
    confirmed: BTreeSet<ConfirmationId>,
    /// Whose session it is to settle.
    settles: BTreeMap<SessionId, ConfirmationId>,
    sessions: BTreeMap<SessionId, Session>,
    gone: BTreeSet<SessionId>,
}

fn broken(rule: u8, what: impl Into<String>) -> Result<(), Broken> {
    Err(Broken {
        rule,
        what: what.into(),
    })
}

/// Rule 8: no one becomes another user without having been asked.
pub fn greeted(greeting: &Greeting) -> Result<(), Broken> {
    match greeting.before {
        Some(before) if before != greeting.greeted && !greeting.chosen => broken(
            8,
            format!(
                "browser {} has become another user unasked",
                greeting.browser
            ),
        ),
        _ => Ok(()),
    }
}

impl Rules {
    pub async fn check(
        &mut self,
        world: &World,
        fenced: Option<(ConfirmationId, u64)>,
    ) -> Result<(), Broken> {
        for confirmation in world.database.confirmations() {
            self.confirmation(world, &confirmation, fenced).await?;
            self.settles.insert(confirmation.session, confirmation.id);
            self.confirmations.insert(confirmation.id, confirmation);
        }
        let sessions: BTreeMap<_, _> = world
            .sessions
            .all()
            .into_iter()
            .map(|session| (session.id, session))
            .collect();
        for session in sessions.values() {
            self.session(session)?;
            told_of(session, world.clock.latest())?;
        }
        for (id, session) in std::mem::replace(&mut self.sessions, sessions) {
            if !self.sessions.contains_key(&id) {
                self.gone.insert(id);
                self.ended(&session, world.clock.latest())?;
            }
        }
        Ok(())
    }

    /// What is announced is what was decided.
    pub fn announced(&self, channel: &Channel, announcement: &Announcement) -> Result<(), Broken> {
        let Announcement::Outcome(Outcome::Confirmed { .. }) = announcement else {
            return Ok(());
        };
        let about = self
            .confirmations
            .values()
            .find(|confirmation| Channel::of(&confirmation.secret) == *channel);
        match about {
            Some(confirmation) if self.confirmed.contains(&confirmation.id) => Ok(()),
            _ => broken(1, "it was announced as confirmed and never was"),
        }
    }

    async fn confirmation(
        &mut self,
        world: &World,
        now: &Confirmation,
        fenced: Option<(ConfirmationId, u64)>,
    ) -> Result<(), Broken> {
        let before = self.confirmations.get(&now.id);
        if let (Some(before), Some((id, fence))) = (before, fenced)
            && id == now.id
            && before != now
            && matches!(&before.state, State::Queued(queued) if queued.fence != fence)
        {
            return broken(4, "a worker whose claim was not the last one has written");
        }
        match (before.and_then(Confirmation::ending), now.ending()) {
            (None, Some(ending)) => {
                if let Ending::Confirmed(_) = ending {
                    self.confirmed.insert(now.id);
                }
                justified(world, now, ending).await
            }
            (None, None)
            | (Some(Ending::Confirmed(_)), Some(Ending::Rejected(Rejection::Cancelled))) => Ok(()),
            (Some(before), Some(after)) if before == after => Ok(()),
            (Some(before), after) => {
                broken(2, format!("it came to {before:?} and then to {after:?}"))
            }
        }
    }

    fn session(&self, session: &Session) -> Result<(), Broken> {
        if self.gone.contains(&session.id) {
            return broken(3, "a session that had gone is there again");
        }
        if self
            .sessions
            .get(&session.id)
            .is_some_and(|before| stage(before) > stage(session))
        {
            return broken(
                3,
                "a session has gone back to an older state, and an older secret",
            );
        }
        let confirmation = self
            .settles
            .get(&session.id)
            .and_then(|id| self.confirmations.get(id));
        let Some(user) = session.user() else {
            let settled = confirmation
                .is_some_and(|confirmation| matches!(confirmation.state, State::Settled(_)));
            return if settled {
                broken(2, "it is settled, and its session does not show it")
            } else {
                Ok(())
            };
        };
        match confirmation.and_then(Confirmation::ending) {
            Some(Ending::Confirmed(confirmed)) if confirmed == user => Ok(()),
            ending => broken(
                1,
                format!("a session is bound to a user, and its confirmation came to {ending:?}"),
            ),
        }
    }

    fn ended(&self, session: &Session, latest: Timestamp) -> Result<(), Broken> {
        let waits = |confirmation: &Confirmation| {
            confirmation.ending().is_none() && latest < confirmation.deadline
        };
        let confirmation = self
            .settles
            .get(&session.id)
            .and_then(|id| self.confirmations.get(id));
        let too_soon = matches!(session.state, SessionState::Pending { .. })
            && confirmation.is_some_and(waits);
        if too_soon {
            broken(
                5,
                "a pending session went before its confirmation was decided",
            )
        } else {
            Ok(())
        }
    }
}

/// Rule 11: an application learns of a session by its own secret, and never by the pending one,
/// which a page that waits holds.
fn told_of(session: &Session, now: Timestamp) -> Result<(), Broken> {
    let pending = match session.state {
        SessionState::Pending { secret } | SessionState::Bound { secret, .. } => Some(secret),
        SessionState::Established { former, .. } => former.map(|former| former.secret),
    };
    match pending.and_then(|secret| session.signs_in(&secret, now)) {
        Some(_) => broken(11, "a pending secret tells who is signed in"),
        None => Ok(()),
    }
}

/// How far a session has come.
const fn stage(session: &Session) -> u8 {
    match session.state {
        SessionState::Pending { .. } => 0,
        SessionState::Bound { .. } => 1,
        SessionState::Established { .. } => 2,
    }
}

/// Rules 1 and 5: an ending follows from what the validator said, from the user, or from the
/// deadline.
async fn justified(
    world: &World,
    confirmation: &Confirmation,
    ending: Ending,
) -> Result<(), Broken> {
    let answers = world
        .answers
        .get(&confirmation.id)
        .map(Vec::as_slice)
        .unwrap_or_default();
    match ending {
        Ending::Confirmed(user) => {
            let identity = world
                .database
                .user(user)
                .await
                .ok()
                .flatten()
                .map(|user| user.identity);
            let said = |answer: &Result<Verdict, _>| matches!(answer, Ok(Verdict::Valid(valid, None)) if identity.as_ref() == Some(valid));
            if answers.iter().any(said) {
                Ok(())
            } else {
                broken(1, "confirmed without a valid verdict for this user")
            }
        }
        Ending::Rejected(Rejection::Cancelled) => Ok(()),
        Ending::Rejected(rejection) => {
            let said = |answer: &Result<Verdict, _>| matches!(answer, Ok(Verdict::Invalid(reason)) if Rejection::from(*reason) == rejection);
            if answers.iter().any(said) {
                Ok(())
            } else {
                broken(5, "rejected without a verdict that says so")
            }
        }
        Ending::Unavailable => {
            let refused = answers
                .iter()
                .any(|answer| matches!(answer, Err(ValidationError::Permanent { .. })));
            let late = world.clock.latest() >= confirmation.deadline;
            if refused || late {
                Ok(())
            } else {
                broken(5, "given up before the deadline")
            }
        }
    }
}
