//! To begin: many confirmations with their sessions, each both or neither.

use super::{batch::Job, connection::Failure, sessions};
use crate::{
    confirmation::{Confirmation, State},
    session::Session,
    store::{
        StoreError,
        row::{self, QueuedColumns},
    },
};
use futures_util::future::BoxFuture;
use sqlx::{PgConnection, Row as _};
use std::collections::{HashMap, HashSet};

/// A confirmation that is to begin, and its session unless that is kept elsewhere.
#[derive(Debug)]
pub(super) struct Begin {
    pub confirmation: Confirmation,
    pub session: Option<Session>,
}

impl Job for Begin {
    /// The confirmation that is now kept under the pending secret.
    type Done = Confirmation;

    fn run<'c>(
        jobs: &'c [Self],
        connection: &'c mut PgConnection,
    ) -> BoxFuture<'c, Result<Vec<Confirmation>, Failure>> {
        Box::pin(async move {
            let mut inserted = insert(connection, jobs).await?;
            // Of two jobs with one pending secret, also where it is one request that came twice, the first one begins.
            let is_new: Vec<bool> = jobs.iter().map(|job| inserted.remove(job.confirmation.id.as_bytes())).collect();
            let new = jobs.iter().zip(&is_new).filter(|(_, is_new)| **is_new);
            let pending: Vec<&Session> = new.filter_map(|(job, _)| job.session.as_ref()).collect();
            if sessions::insert(connection, &pending).await? < pending.len() as u64 {
                return Err(StoreError::Unavailable("another session has this one's id or secret".into()).into());
            }
            if is_new.iter().all(|is_new| *is_new) {
                return Ok(jobs.iter().map(|job| job.confirmation.clone()).collect());
            }
            let known = known(connection, jobs).await?;
            let gone = || StoreError::Unavailable("the confirmation was swept while it was begun again".into());
            let kept = |job: &Self| known.get(job.confirmation.secret.as_bytes()).cloned().ok_or_else(gone);
            Ok(jobs.iter().map(kept).collect::<Result<_, _>>()?)
        })
    }
}

/// Keeps those whose pending secret has begun none, and returns their ids.
async fn insert(connection: &mut PgConnection, jobs: &[Begin]) -> Result<HashSet<[u8; 16]>, Failure> {
    let not_queued = || StoreError::Unavailable("only a queued confirmation can be begun".into());
    let queued = |job: &'_ Begin| match &job.confirmation.state {
        State::Queued(queued) => Ok(queued.clone()),
        State::Decided(_) | State::Settled(_) => Err(not_queued()),
    };
    let queued = jobs.iter().map(queued).collect::<Result<Vec<_>, _>>()?;
    let queued: Vec<_> = queued.iter().map(QueuedColumns::of).collect();
    let new = || jobs.iter().map(|job| &job.confirmation);
    // In the order of the secrets, for which others that begin the same wait.
    let rows = sqlx::query(
        "insert into confirmations (id, secret, token_tag, session, begun, deadline, state, token, token_key, due)
         select id, secret, token_tag, session, begun, deadline, 'queued', token, token_key, due
         from unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bytea[],
                     $8::bigint[], $9::bigint[])
             as new (id, secret, token_tag, session, begun, deadline, token, token_key, due)
         order by secret
         on conflict (secret) do nothing returning id",
    )
    .bind(new().map(|new| new.id.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(new().map(|new| new.secret.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(new().map(|new| new.token_tag.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(new().map(|new| new.session.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(new().map(|new| new.begun.as_millis()).collect::<Vec<_>>())
    .bind(new().map(|new| new.deadline.as_millis()).collect::<Vec<_>>())
    .bind(queued.iter().map(|queued| queued.token).collect::<Vec<_>>())
    .bind(queued.iter().map(|queued| queued.token_key).collect::<Vec<_>>())
    .bind(queued.iter().map(|queued| queued.due).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?)
}

/// What is kept under the pending secrets of `jobs`.
async fn known(connection: &mut PgConnection, jobs: &[Begin]) -> Result<HashMap<[u8; 32], Confirmation>, Failure> {
    let secrets: Vec<_> = jobs.iter().map(|job| job.confirmation.secret.as_bytes().as_slice()).collect();
    let rows =
        sqlx::query("select * from confirmations where secret = any($1)").bind(secrets).fetch_all(connection).await?;
    let keyed = |confirmation: Confirmation| (*confirmation.secret.as_bytes(), confirmation);
    Ok(rows.iter().map(|row| row::confirmation(row).map(keyed)).collect::<Result<_, _>>()?)
}
