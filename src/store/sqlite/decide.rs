//! To decide and settle: many confirmations with their users and sessions, in a few statements for
//! all.
//!
//! Most of what a statement costs here is handing it over to the driver's thread, so one takes as
//! many rows as there are.

use super::{
    json::{hex, rows, with_new},
    notices,
    writer::BatchJob,
};
use crate::{
    confirmation::{Confirmation, ConfirmationId, State},
    path::LocalPath,
    session::{Session, SessionId},
    store::{
        StoreError,
        decide::{self, Decide, Settled},
        row::{self, DecidedColumns, Reading, SessionColumns},
        statements::{confirmation_columns, session_columns},
    },
    user::{User, UserId},
};
use futures_util::future::BoxFuture;
use serde_json::json;
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use std::collections::{BTreeMap, HashMap, HashSet};

impl BatchJob for Decide {
    type Done = Option<Confirmation>;

    fn run<'c>(
        connection: &'c mut SqliteConnection,
        jobs: &'c [&'c Self],
    ) -> BoxFuture<'c, Result<Vec<Self::Done>, StoreError>> {
        Box::pin(decide(connection, jobs))
    }
}

/// Decides all that may be within the transaction of `connection`, and tells how each confirmation
/// is stored then, in the order of `jobs`.
async fn decide(
    connection: &mut SqliteConnection,
    jobs: &[&Decide],
) -> Result<Vec<Option<Confirmation>>, StoreError> {
    let mut stored = confirmations(connection, jobs).await?;
    let deciding = decide::deciding(jobs, &stored);
    let users = put_users(connection, &decide::users(&deciding)).await?;
    let known = known_users(connection, &decide::known(&deciding)).await?;
    let decided = decide::endings(&deciding, users, &known);
    let sessions = sessions(connection, &decide::sessions_of(&decided, &stored)).await?;
    let Settled { bound, gone } = decide::settle(&decided, &stored, sessions);
    replace_sessions(connection, &bound).await?;
    delete_sessions(connection, &gone).await?;
    notices::add(connection, &decide::notices(&decided)).await?;
    decide::take_over(&decided, &mut stored);
    write_decided(
        connection,
        decided.iter().filter_map(|(job, _)| stored.get(&job.id)),
    )
    .await?;
    Ok(jobs
        .iter()
        .map(|job| stored.get(&job.id).cloned())
        .collect())
}

async fn confirmations(
    connection: &mut SqliteConnection,
    jobs: &[&Decide],
) -> Result<HashMap<ConfirmationId, Confirmation>, StoreError> {
    let Some(ids) = rows(jobs.iter().map(|job| hex(job.id.as_bytes()))) else {
        return Ok(HashMap::new());
    };
    let select = concat!(
        "select ",
        confirmation_columns!(),
        " from confirmations where id in (select unhex(value) from json_each($1))"
    );
    let found = sqlx::query(select).bind(ids).fetch_all(connection).await?;
    let keyed = |confirmation: Confirmation| (confirmation.id, confirmation);
    found
        .iter()
        .map(|row| row::confirmation(row).map(keyed))
        .collect()
}

/// Finds or adds users by their identities, and returns their ids in the same order; none of those
/// who are disabled.
async fn put_users(
    connection: &mut SqliteConnection,
    users: &[User],
) -> Result<Vec<Option<UserId>>, StoreError> {
    let key = |user: &User| (user.identity.issuer.clone(), user.identity.subject.clone());
    // Of two that are the same person, the later one knows the name and the address.
    let wanted: BTreeMap<_, &User> = users.iter().map(|user| (key(user), user)).collect();
    let columns = |user: &User| {
        let identity = &user.identity;
        let id = hex(user.id.as_bytes());
        let since = user.created_at.as_millis();
        json!([
            id,
            identity.issuer,
            identity.subject,
            identity.name,
            identity.email,
            since
        ])
    };
    let Some(wanted) = rows(wanted.into_values().map(columns)) else {
        return Ok(Vec::new());
    };
    let put = sqlx::query(concat!(
        with_new!(),
        "insert into users (id, issuer, subject, name, email, created_at)
         select unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
         from new where true
         on conflict (issuer, subject) do update set name = excluded.name, email = excluded.email
         returning id, issuer, subject, disabled"
    ));
    let read = |row: &SqliteRow| {
        let row = Reading::new("users", row);
        let key = (
            row.text("issuer")?.to_owned(),
            row.text("subject")?.to_owned(),
        );
        let id = UserId::from_bytes(row.bytes("id")?);
        Ok((key, (row.number::<u8>("disabled")? == 0).then_some(id)))
    };
    let put = put.bind(wanted).fetch_all(connection).await?;
    let ids = put
        .iter()
        .map(read)
        .collect::<Result<HashMap<_, _>, StoreError>>()?;
    let vanished = || StoreError::Unavailable("a user was not written".into());
    users
        .iter()
        .map(|user| ids.get(&key(user)).copied().ok_or_else(vanished))
        .collect()
}

/// Those of `users` who are there and may be let in.
async fn known_users(
    connection: &mut SqliteConnection,
    users: &[UserId],
) -> Result<HashSet<UserId>, StoreError> {
    let Some(users) = rows(users.iter().map(|user| hex(user.as_bytes()))) else {
        return Ok(HashSet::new());
    };
    let select = "select id from users where disabled = 0 and id in (select unhex(value) from json_each($1))";
    let found = sqlx::query(select)
        .bind(users)
        .fetch_all(connection)
        .await?;
    found
        .iter()
        .map(|row| Ok(UserId::from_bytes(Reading::new("users", row).bytes("id")?)))
        .collect()
}

async fn sessions(
    connection: &mut SqliteConnection,
    ids: &[SessionId],
) -> Result<HashMap<SessionId, Session>, StoreError> {
    let Some(ids) = rows(ids.iter().map(|id| hex(id.as_bytes()))) else {
        return Ok(HashMap::new());
    };
    let select = concat!(
        "select ",
        session_columns!(),
        " from sessions where id in (select unhex(value) from json_each($1))"
    );
    let found = sqlx::query(select).bind(ids).fetch_all(connection).await?;
    let keyed = |session: Session| (session.id, session);
    found
        .iter()
        .map(|row| row::session(row).map(keyed))
        .collect()
}

/// Writes what pending sessions have become. This transaction has read them, so no other has
/// written them since.
async fn replace_sessions(
    connection: &mut SqliteConnection,
    bound: &[Session],
) -> Result<(), StoreError> {
    let columns = |session: &Session| {
        let SessionColumns {
            id,
            revision,
            state,
            user,
            expires_at,
            ..
        } = SessionColumns::of(session);
        json!([hex(id), revision, state, user.map(hex), expires_at])
    };
    let Some(bound) = rows(bound.iter().map(columns)) else {
        return Ok(());
    };
    let update = sqlx::query(concat!(
        with_new!(),
        "update sessions set revision = next.revision, state = next.state, user_id = next.user_id, expires_at = next.expires_at
         from (select unhex(value ->> 0) as id, value ->> 1 as revision, value ->> 2 as state,
                   unhex(value ->> 3) as user_id, value ->> 4 as expires_at from new) as next
         where sessions.id = next.id"
    ));
    update.bind(bound).execute(connection).await?;
    Ok(())
}

async fn delete_sessions(
    connection: &mut SqliteConnection,
    gone: &[SessionId],
) -> Result<(), StoreError> {
    let Some(gone) = rows(gone.iter().map(|id| hex(id.as_bytes()))) else {
        return Ok(());
    };
    let delete = "delete from sessions where id in (select unhex(value) from json_each($1))";
    sqlx::query(delete).bind(gone).execute(connection).await?;
    Ok(())
}

/// Writes what confirmations came to, and wipes what they needed to come to it.
pub(super) async fn write_decided(
    connection: &mut SqliteConnection,
    confirmations: impl IntoIterator<Item = &Confirmation>,
) -> Result<(), StoreError> {
    let columns = |confirmation: &Confirmation| {
        let (state, decided) = match confirmation.state {
            State::Queued(_) => return None,
            State::Decided(decided) => ("decided", decided),
            State::Settled(decided) => ("settled", decided),
        };
        let DecidedColumns {
            ending,
            user,
            decided_at,
        } = DecidedColumns::of(decided);
        Some(json!([
            hex(confirmation.id.as_bytes()),
            state,
            ending,
            user.as_deref().map(hex),
            decided_at,
            confirmation.next.as_ref().map(LocalPath::as_str)
        ]))
    };
    let Some(decided) = rows(confirmations.into_iter().filter_map(columns)) else {
        return Ok(());
    };
    let update = sqlx::query(concat!(
        with_new!(),
        "update confirmations set state = next.state, ending = next.ending, user_id = next.user_id,
             decided_at = next.decided_at, next = next.next, token = null, token_key = null, due_at = null, worker = null, lease_until = null
         from (select unhex(value ->> 0) as id, value ->> 1 as state, value ->> 2 as ending,
                   unhex(value ->> 3) as user_id, value ->> 4 as decided_at, value ->> 5 as next from new) as next
         where confirmations.id = next.id"
    ));
    update.bind(decided).execute(connection).await?;
    Ok(())
}
