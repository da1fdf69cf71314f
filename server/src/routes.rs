//! All addresses, on one page.

use crate::{
    handlers::{
        approve, confirm, enter, files, health, home, island_api, login, logout, magic_link,
        mailbox, profile, pusher_auth, require_user, switch_account, v1,
    },
    http::{
        client_address, csrf, error, form, listener, response, run_to_completion, security_headers,
        state::App,
    },
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, OriginalUri, Request, State},
    http::StatusCode,
    middleware::{Next, from_fn, from_fn_with_state, map_response_with_state},
    response::{IntoResponse, Response},
    routing::{MethodRouter, Route, any, get, post},
};
use std::{convert::Infallible, sync::Arc};
use tokio::time::timeout;
use tower::{Layer, Service};
use vestibule::path::Base;

/// The pages, forms and calls of `app`, its static files, and the broker's `sockets`. Whatever else
/// is asked for is not found.
pub fn routes(app: App, sockets: Router) -> Router {
    let home = get(home::home).with_state(app.clone());
    let base = app.destinations().base();
    let mut routes = below_base(&app, sockets, |pages| pages.fallback(home::not_found));
    if !base.as_str().is_empty() {
        routes = under(base, routes, home).fallback(home::not_found);
    }
    routes.layer(of_each_answer(app))
}

/// The same for an application, to merge with its own: nothing outside the base is answered or
/// changed. There is no fallback, for a layer would go around the application's as well; each
/// address is a route, so that axum refuses one that the application has too.
pub fn routes_in_application(app: App, sockets: Router) -> Router {
    let base = app.destinations().base().clone();
    let home = get(home::home).with_state(app.clone());
    let routes = below_base(&app, sockets, |pages| {
        pages.route("/{*unknown}", any(home::not_found))
    });
    let carried = CarriedBase(base.as_str().into());
    under(&base, routes, home)
        .route_layer(of_each_answer(app))
        .route_layer(from_fn_with_state(carried, check_mounted))
}

/// The base that the routes of an application carry.
#[derive(Clone)]
struct CarriedBase(Arc<str>);

/// The middleware that notices routes which were nested under another path than their own: all
/// links and redirects would lead to where nothing is.
async fn check_mounted(
    State(CarriedBase(base)): State<CarriedBase>,
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Response {
    let below = uri.path().strip_prefix(&*base);
    if below.is_some_and(|below| below.is_empty() || below.starts_with('/')) {
        return next.run(request).await;
    }
    // Not what was asked for: that has a token in it.
    let problem = format!(
        "Vestibule's routes already carry the path of PUBLIC_URL, {base}, and were nested below \
         another one: merge them into the outermost router"
    );
    tracing::error!("{problem}");
    (StatusCode::INTERNAL_SERVER_ERROR, problem).into_response()
}

/// What lies below the base. The pages get what answers for an `unknown` address.
fn below_base(
    app: &App,
    sockets: Router,
    unknown: impl FnOnce(Router<App>) -> Router<App>,
) -> Router {
    let pages = Router::new()
        .route("/", get(home::home))
        .route("/confirm/{token}", post(confirm::begin))
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
        .route("/v1/session", get(v1::session))
        .route("/.well-known/jwks.json", get(v1::jwks))
        .method_not_allowed_fallback(home::not_found);
    let pages = unknown(pages);
    let account = Router::new()
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
    let account = if app.account_pages {
        account
    } else {
        Router::new()
    };
    let needing_a_user = Router::new()
        .route("/profile", get(profile::profile))
        .route(enter::ENTER, get(enter::enter))
        .merge(account)
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
        // It writes nothing but when a session was last used, which may be cut short.
        .route("/confirm/{token}", get(confirm::land))
        .layer(DefaultBodyLimit::max(form::MAX_FORM))
        .with_state(app.clone())
        .merge(files)
        .merge(sockets)
        .route("/healthz", get(|| async { "ok" }))
        .layer(from_fn_with_state(app.clone(), csrf::check_origin))
        .merge(validator_callbacks(app.clone()))
        .layer(from_fn_with_state(
            app.clone(),
            client_address::limit_under_way,
        ))
        .merge(asked_by_proxies(app.clone()))
}

/// What all answers have in common, the outermost first.
fn of_each_answer(
    app: App,
) -> impl Layer<
    Route,
    Service: Service<
        Request,
        Response: IntoResponse + 'static,
        Error: Into<Infallible> + 'static,
        Future: Send + 'static,
    > + Clone
                 + Send
                 + Sync
                 + 'static,
> + Clone
+ Send
+ Sync
+ 'static {
    (
        from_fn_with_state(app.clone(), security_headers::headers),
        from_fn(within),
        from_fn_with_state(app.clone(), client_address::identify),
        map_response_with_state(app.clone(), error::render),
        from_fn_with_state(app.clone(), csrf::check_host),
        map_response_with_state(app, response::put_base),
    )
}

/// What a proxy asks about each request of the application. It has the method and the origin of
/// that request, and one proxy asks for all clients: neither is checked or counted.
fn asked_by_proxies(app: App) -> Router {
    Router::new()
        .route("/v1/authorize", any(v1::authorize))
        .route("/v1/authorize/", any(v1::authorize))
        .route("/v1/authorize/{*wanted}", any(v1::authorize))
        .with_state(app)
}

/// What the validator calls. It is no browser: its signature alone says whose the callback is.
fn validator_callbacks(app: App) -> Router {
    Router::new()
        .route("/v1/verdicts", any(home::not_found).post(v1::verdicts))
        .with_state(app)
}

/// These routes, under the base. Its own address is that of the `home`, with and without a slash.
fn under(base: &Base, routes: Router, home: MethodRouter) -> Router {
    let base = base.as_str();
    Router::new()
        .route(&format!("{base}/"), home)
        .nest(base, routes)
}

/// The middleware that ends what takes too long: a body that stops in the middle would hold its
/// place for ever.
pub async fn within(request: Request, next: Next) -> Response {
    let answered = timeout(listener::ANSWER_WITHIN, next.run(request)).await;
    answered.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{PRACTICE_USER, TestApp, TestResponse};
    use axum::body::{Body, Bytes};
    use futures_util::stream;
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

    /// Where the links and forms of a page lead, with what it loads.
    fn addresses(page: &TestResponse) -> Vec<&str> {
        ["href=\"", "action=\"", "src=\"", "import(\"", "from \""]
            .into_iter()
            .flat_map(|start| page.body.split(start).skip(1))
            .filter_map(|rest| rest.split('"').next())
            .filter(|address| !address.starts_with('#'))
            .collect()
    }

    #[tokio::test]
    async fn all_that_a_page_names_lies_below_the_base() {
        let app = TestApp::with(&[("PUBLIC_URL", "http://127.0.0.1:3000/a/auth")]).await;
        let mut browser = app.browser();
        let mut stranger = app.browser();
        let mailed = stranger
            .submit("/a/auth/login/link", &[("email", "ada@example.com")])
            .await;
        let mailed = mailed.location().unwrap().to_owned();
        let mut pages = vec![
            stranger.open(&mailed).await,
            stranger.open("/a/auth/login?next=/orders").await,
        ];
        browser
            .submit("/a/auth/login", &PRACTICE_USER)
            .await
            .assert_leads_to("/a/auth/profile");
        for path in [
            "",
            "/",
            "/login?again=1",
            "/confirm/valid-1",
            "/confirm/valid-1/wait",
            "/practice/mail",
            "/profile",
            "/profile/password",
            "/profile/address",
            "/profile/address/x",
            "/nowhere",
        ] {
            let page = browser.open(&format!("/a/auth{path}")).await;
            let expected = match path {
                "/nowhere" => 404,
                "/profile/address/x" => 410,
                _ => 200,
            };
            pages.push(page.assert_status(expected));
        }
        pages.push(browser.open("/nowhere").await);
        for page in pages {
            let addresses = addresses(&page);
            assert!(addresses.len() > 2, "{page:#?}");
            let other = |address: &&&str| {
                !address.starts_with("/a/auth/")
                    && !address.starts_with("http://127.0.0.1:3000/a/auth/")
            };
            assert_eq!(addresses.iter().find(other), None, "{page:#?}");
        }
    }

    #[tokio::test]
    async fn every_redirect_to_a_page_of_ours_leads_below_the_base() {
        let app = TestApp::with(&[("PUBLIC_URL", "http://127.0.0.1:3000/auth")]).await;
        let mut browser = app.browser();
        for (path, leads) in [
            ("/auth/profile", "/auth/login?next=%2Fauth%2Fprofile"),
            ("/auth/enter?next=/orders", "/auth/login?next=%2Forders"),
            ("/auth/enter?next=/auth/logout", "/auth/login"),
            ("/auth/logout", "/auth/profile"),
            ("/auth/confirm/valid-1/cancel", "/auth/confirm/valid-1"),
            ("/auth/confirm/valid-1.&gt;", "/auth/confirm/valid-1."),
        ] {
            browser.open(path).await.assert_leads_to(leads);
        }
        let begun = browser.submit("/auth/confirm/valid-1", &[]).await;
        let begun = begun.location().map(str::to_owned);
        assert_eq!(begun, None, "the browser has no cookie of the landing");
        browser.open("/auth/confirm/valid-1").await;
        browser
            .submit("/auth/confirm/valid-1", &[])
            .await
            .assert_leads_to("/auth/confirm/valid-1/wait");
        browser
            .submit("/auth/logout", &[])
            .await
            .assert_leads_to("/auth/login");
    }

    #[tokio::test]
    async fn nothing_of_ours_becomes_a_service_worker() {
        let app = TestApp::start().await;
        let mut browser = app.browser().sending("service-worker", "script");
        for path in ["/login", "/favicon.svg", "/nowhere", "/healthz"] {
            browser.open(path).await.assert_status(403);
        }
        // It is the application's own that a proxy asks about.
        browser.open("/v1/authorize").await.assert_status(401);
    }

    #[tokio::test]
    async fn what_is_not_below_the_base_is_not_ours() {
        let app = TestApp::with(&[("PUBLIC_URL", "http://127.0.0.1:3000/auth")]).await;
        let mut browser = app.browser();
        for path in [
            "/",
            "/login",
            "/healthz",
            "/confirm/valid-1",
            "/favicon.svg",
            "/authlogin",
        ] {
            browser
                .open(path)
                .await
                .assert_status(404)
                .assert_sets_nothing();
        }
        browser
            .open("/auth/healthz")
            .await
            .assert_status(200)
            .assert_says("ok");
    }
}
