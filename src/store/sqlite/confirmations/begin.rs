//! To begin: a confirmation with its session, and no more of one client than it may have.

use super::get_by_secret;
use crate::{
    caps::{Admission, Capped},
    confirmation::{Confirmation, State},
    path::LocalPath,
    session::Session,
    store::{StoreError, row::QueuedColumns},
};
use sqlx::SqliteConnection;

// In one pass over what its network has undecided: whether there is room, and which turn comes
// next.
macro_rules! insert_confirmation {
    () => {
        "insert into confirmations
             (id, secret, token_tag, session, created_at, deadline, state, token, token_key, due_at, client, network_56,
              network_48, turn, next)
         select $1, $2, $3, $4, $5, $6, 'queued', $7, $8, $9, $10, $11, $12,
             case when $9 > $5 then 9223372036854775807 else
                 max(coalesce(own.last + 1, 0),
                     coalesce((select min(turn) from confirmations
                               where state = 'queued' and turn < 9223372036854775807), 0))
             end, $16
         from (select count(*) filter (where client = $10) as of_64,
                      count(*) filter (where network_56 = $11) as of_56,
                      count(*) as of_48,
                      max(turn) filter (where turn < 9223372036854775807) as last
               from confirmations where network_48 = $12 and state = 'queued') as own
         where own.of_64 < $13 and own.of_56 < $14 and own.of_48 < $15
         on conflict (secret) do nothing;"
    };
}

macro_rules! insert_session {
    () => {
        "insert into sessions (id, revision, state, secret, token_tag, created_at, expires_at)
         select $17, 0, 'pending', $2, $3, $18, $19 where changes() = 1"
    };
}

/// Keeps both, or neither if the pending secret has begun a confirmation already or there is no
/// room for one more. Returns the confirmation that is kept under the secret.
pub(super) async fn begin(
    connection: &mut SqliteConnection,
    confirmation: &Confirmation,
    session: Option<&Session>,
    admission: Admission,
) -> Result<Result<Confirmation, Capped>, StoreError> {
    if insert(connection, confirmation, session, admission).await? {
        return Ok(Ok(confirmation.clone()));
    }
    match get_by_secret(&mut *connection, &confirmation.secret).await? {
        Some(known) => Ok(Ok(known)),
        None => Ok(Err(capped(connection, admission).await?)),
    }
}

/// Keeps both, or neither and `false` if the pending secret has begun one already or there is no
/// room.
///
/// In one call: most of what a begin costs is handing statements over to the driver's thread.
async fn insert(
    connection: &mut SqliteConnection,
    confirmation: &Confirmation,
    session: Option<&Session>,
    admission: Admission,
) -> Result<bool, StoreError> {
    let State::Queued(queued) = &confirmation.state else {
        return Err(StoreError::Unavailable(
            "only a queued confirmation can be begun".into(),
        ));
    };
    let columns = QueuedColumns::of(queued);
    let [own, wider, widest] = admission.client.networks();
    let [of_64, of_56, of_48] = admission.limits();
    let insert = sqlx::query(match session {
        Some(_) => concat!(insert_confirmation!(), insert_session!()),
        None => insert_confirmation!(),
    })
    .bind(confirmation.id.as_slice())
    .bind(confirmation.secret.as_slice())
    .bind(confirmation.token_tag.as_slice())
    .bind(confirmation.session.as_slice())
    .bind(confirmation.created_at.as_millis())
    .bind(confirmation.deadline.as_millis())
    .bind(columns.token)
    .bind(columns.token_key)
    .bind(columns.due_at)
    .bind(own.as_slice())
    .bind(wider.as_slice())
    .bind(widest.as_slice())
    .bind(of_64)
    .bind(of_56)
    .bind(of_48)
    .bind(confirmation.next.as_ref().map(LocalPath::as_str));
    let insert = match session {
        Some(session) => insert
            .bind(session.id.as_slice())
            .bind(session.created_at.as_millis())
            .bind(session.expires_at.as_millis()),
        None => insert,
    };
    Ok(insert.execute(connection).await?.rows_affected() > 0)
}

/// Why there was no room, within the transaction that found none.
async fn capped(
    connection: &mut SqliteConnection,
    admission: Admission,
) -> Result<Capped, StoreError> {
    let [own, wider, widest] = admission.client.networks();
    let counts: (u32, u32, u32) = sqlx::query_as(
        "select count(*) filter (where client = $1), count(*) filter (where network_56 = $2), count(*)
         from confirmations where network_48 = $3 and state = 'queued'",
    )
    .bind(own.as_slice())
    .bind(wider.as_slice())
    .bind(widest.as_slice())
    .fetch_one(connection)
    .await?;
    Ok(admission.capped(counts.into()).unwrap_or(Capped::Client))
}
