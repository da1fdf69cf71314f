//! To decide and settle: many confirmations with their users and sessions.

use super::{batch::Job, confirmations, connection::Failure, sessions, users};
use crate::{
    confirmation::{Confirmation, ConfirmationId, Decided, Decider, Decision, Ending, Rejection},
    session::{Followed, Session, SessionId},
    store::Settlement,
    user::User,
};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};

/// A confirmation that is to be decided.
#[derive(Debug)]
pub(super) struct Decide {
    pub id: ConfirmationId,
    pub decider: Decider,
    pub decision: Decision,
    pub settlement: Settlement,
    pub sessions_apart: bool,
}

impl Job for Decide {
    /// The confirmation as it is stored then.
    type Done = Option<Confirmation>;

    fn run<'c>(
        jobs: &'c [Self],
        connection: &'c mut PgConnection,
    ) -> BoxFuture<'c, Result<Vec<Option<Confirmation>>, Failure>> {
        Box::pin(async move {
            let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
            let mut stored = confirmations::lock(connection, &ids).await?;
            let deciding = deciding(jobs, &stored);
            let endings = endings(connection, &deciding).await?;
            let decided: Vec<_> = deciding.into_iter().zip(endings).collect();
            let settled = settle_sessions(connection, &decided, &stored).await?;
            for (job, ending) in &decided {
                if let Some(confirmation) = stored.remove(&job.id) {
                    let next = confirmation.clone().decide(job.decider, *ending, job.settlement.now);
                    let next = next.unwrap_or(confirmation);
                    stored.insert(job.id, if settled.contains(&job.id) { next.settle() } else { next });
                }
            }
            let written: Vec<_> = decided.iter().filter_map(|(job, _)| stored.get(&job.id)).collect();
            confirmations::write_decided(connection, &written).await?;
            Ok(ids.iter().map(|id| stored.get(id).cloned()).collect())
        })
    }
}

/// The jobs that decide: of those with one confirmation, the first that may.
fn deciding<'j>(jobs: &'j [Decide], stored: &HashMap<ConfirmationId, Confirmation>) -> Vec<&'j Decide> {
    let mut taken = HashSet::new();
    let may = |job: &Decide| {
        // Whether it may does not depend on what it comes to.
        let decide = |confirmation: Confirmation| {
            confirmation.decide(job.decider, Ending::Rejected(Rejection::Cancelled), job.settlement.now).is_ok()
        };
        stored.get(&job.id).cloned().is_some_and(decide)
    };
    jobs.iter().filter(|job| may(job) && taken.insert(job.id)).collect()
}

/// What each of `jobs` makes of its confirmation. The users of valid decisions are found or made.
async fn endings(connection: &mut PgConnection, jobs: &[&Decide]) -> Result<Vec<Ending>, Failure> {
    let user = |job: &&Decide| match &job.decision {
        Decision::Valid(identity) => {
            Some(User { id: job.settlement.new_user, identity: identity.clone(), since: job.settlement.now })
        }
        Decision::Rejected(_) | Decision::Unavailable => None,
    };
    let users: Vec<User> = jobs.iter().filter_map(user).collect();
    let mut ids = users::find_or_add(connection, &users).await?.into_iter();
    let ending = |job: &&Decide| match &job.decision {
        Decision::Valid(_) => ids.next().map(Ending::Confirmed),
        Decision::Rejected(reason) => Some(Ending::Rejected(*reason)),
        Decision::Unavailable => Some(Ending::Unavailable),
    };
    Ok(jobs.iter().filter_map(ending).collect())
}

/// Each session follows from its decision alone: rebound or deleted, and never made again. Returns which confirmations
/// are settled by that: all but those whose sessions are kept elsewhere.
async fn settle_sessions(
    connection: &mut PgConnection,
    decided: &[(&Decide, Ending)],
    stored: &HashMap<ConfirmationId, Confirmation>,
) -> Result<HashSet<ConfirmationId>, Failure> {
    let here = || decided.iter().filter(|(job, _)| !job.sessions_apart);
    let session_of = |job: &Decide| stored.get(&job.id).map(|confirmation| confirmation.session);
    let ids: Vec<SessionId> = here().filter_map(|(job, _)| session_of(job)).collect();
    let mut sessions = sessions::lock(connection, &ids).await?;
    let (mut bound, mut gone) = (Vec::<Session>::new(), Vec::new());
    for (job, ending) in here() {
        let Some(session) = session_of(job).and_then(|id| sessions.remove(&id)) else { continue };
        let id = session.id;
        match session.follow(Decided { ending: *ending, at: job.settlement.now }, job.settlement.bound) {
            Followed::Bound(session) => bound.push(session),
            Followed::Gone => gone.push(id),
            Followed::Already => {}
        }
    }
    sessions::replace(connection, &bound.iter().collect::<Vec<_>>()).await?;
    sessions::delete(connection, &gone).await?;
    Ok(here().map(|(job, _)| job.id).collect())
}
