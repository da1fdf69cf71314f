//! Why a request was not carried out: one line of text.

use axum::{
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use vestibule::store::{BeginError, StoreError};

/// Why a request was not carried out.
#[derive(Debug)]
pub struct ControlProblem {
    status: StatusCode,
    line: String,
}

impl ControlProblem {
    /// The request asks for something that there cannot be.
    pub fn invalid(line: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, line)
    }

    /// The request comes from where none may come from.
    pub fn forbidden(line: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, line)
    }

    /// What it asks for is not there.
    pub fn not_found(line: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, line)
    }

    /// What it asks for contradicts what is there.
    pub fn conflict(line: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, line)
    }

    /// The address has another method.
    pub fn method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "this address has another method (docs/TESTING.md)",
        )
    }

    fn new(status: StatusCode, line: impl Into<String>) -> Self {
        let line = line.into();
        Self { status, line }
    }
}

impl IntoResponse for ControlProblem {
    fn into_response(self) -> Response {
        let headers = [(header::CACHE_CONTROL, "no-store")];
        (self.status, headers, self.line + "\n").into_response()
    }
}

impl From<JsonRejection> for ControlProblem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<PathRejection> for ControlProblem {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<QueryRejection> for ControlProblem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<StoreError> for ControlProblem {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl From<BeginError> for ControlProblem {
    fn from(error: BeginError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}
