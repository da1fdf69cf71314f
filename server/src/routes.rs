//! All addresses, on one page.

use crate::{
    account, client, confirm, desk, enter, entering, finish, guard, home, links, page, profile, pusher_auth, ready,
    site::Shared,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, header},
    middleware::{from_fn, from_fn_with_state, map_response},
    response::Response,
    routing::{get, post},
};
use tower_http::services::{ServeDir, ServeFile};

/// The pages, forms and calls of `site`, its static files, and the broker's `sockets`.
pub fn routes(site: Shared, sockets: Router) -> Router {
    let root = std::path::Path::new(&*site.leptos.site_root).to_owned();
    let pages = Router::new()
        .route("/", get(home::home))
        .route("/confirm/{token}", get(confirm::land).post(confirm::begin))
        .route("/confirm/{token}/wait", get(confirm::wait))
        .route("/confirm/{token}/cancel", get(home::page_of_form).post(confirm::cancel))
        .route("/confirm/{token}/pick", get(home::page_of_form).post(links::pick))
        .route("/login/link", get(home::page_of_form).post(links::ask))
        .route("/login/wait/{token}", get(links::wait))
        .route("/login/wait/{token}/code", get(home::page_of_form).post(links::code))
        .route("/login/wait/{token}/again", get(home::page_of_form).post(links::again))
        .route("/practice/mail", get(links::mailbox))
        .route("/login", get(account::login_page).post(account::login))
        .route("/logout", get(home::first_page).post(account::logout))
        .route("/profile/sessions/end", get(home::first_page).post(profile::end_sessions))
        .route("/readyz", get(ready::readyz))
        .fallback(home::not_found)
        .method_not_allowed_fallback(home::not_found);
    let needing_freshness = Router::new()
        .route("/profile/password", get(profile::password::show).post(profile::password::set))
        .route("/profile/address", get(profile::address::show).post(profile::address::ask))
        .route("/profile/address/{ticket}", get(profile::address::land).post(profile::address::change))
        .route_layer(from_fn_with_state(site.clone(), entering::require_fresh));
    let needing_a_user = Router::new()
        .route("/profile", get(profile::profile))
        .route(enter::PATH, get(enter::enter))
        .merge(needing_freshness)
        .route_layer(from_fn_with_state(site.clone(), entering::require_user))
        .route("/continue", get(home::first_page).post(account::choose))
        .route_layer(from_fn(finish::to_the_end))
        .route_layer(from_fn_with_state(site.clone(), finish::read_first));
    let scripts_only = Router::new()
        .route("/api/{*function}", post(desk::server_functions))
        .route("/pusher/auth", post(pusher_auth::authorise))
        .route_layer(from_fn_with_state(site.clone(), guard::scripts_only));
    let files = Router::new()
        .nest_service("/pkg", ServeDir::new(root.join(&*site.leptos.site_pkg_dir)).precompressed_br())
        .route_service("/favicon.svg", ServeFile::new(root.join("favicon.svg")))
        .route_service("/favicon.ico", ServeFile::new(root.join("favicon.ico")))
        // Asked about each time, answered by 304: their names stay the same when they change.
        .layer(map_response(async |mut response: Response| {
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }));
    let sockets = sockets.layer(from_fn_with_state(site.clone(), client::note));
    pages
        .merge(needing_a_user)
        .merge(scripts_only)
        .layer(DefaultBodyLimit::max(finish::MAX_FORM))
        .with_state(site.clone())
        .merge(files)
        .merge(sockets)
        .route("/healthz", get(|| async { "ok" }))
        .layer(from_fn_with_state(site.clone(), guard::guard))
        .layer(from_fn_with_state(site, client::span))
        .layer(map_response(async |mut response: Response| {
            for (name, value) in page::EVERYWHERE {
                response.headers_mut().entry(name).or_insert(value);
            }
            response
        }))
}
