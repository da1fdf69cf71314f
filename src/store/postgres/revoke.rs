//! To take a sign-in back that nobody has come for.

use super::{batch::Job, confirmations, connection::Failure, sessions};
use crate::{
    confirmation::{Confirmation, ConfirmationId},
    session::SessionId,
};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;

/// A confirmation that its user takes back. People do so seldom: each is a transaction of its own.
#[derive(Debug)]
pub(super) struct Revoke {
    pub id: ConfirmationId,
    pub session: SessionId,
}

impl Job for Revoke {
    type Done = ();

    fn run<'c>(jobs: &'c [Self], connection: &'c mut PgConnection) -> BoxFuture<'c, Result<Vec<()>, Failure>> {
        Box::pin(async move {
            let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
            let stored = confirmations::lock(connection, &ids).await?;
            let known = jobs.iter().filter(|job| stored.contains_key(&job.id));
            sessions::delete(connection, &known.map(|job| job.session).collect::<Vec<_>>()).await?;
            let revoked: Vec<_> = stored.into_values().map(Confirmation::revoke).collect();
            confirmations::write_decided(connection, &revoked.iter().collect::<Vec<_>>()).await?;
            Ok(jobs.iter().map(|_| ()).collect())
        })
    }
}
