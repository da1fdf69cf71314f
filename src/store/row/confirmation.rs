//! Confirmations as rows.

use super::{Reading, Row};
use crate::{
    caps::{Client, Shares},
    confirmation::{
        Claim, Confirmation, ConfirmationId, Decided, Ending, Later, Lease, Queued, Rejection,
        Stage, State, WorkerId,
    },
    path::LocalPath,
    pending::TokenTag,
    secret::{Sealed, SealedToken, SecretHash},
    session::SessionId,
    store::{StoreError, begin::Counted},
    user::UserId,
};

const TABLE: &str = "confirmations";

/// Reads a confirmation.
pub(in crate::store) fn confirmation(row: &dyn Row) -> Result<Confirmation, StoreError> {
    let row = Reading::new(TABLE, row);
    let state = match row.text("state")? {
        "queued" => State::Queued(queued(&row)?),
        "decided" => State::Decided(decided(&row)?),
        "settled" => State::Settled(decided(&row)?),
        _ => return Err(row.corrupt("state")),
    };
    Ok(Confirmation {
        id: ConfirmationId::from_bytes(row.bytes("id")?),
        secret: SecretHash::from_bytes(row.bytes("secret")?),
        token_tag: TokenTag::from_bytes(row.bytes("token_tag")?),
        session: SessionId::from_bytes(row.bytes("session")?),
        created_at: row.time("created_at")?,
        deadline: row.time("deadline")?,
        next: next(&row)?,
        state,
    })
}

/// Reads what has just been claimed. A row that cannot be read stops itself and nothing else: its
/// lease keeps it out of the way.
pub(in crate::store) fn claims<R: Row>(rows: &[R]) -> Vec<Claim> {
    let readable = |row: &R| {
        claim(row)
            .inspect_err(|error| tracing::error!(%error, "a confirmation cannot be worked on"))
    };
    rows.iter().filter_map(|row| readable(row).ok()).collect()
}

fn claim(row: &dyn Row) -> Result<Claim, StoreError> {
    let confirmation = confirmation(row)?;
    let State::Queued(Queued {
        token,
        failed,
        later,
        fence,
        ..
    }) = confirmation.state
    else {
        return Err(Reading::new(TABLE, row).corrupt("claimed, but not queued"));
    };
    // A server of before there were networks does not write them: together they are one.
    let network = Reading::new(TABLE, row)
        .optional_bytes("network_48")?
        .unwrap_or_default();
    let Confirmation {
        id,
        secret,
        created_at,
        deadline,
        ..
    } = confirmation;
    Ok(Claim {
        id,
        fence,
        network,
        secret,
        token,
        failed,
        later,
        created_at,
        deadline,
    })
}

fn next(row: &Reading<'_>) -> Result<Option<LocalPath>, StoreError> {
    match row.optional_text("next")? {
        Some(next) => Ok(Some(next.parse().map_err(|_| row.corrupt("next"))?)),
        None => Ok(None),
    }
}

fn queued(row: &Reading<'_>) -> Result<Queued, StoreError> {
    let lease = match row.optional_bytes("worker")? {
        Some(worker) => Some(Lease {
            worker: WorkerId::from_bytes(worker),
            until: row.time("lease_until")?,
        }),
        None => None,
    };
    Ok(Queued {
        token: SealedToken(Sealed {
            key_id: row.number("token_key")?,
            bytes: row.blob("token")?.to_vec(),
        }),
        failed: row.number("failed")?,
        later: later(row)?,
        due_at: row.time("due_at")?,
        fence: row.number("fence")?,
        lease,
    })
}

fn later(row: &Reading<'_>) -> Result<Option<Later>, StoreError> {
    let number: i64 = row.number("stage")?;
    let said = Stage::ALL.map(Some).into_iter().chain([None]);
    let mut all = said.map(|stage| Some(Later { stage })).chain([None]);
    all.find(|later| stage_number(*later) == number)
        .ok_or_else(|| row.corrupt("stage"))
}

/// The number in a row of what a validator has said that answers later: 0 for nothing, and higher
/// for what comes later.
fn stage_number(later: Option<Later>) -> i64 {
    match later.map(|later| later.stage) {
        None => 0,
        Some(None) => 1,
        Some(Some(Stage::Received)) => 2,
        Some(Some(Stage::Reviewing)) => 3,
        Some(Some(Stage::Almost)) => 4,
    }
}

fn decided(row: &Reading<'_>) -> Result<Decided, StoreError> {
    let user = row.optional_bytes("user_id")?.map(UserId::from_bytes);
    let ending = match (row.text("ending")?, user) {
        ("confirmed", Some(user)) => Ending::Confirmed(user),
        ("unavailable", None) => Ending::Unavailable,
        (reason, None) => {
            Ending::Rejected(Rejection::from_name(reason).ok_or_else(|| row.corrupt("ending"))?)
        }
        _ => return Err(row.corrupt("ending and user_id fit no state")),
    };
    Ok(Decided {
        ending,
        at: row.time("decided_at")?,
    })
}

/// Where the next page of undecided confirmations begins: the columns by which they are ordered.
pub(in crate::store) fn key_of_undecided(after: Option<&Confirmation>) -> (i64, Vec<u8>) {
    after.map_or((i64::MIN, Vec::new()), |after| {
        (after.created_at.as_millis(), after.id.as_bytes().to_vec())
    })
}

/// What a queued confirmation has of its own, as it stands in a row.
pub(in crate::store) struct QueuedColumns<'c> {
    pub token: &'c [u8],
    pub token_key: i64,
    pub failed: i64,
    pub due_at: i64,
    pub fence: i64,
    pub worker: Option<&'c [u8]>,
    pub lease_until: Option<i64>,
}

impl<'c> QueuedColumns<'c> {
    pub fn of(queued: &'c Queued) -> Self {
        Self {
            token: &queued.token.0.bytes,
            token_key: queued.token.0.key_id.into(),
            failed: queued.failed.into(),
            due_at: queued.due_at.as_millis(),
            // A fence counts claims: it does not come near.
            fence: i64::try_from(queued.fence).unwrap_or(i64::MAX),
            worker: queued.lease.as_ref().map(|lease| lease.worker.as_slice()),
            lease_until: queued.lease.map(|lease| lease.until.as_millis()),
        }
    }
}

/// What changes of a confirmation that waits for a validator that answers later, and the room that
/// there has to be.
pub(in crate::store) struct WaitColumns {
    pub deadline: i64,
    pub stage: i64,
    pub room: [i64; 3],
}

impl WaitColumns {
    pub fn of(confirmation: &Confirmation, room: Shares) -> Self {
        Self {
            deadline: confirmation.deadline.as_millis(),
            stage: stage_number(confirmation.later()),
            room: room.limits().map(i64::from),
        }
    }
}

/// Reads what was counted before some begin.
pub(in crate::store) fn counted(row: &dyn Row) -> Result<Counted, StoreError> {
    let row = Reading::new(TABLE, row);
    if let Some(secret) = row.optional_bytes("secret")? {
        return Ok(Counted::Begun(SecretHash::from_bytes(secret)));
    }
    let turn = row.number("turn")?;
    let Some(network_48) = row.optional_bytes("network_48")? else {
        return Ok(Counted::First(turn));
    };
    // A row that is corrupt stops no other: it counts in the network that it was found by.
    let narrower = |column| row.optional_bytes(column).ok().flatten();
    let narrower = |column| narrower(column).unwrap_or_default();
    Ok(Counted::Undecided {
        client: Client::in_networks([narrower("client"), narrower("network_56"), network_48]),
        number: row.number("number")?,
        next: turn,
    })
}

/// What a decided confirmation has of its own, as it stands in a row.
pub(in crate::store) struct DecidedColumns {
    pub ending: &'static str,
    pub user: Option<Vec<u8>>,
    pub decided_at: i64,
}

impl DecidedColumns {
    pub fn of(decided: Decided) -> Self {
        let (ending, user) = match decided.ending {
            Ending::Confirmed(user) => ("confirmed", Some(user.as_bytes().to_vec())),
            Ending::Rejected(reason) => (reason.as_str(), None),
            Ending::Unavailable => ("unavailable", None),
        };
        Self {
            ending,
            user,
            decided_at: decided.at.as_millis(),
        }
    }
}
