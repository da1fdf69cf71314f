//! `GET /practice/confirmations`: the undecided ones, and those that the practice validator was
//! asked about, in the order in which they were begun.

use super::{Control, ControlProblem};
use crate::cli::confirmation::describe::object;
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use vestibule::{
    confirmation::Confirmation,
    pending::TokenTag,
    token::{InvalidToken, Token},
};

/// How many undecided ones are told.
const UNDECIDED: u32 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationsQuery {
    /// With which token they were begun; without one, all are told.
    token: Option<String>,
}

pub async fn list(
    State(control): State<Control>,
    query: Result<Query<ConfirmationsQuery>, QueryRejection>,
) -> Result<Json<Vec<Value>>, ControlProblem> {
    let Query(ConfirmationsQuery { token }) = query?;
    let token = token
        .map(|token| token.parse::<Token>())
        .transpose()
        .map_err(|error: InvalidToken| ControlProblem::invalid(format!("token: {error}")))?;
    let tags = token.map(|token| TokenTag::each(&control.app.keys, &token));
    let sign_ins = &control.app.sign_ins;
    let stores = sign_ins.stores();
    let mut found: BTreeMap<(i64, String), (Confirmation, u32)> = BTreeMap::new();
    let mut add = |confirmation: Confirmation, asked: u32| {
        let place = (
            confirmation.created_at.as_millis(),
            confirmation.id.to_string(),
        );
        found.entry(place).or_insert((confirmation, 0)).1 += asked;
    };
    for confirmation in stores.queue.list_undecided(None, UNDECIDED).await? {
        add(confirmation, 0);
    }
    for (id, asked) in control.tools.script.asked() {
        // One that is not there any more was deleted long after its end.
        if let Some(confirmation) = stores.confirmations.confirmation(id).await? {
            add(confirmation, asked);
        }
    }
    let is_wanted = |confirmation: &Confirmation| {
        tags.as_ref()
            .is_none_or(|tags| tags.contains(&confirmation.token_tag))
    };
    let wanted = found.into_values().filter(|(found, _)| is_wanted(found));
    let objects = wanted.map(|(confirmation, asked)| {
        let mut object = object(&confirmation);
        object["asked"] = asked.into();
        object
    });
    Ok(Json(objects.collect()))
}
