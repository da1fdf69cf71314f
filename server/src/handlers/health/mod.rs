//! `/healthz`: the process answers. `/readyz`: what it needs answers too, part by part.

use crate::http::state::WorkerState;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use std::{fmt::Write as _, time::Duration};
use tokio::time::timeout;
use vestibule::{
    session::SessionId,
    sign_ins::SignIns,
    store::{StoreError, Stores},
};

/// How long a part may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Whether a part is there; if not, why, unless it did not even answer.
pub type PartState = Result<(), Option<StoreError>>;

/// Whether the database, and where sessions are kept, can be read.
pub async fn database_and_sessions(stores: &Stores) -> (PartState, PartState) {
    let no_session = SessionId::from_bytes([0; 16]);
    let (database, sessions) = tokio::join!(
        timeout(ANSWER_WITHIN, stores.queue.next_due()),
        timeout(ANSWER_WITHIN, stores.sessions.session(no_session))
    );
    let database = database.map_or(Err(None), |answer| answer.map(drop).map_err(Some));
    let sessions = sessions.map_or(Err(None), |answer| answer.map(drop).map_err(Some));
    (database, sessions)
}

/// Why a part is not there.
pub fn why(error: Option<StoreError>) -> String {
    error.map_or_else(|| "no answer".into(), |error| error.to_string())
}

/// `GET /readyz`: a line for each part, and 503 if one is down. It says no more than the part's
/// name: the log says why.
pub async fn readyz(
    State(sign_ins): State<SignIns>,
    State(worker): State<WorkerState>,
) -> Response {
    let (database, sessions) = database_and_sessions(sign_ins.stores()).await;
    let worker = worker.stopped.map(|stopped| {
        if stopped.is_cancelled() {
            Err(None)
        } else {
            Ok(())
        }
    });
    let parts = [
        ("database", Some(database)),
        ("sessions", Some(sessions)),
        ("worker", worker),
    ];
    let mut lines = String::new();
    let mut ready = true;
    for (part, state) in parts
        .into_iter()
        .filter_map(|(part, state)| Some((part, state?)))
    {
        let _ = writeln!(
            lines,
            "{part}: {}",
            if state.is_ok() { "ok" } else { "down" }
        );
        if let Err(error) = state {
            ready = false;
            tracing::warn!(part, why = why(error), "not ready");
        }
    }
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, [(header::CACHE_CONTROL, "no-store")], lines).into_response()
}

#[cfg(test)]
mod tests;
