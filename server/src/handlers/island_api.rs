//! The island's calls, for one request: its cookies in, the library's report out.

use crate::{
    handlers::begin::{self, set_pending},
    http::{
        client_address::client, cookies::RequestCookies, form::unreadable, response, state::Shared,
    },
};
use axum::{
    Form,
    body::Body,
    extract::{FromRequest as _, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use leptos::prelude::*;
use leptos_axum::{ResponseOptions, handle_server_fns_with_context};
use serde::Deserialize;
use std::sync::Arc;
use url::form_urlencoded;
use vestibule::{
    caps::{Capped, Client},
    outcome::Outcome as Decided,
    store::{BeginError, StoreError},
    token::Token,
    vestibule::{Progress as Known, Report as Reported},
};
use vestibule_app::api::{
    ApiError, Outcome, Progress, Report, Step,
    ssr::{Desk, Reply},
};

/// A call of the island, as its form says it.
#[derive(Deserialize)]
struct Call {
    token: String,
    again: Option<bool>,
}

/// Handles `/api/…`. A body that is none of the island's is refused here: Leptos would call it our
/// own mistake.
pub async fn server_functions(State(site): State<Shared>, request: Request<Body>) -> Response {
    let begins = match request.uri().path() {
        "/api/begin" => true,
        "/api/status" | "/api/cancel" => false,
        _ => return response::problem(&site, StatusCode::NOT_FOUND),
    };
    let (mut head, body) = request.into_parts();
    let form = Form::<Call>::from_request(Request::from_parts(head.clone(), body), &site).await;
    let wrong =
        "the body is not a form with one token, which begin wants with again=true or again=false\n";
    let body = match form {
        Ok(Form(Call { token, again })) if again.is_some() || !begins => {
            written(&token, again.filter(|_| begins))
        }
        Ok(_) => return (StatusCode::BAD_REQUEST, wrong).into_response(),
        Err(rejection) => return (unreadable(rejection.status()), wrong).into_response(),
    };
    head.headers
        .insert(header::CONTENT_LENGTH, body.len().into());
    let request = Request::from_parts(head, Body::from(body));

    let headers = request.headers().clone();
    let client = client(&site, request.extensions(), &headers);
    let context = move || {
        let desk = RequestDesk {
            site: Arc::clone(&site),
            headers: headers.clone(),
            client,
            response: expect_context(),
        };
        provide_context::<Arc<dyn Desk>>(Arc::new(desk));
    };
    let mut response = handle_server_fns_with_context(context, request)
        .await
        .into_response();
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    response
}

/// The call as Leptos reads it, which understands more kinds of forms than we mean.
fn written(token: &str, again: Option<bool>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token);
    if let Some(again) = again {
        form.append_pair("again", if again { "true" } else { "false" });
    }
    form.finish()
}

struct RequestDesk {
    site: Shared,
    headers: HeaderMap,
    client: Client,
    response: ResponseOptions,
}

impl Desk for RequestDesk {
    fn begin(self: Arc<Self>, token: String, again: bool) -> Reply {
        Box::pin(async move {
            let (token, cookies) = self.open(&token)?;
            let begun = begin::begin(&self.site, token, &cookies, again, self.client).await;
            let begun = begun.map_err(|error| match error {
                BeginError::Capped(cap) => self.capped(cap),
                BeginError::Store(error) => self.busy(&error),
            })?;
            let Some(begun) = begun else {
                self.response.set_status(StatusCode::UNPROCESSABLE_ENTITY);
                return Err(ApiError::NoCookie);
            };
            for cookie in set_pending(&self.site, &begun.token, &begun.pending, &cookies, &[]) {
                self.response.append_header(header::SET_COOKIE, cookie);
            }
            Ok(told(begun.report))
        })
    }

    fn status(self: Arc<Self>, token: String) -> Reply {
        Box::pin(async move {
            let (token, cookies) = self.kept(&token)?;
            let status = self
                .site
                .vestibule
                .status(
                    &token,
                    cookies.pending(self.site.vestibule.keys(), &token),
                    cookies.session().as_ref(),
                )
                .await;
            status.map(told).map_err(|error| self.busy(&error))
        })
    }

    fn cancel(self: Arc<Self>, token: String) -> Reply {
        Box::pin(async move {
            let (token, cookies) = self.kept(&token)?;
            let cancelled = self
                .site
                .links
                .cancel(&token, cookies.pending(self.site.vestibule.keys(), &token))
                .await;
            cancelled.map(told).map_err(|error| self.busy(&error))
        })
    }
}

impl RequestDesk {
    fn open(&self, token: &str) -> Result<(Token, RequestCookies), ApiError> {
        let token: Token = token.parse().map_err(|_| {
            self.response.set_status(StatusCode::NOT_FOUND);
            ApiError::Refused
        })?;
        Ok((token, self.site.cookies_of(&self.headers)))
    }

    /// The same, under the token with which this browser's confirmation is kept.
    fn kept(&self, token: &str) -> Result<(Token, RequestCookies), ApiError> {
        let (token, cookies) = self.open(token)?;
        Ok((begin::kept_under(&self.site, token, &cookies), cookies))
    }

    fn busy(&self, error: &StoreError) -> ApiError {
        tracing::error!(%error, "a server function could not use the store");
        self.refuse(StatusCode::SERVICE_UNAVAILABLE);
        ApiError::Busy
    }

    fn capped(&self, cap: Capped) -> ApiError {
        self.refuse(response::capped_status(cap));
        match cap {
            Capped::Client | Capped::Links => ApiError::TooMany,
            Capped::All => ApiError::Busy,
        }
    }

    fn refuse(&self, status: StatusCode) {
        self.response.set_status(status);
        if let Some(after) = response::retry_after(status) {
            self.response.insert_header(header::RETRY_AFTER, after);
        }
    }
}

fn told(report: Reported) -> Report {
    let progress = match report.progress {
        Known::Unknown => Progress::Unknown,
        Known::Queued => Progress::Waiting { step: Step::Queued },
        Known::Contacting => Progress::Waiting {
            step: Step::Contacting,
        },
        Known::Retrying { attempt } => Progress::Waiting {
            step: Step::Retrying { attempt },
        },
        Known::Done(outcome) => Progress::Done {
            outcome: outcome_told(outcome),
        },
    };
    Report {
        channel: report
            .channel
            .map(|channel| channel.to_string())
            .unwrap_or_default(),
        progress,
    }
}

fn outcome_told(outcome: Decided) -> Outcome {
    match outcome {
        Decided::Confirmed { redirect } => Outcome::Confirmed {
            redirect: redirect.to_string(),
        },
        Decided::Rejected { reason, redirect } => Outcome::Rejected {
            reason: reason.as_str().to_owned(),
            redirect: redirect.to_string(),
        },
        Decided::Unavailable => Outcome::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule::{
        confirmation::Ending, confirmation::Rejection, outcome::Destinations, user::UserId,
    };

    #[test]
    fn what_is_pushed_reads_as_what_is_answered() {
        let destinations = Destinations::default();
        let endings = Rejection::ALL.map(Ending::Rejected);
        for ending in endings.into_iter().chain([
            Ending::Confirmed(UserId::from_bytes([1; 16])),
            Ending::Unavailable,
        ]) {
            let outcome = destinations.outcome(ending);
            let pushed = serde_json::to_string(&outcome).unwrap();
            assert_eq!(
                serde_json::from_str::<Outcome>(&pushed).unwrap(),
                outcome_told(outcome)
            );
        }
    }
}
