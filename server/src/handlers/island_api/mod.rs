//! The island's calls, for one request: its cookies in, the library's report out.

use crate::{
    handlers::begin::{self, set_pending},
    http::{
        error::{self, PageError},
        form::unreadable,
        state::App,
        visitor::Visitor,
    },
};
use axum::{
    Form,
    body::Body,
    extract::{FromRequest as _, Request, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use leptos::prelude::*;
use leptos_axum::{ResponseOptions, handle_server_fns_with_context};
use serde::Deserialize;
use std::sync::Arc;
use url::form_urlencoded;
use vestibule::{
    caps::Capped,
    sign_ins::Report,
    store::{BeginError, StoreError},
    token::Token,
};
use vestibule_app::api::{
    IslandApiError,
    ssr::{IslandApi, Reply},
};

/// A call of the island, as its form says it.
#[derive(Deserialize)]
struct IslandCall {
    token: String,
    again: Option<bool>,
    next: Option<String>,
}

/// Handles `/api/…`. A body that is none of the island's is refused here: Leptos would call it our
/// own mistake.
pub async fn server_functions(
    State(app): State<App>,
    visitor: Visitor,
    request: Request<Body>,
) -> Result<Response, PageError> {
    let function = match request.uri().path() {
        "/api/begin" => "/vestibule/begin",
        "/api/status" => "/vestibule/status",
        "/api/cancel" => "/vestibule/cancel",
        _ => return Err(PageError::NotFound),
    };
    let begins = function == "/vestibule/begin";
    let (mut head, body) = request.into_parts();
    let form =
        Form::<IslandCall>::from_request(Request::from_parts(head.clone(), body), &app).await;
    let wrong =
        "the body is not a form with one token, which begin wants with again=true or again=false\n";
    let body = match form {
        Ok(Form(IslandCall { token, again, next })) if again.is_some() || !begins => {
            written(&token, again.filter(|_| begins), next.filter(|_| begins))
        }
        Ok(_) => return Ok((StatusCode::BAD_REQUEST, wrong).into_response()),
        Err(rejection) => {
            let status = unreadable(rejection.status()).status();
            return Ok((status, wrong).into_response());
        }
    };
    head.uri = Uri::from_static(function);
    head.headers
        .insert(header::CONTENT_LENGTH, body.len().into());
    let request = Request::from_parts(head, Body::from(body));

    let context = move || {
        let api = IslandBackend {
            app: app.clone(),
            visitor: visitor.clone(),
            response: expect_context(),
        };
        provide_context::<Arc<dyn IslandApi>>(Arc::new(api));
    };
    let mut response = handle_server_fns_with_context(context, request)
        .await
        .into_response();
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    Ok(response)
}

/// The call as Leptos reads it, which understands more kinds of forms than we mean.
fn written(token: &str, again: Option<bool>, next: Option<String>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token);
    if let Some(again) = again {
        form.append_pair("again", if again { "true" } else { "false" });
    }
    if let Some(next) = next {
        form.append_pair("next", &next);
    }
    form.finish()
}

struct IslandBackend {
    app: App,
    visitor: Visitor,
    response: ResponseOptions,
}

impl IslandApi for IslandBackend {
    fn begin(self: Arc<Self>, token: String, again: bool, next: Option<String>) -> Reply {
        Box::pin(async move {
            let token = self.read(&token)?;
            let next = next.and_then(|next| self.app.way_back(&next));
            let begun = begin::begin(&self.app, &self.visitor, token, again, next.as_ref()).await;
            let begun = begun.map_err(|error| match error {
                BeginError::Capped(cap) => self.capped(cap),
                BeginError::Store(error) => self.busy(&error),
            })?;
            let Some(begun) = begun else {
                self.response.set_status(StatusCode::UNPROCESSABLE_ENTITY);
                return Err(IslandApiError::NoCookie);
            };
            let set = set_pending(&self.app, &self.visitor, &begun.token, &begun.pending, &[]);
            for cookie in set {
                self.response.append_header(header::SET_COOKIE, cookie);
            }
            Ok(begun.report.with_channel_name())
        })
    }

    fn status(self: Arc<Self>, token: String) -> Reply {
        Box::pin(async move {
            let token = self.kept(&token)?;
            let session = self.visitor.session();
            let status = self
                .app
                .sign_ins
                .status(&token, self.visitor.pending(&token), session.as_ref())
                .await;
            status
                .map(Report::with_channel_name)
                .map_err(|error| self.busy(&error))
        })
    }

    fn cancel(self: Arc<Self>, token: String) -> Reply {
        Box::pin(async move {
            let token = self.kept(&token)?;
            let cancelled = self
                .app
                .links
                .cancel(&token, self.visitor.pending(&token))
                .await;
            cancelled
                .map(Report::with_channel_name)
                .map_err(|error| self.busy(&error))
        })
    }
}

impl IslandBackend {
    fn read(&self, token: &str) -> Result<Token, IslandApiError> {
        token.parse().map_err(|_| {
            self.response.set_status(StatusCode::NOT_FOUND);
            IslandApiError::Refused
        })
    }

    /// The token under which this browser's confirmation is kept.
    fn kept(&self, token: &str) -> Result<Token, IslandApiError> {
        let token = self.read(token)?;
        Ok(begin::kept_under(&self.app, &self.visitor, token))
    }

    fn busy(&self, error: &StoreError) -> IslandApiError {
        tracing::error!(%error, "a server function could not use the store");
        self.refuse(StatusCode::SERVICE_UNAVAILABLE);
        IslandApiError::Busy
    }

    fn capped(&self, cap: Capped) -> IslandApiError {
        self.refuse(error::capped_status(cap));
        match cap {
            Capped::Client | Capped::Links => IslandApiError::TooMany,
            Capped::All => IslandApiError::Busy,
        }
    }

    fn refuse(&self, status: StatusCode) {
        self.response.set_status(status);
        if let Some(after) = error::retry_after(status) {
            self.response.insert_header(header::RETRY_AFTER, after);
        }
    }
}

#[cfg(test)]
mod tests;
