//! To decide and settle many confirmations at once: what follows from what, without a word of SQL.

use super::Settlement;
use crate::{
    confirmation::{Confirmation, ConfirmationId, Decided, Decider, Decision, Ending, Rejection},
    notice::Notice,
    session::{Followed, Session, SessionId},
    user::{User, UserId},
};
use std::collections::{HashMap, HashSet};

/// A confirmation that is to be decided.
#[derive(Clone, Debug)]
pub(super) struct Decide {
    pub id: ConfirmationId,
    pub decider: Decider,
    pub decision: Decision,
    pub settlement: Settlement,
    pub sessions_apart: bool,
}

/// What becomes of sessions.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub bound: Vec<Session>,
    pub gone: Vec<SessionId>,
}

/// The jobs that decide: of those with one confirmation, the first that may.
pub(super) fn deciding<'j>(
    jobs: &[&'j Decide],
    stored: &HashMap<ConfirmationId, Confirmation>,
) -> Vec<&'j Decide> {
    let mut taken = HashSet::new();
    let may = |job: &Decide| {
        // Whether it may does not depend on what it comes to.
        let decide = |confirmation: Confirmation| {
            confirmation
                .decide(
                    job.decider,
                    Ending::Rejected(Rejection::Cancelled),
                    job.settlement.now,
                )
                .is_ok()
        };
        stored.get(&job.id).cloned().is_some_and(decide)
    };
    jobs.iter()
        .copied()
        .filter(|job| may(job) && taken.insert(job.id))
        .collect()
}

/// The users of those of `jobs` that are valid decisions.
pub(super) fn users(jobs: &[&Decide]) -> Vec<User> {
    let user = |job: &&Decide| match &job.decision {
        Decision::Valid(identity, _) => {
            let id = job.settlement.new_user;
            let since = job.settlement.now;
            Some(User::new(id, identity.clone(), since))
        }
        Decision::Known(..) | Decision::Rejected(_) | Decision::Unavailable => None,
    };
    jobs.iter().filter_map(user).collect()
}

/// The users that the jobs with a `Known` decision name.
pub(super) fn known(jobs: &[&Decide]) -> Vec<UserId> {
    let user = |job: &&Decide| {
        if let Decision::Known(user, _) = job.decision {
            Some(user)
        } else {
            None
        }
    };
    jobs.iter().filter_map(user).collect()
}

/// What each of `jobs` comes to, with the ids under which their [`users`] are stored, none of those
/// who are disabled, and those of the [`known`] ones who are there.
pub(super) fn endings<'j>(
    jobs: &[&'j Decide],
    users: Vec<Option<UserId>>,
    known: &HashSet<UserId>,
) -> Vec<(&'j Decide, Ending)> {
    let mut users = users.into_iter();
    let mut ending = |job: &'j Decide| match &job.decision {
        Decision::Valid(..) => users
            .next()
            .map(|user| user.map_or(Ending::Rejected(Rejection::Invalid), Ending::Confirmed)),
        Decision::Known(user, _) if known.contains(user) => Some(Ending::Confirmed(*user)),
        Decision::Known(..) => Some(Ending::Rejected(Rejection::Expired)),
        Decision::Rejected(reason) => Some(Ending::Rejected(*reason)),
        Decision::Unavailable => Some(Ending::Unavailable),
    };
    jobs.iter()
        .filter_map(|job| Some((*job, ending(job)?)))
        .collect()
}

/// What the application is to be told of those decided.
pub(super) fn notices(decided: &[(&Decide, Ending)]) -> Vec<Notice> {
    let notice = |(job, ending): &(&Decide, Ending)| match ending {
        Ending::Confirmed(user) if job.settlement.tells => Some(Notice {
            confirmation: job.id,
            user: *user,
            is_new: *user == job.settlement.new_user,
            created_at: job.settlement.now,
        }),
        _ => None,
    };
    decided.iter().filter_map(notice).collect()
}

/// The sessions of those decided whose sessions are kept here.
pub(super) fn sessions_of(
    decided: &[(&Decide, Ending)],
    stored: &HashMap<ConfirmationId, Confirmation>,
) -> Vec<SessionId> {
    let here = decided.iter().filter(|(job, _)| !job.sessions_apart);
    here.filter_map(|(job, _)| stored.get(&job.id))
        .map(|confirmation| confirmation.session)
        .collect()
}

/// Each session follows from its decision alone: rebound or deleted, and never made again.
pub(super) fn settle(
    decided: &[(&Decide, Ending)],
    stored: &HashMap<ConfirmationId, Confirmation>,
    mut sessions: HashMap<SessionId, Session>,
) -> Settled {
    let mut settled = Settled::default();
    for (job, ending) in decided {
        let session = stored
            .get(&job.id)
            .and_then(|confirmation| sessions.remove(&confirmation.session));
        let Some(session) = session else { continue };
        let id = session.id;
        match session.follow(
            Decided {
                ending: *ending,
                at: job.settlement.now,
            },
            job.settlement.bound,
        ) {
            Followed::Bound(session) => settled.bound.push(session),
            Followed::Gone => settled.gone.push(id),
            Followed::Already => {}
        }
    }
    settled
}

/// Takes over into `stored` what was decided; it is settled too, but where sessions are kept
/// elsewhere.
pub(super) fn take_over(
    decided: &[(&Decide, Ending)],
    stored: &mut HashMap<ConfirmationId, Confirmation>,
) {
    for (job, ending) in decided {
        if let Some(confirmation) = stored.remove(&job.id) {
            let next = confirmation
                .clone()
                .decide(job.decider, *ending, job.settlement.now)
                .map_or(confirmation, |decided| {
                    decided.leading_to(job.decision.next())
                });
            stored.insert(
                job.id,
                if job.sessions_apart {
                    next
                } else {
                    next.settle()
                },
            );
        }
    }
}
