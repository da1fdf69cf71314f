//! `POST /practice/clock`: lets time pass.

use super::{Control, ControlProblem};
use crate::accounts::time_format::rfc3339;
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockBody {
    /// How much time passes.
    advance: String,
}

pub async fn advance(
    State(control): State<Control>,
    body: Result<Json<ClockBody>, JsonRejection>,
) -> Result<Json<Value>, ControlProblem> {
    let Json(ClockBody { advance }) = body?;
    let by = humantime::parse_duration(&advance).map_err(|_| {
        ControlProblem::invalid(
            "advance: not a time with its unit; the clock never goes back (example: 20m)",
        )
    })?;
    let now = control
        .tools
        .clock
        .advance(by)
        .map_err(|error| ControlProblem::invalid(error.to_string()))?;
    Ok(Json(json!({ "now": rfc3339(now) })))
}
