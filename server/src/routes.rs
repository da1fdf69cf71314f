//! All addresses, on one page.

use crate::{
    config::return_path,
    handlers::{
        approve, confirm, enter, files, health, home, island_api, login, logout, magic_link,
        mailbox, profile, pusher_auth, require_user, switch_account,
    },
    http::{
        client_address, csrf, error, form, listener, run_to_completion, security_headers,
        state::App,
    },
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware::{Next, from_fn, from_fn_with_state, map_response_with_state},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use tokio::time::timeout;

/// The pages, forms and calls of `app`, its static files, and the broker's `sockets`.
pub fn routes(app: App, sockets: Router) -> Router {
    let pages = Router::new()
        .route("/", get(home::home))
        .route("/confirm/{token}", get(confirm::land).post(confirm::begin))
        .route("/confirm/{token}/wait", get(confirm::wait))
        .route(
            "/confirm/{token}/cancel",
            get(home::page_of_form).post(confirm::cancel),
        )
        .route(
            "/confirm/{token}/pick",
            get(home::page_of_form).post(approve::pick),
        )
        .route("/login/link", get(home::page_of_form).post(magic_link::ask))
        .route("/login/wait/{token}", get(magic_link::wait))
        .route(
            "/login/wait/{token}/code",
            get(home::page_of_form).post(magic_link::code),
        )
        .route(
            "/login/wait/{token}/again",
            get(home::page_of_form).post(magic_link::again),
        )
        .route("/practice/mail", get(mailbox::mailbox))
        .route("/login", get(login::login_page).post(login::login))
        .route("/logout", get(home::first_page).post(logout::logout))
        .route(
            "/profile/sessions/end",
            get(home::first_page).post(profile::end_sessions),
        )
        .route("/readyz", get(health::readyz))
        .fallback(home::not_found)
        .method_not_allowed_fallback(home::not_found);
    let needing_freshness = Router::new()
        .route(
            "/profile/password",
            get(profile::password::show).post(profile::password::set),
        )
        .route(
            "/profile/address",
            get(profile::address::show).post(profile::address::ask),
        )
        .route(
            "/profile/address/{ticket}",
            get(profile::address::land).post(profile::address::change),
        )
        .route_layer(from_fn_with_state(app.clone(), require_user::require_fresh));
    let needing_a_user = Router::new()
        .route("/profile", get(profile::profile))
        .route(return_path::ENTER, get(enter::enter))
        .merge(needing_freshness)
        .route_layer(from_fn_with_state(app.clone(), require_user::require_user))
        .route(
            "/continue",
            get(home::first_page).post(switch_account::choose),
        )
        .route_layer(from_fn(form::read_first));
    let scripts_only = Router::new()
        .route("/api/{*function}", post(island_api::server_functions))
        .route("/pusher/auth", post(pusher_auth::authorise))
        .route_layer(from_fn(csrf::scripts_only));
    let files = Router::new()
        .route(
            &format!("/{}/{{*file}}", app.pages.client_folder()),
            get(files::show),
        )
        .route("/favicon.svg", get(files::show))
        .route("/favicon.ico", get(files::show))
        .with_state(app.clone());
    pages
        .merge(needing_a_user)
        .merge(scripts_only)
        .layer(from_fn(run_to_completion::to_the_end))
        .layer(DefaultBodyLimit::max(form::MAX_FORM))
        .with_state(app.clone())
        .merge(files)
        .merge(sockets)
        .route("/healthz", get(|| async { "ok" }))
        .layer(from_fn_with_state(app.clone(), csrf::guard))
        .layer(map_response_with_state(app.clone(), error::render))
        .layer(from_fn_with_state(app.clone(), client_address::identify))
        .layer(from_fn(within))
        .layer(from_fn_with_state(app, security_headers::headers))
}

/// The middleware that ends what takes too long: a body that stops in the middle would hold its
/// place for ever.
async fn within(request: Request, next: Next) -> Response {
    let answered = timeout(listener::ANSWER_WITHIN, next.run(request)).await;
    answered.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, Bytes};
    use futures_util::stream;
    use std::convert::Infallible;
    use tokio::time::Instant;
    use tower::ServiceExt as _;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_in_the_middle_is_given_up() {
        let routes = Router::new()
            .route("/", post(async |_: Bytes| "read"))
            .layer(from_fn(within));
        let start = Instant::now();
        let endless = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let answer = routes
            .oneshot(Request::post("/").body(endless).unwrap())
            .await
            .unwrap();
        assert_eq!(
            (answer.status(), start.elapsed()),
            (StatusCode::REQUEST_TIMEOUT, listener::ANSWER_WITHIN)
        );
    }
}
