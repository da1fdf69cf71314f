//! To decide and settle: many confirmations with their users and sessions.

use super::{batch::BatchJob, confirmations, connection::Failure, notices, sessions, users};
use crate::{
    confirmation::{Confirmation, ConfirmationId, Ending},
    session::Session,
    store::decide::{self, Decide, Settled},
};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use std::collections::HashMap;

impl BatchJob for Decide {
    /// The confirmation as it is stored then.
    type Done = Option<Confirmation>;

    fn run<'c>(
        connection: &'c mut PgConnection,
        jobs: &'c [&'c Self],
    ) -> BoxFuture<'c, Result<Vec<Option<Confirmation>>, Failure>> {
        Box::pin(async move {
            let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
            let mut stored = confirmations::lock(connection, &ids).await?;
            let deciding = decide::deciding(jobs, &stored);
            let users = users::find_or_add(connection, &decide::users(&deciding)).await?;
            let known = users::known(connection, &decide::known(&deciding)).await?;
            let decided = decide::endings(&deciding, users, &known);
            settle_sessions(connection, &decided, &stored).await?;
            notices::add(connection, &decide::notices(&decided)).await?;
            decide::take_over(&decided, &mut stored);
            let written: Vec<_> = decided
                .iter()
                .filter_map(|(job, _)| stored.get(&job.id))
                .collect();
            confirmations::write_decided(connection, &written).await?;
            Ok(ids.iter().map(|id| stored.get(id).cloned()).collect())
        })
    }
}

async fn settle_sessions(
    connection: &mut PgConnection,
    decided: &[(&Decide, Ending)],
    stored: &HashMap<ConfirmationId, Confirmation>,
) -> Result<(), Failure> {
    let sessions = sessions::lock(connection, &decide::sessions_of(decided, stored)).await?;
    let Settled { bound, gone } = decide::settle(decided, stored, sessions);
    sessions::replace(connection, &bound.iter().collect::<Vec<&Session>>()).await?;
    sessions::delete(connection, &gone).await
}
