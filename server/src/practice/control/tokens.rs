//! `PUT /practice/tokens/{token}`: what the practice validator answers for this token.

use super::{Control, ControlProblem};
use crate::practice::script::ScriptBody;
use axum::{
    Json,
    extract::{
        Path, State,
        rejection::{JsonRejection, PathRejection},
    },
    http::StatusCode,
};
use vestibule::{
    link::LinkToken,
    token::{InvalidToken, Token},
};

pub async fn script(
    State(control): State<Control>,
    token: Result<Path<String>, PathRejection>,
    body: Result<Json<ScriptBody>, JsonRejection>,
) -> Result<StatusCode, ControlProblem> {
    let token: Token = token?
        .parse()
        .map_err(|error: InvalidToken| ControlProblem::invalid(error.to_string()))?;
    if LinkToken::is_ours(&control.app.keys, &token) {
        return Err(ControlProblem::invalid(
            "this is a link of Vestibule's own, about which no validator is asked",
        ));
    }
    let Json(body) = body?;
    let answers = body
        .checked()
        .map_err(|error| ControlProblem::invalid(error.to_string()))?;
    control.tools.script.set(&token, answers);
    Ok(StatusCode::NO_CONTENT)
}
