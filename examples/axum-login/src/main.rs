//! A shop whose own logins are axum-login's. Vestibule signs people in; who arrives is logged in.
//!
//! `cargo xtask build`, then `cargo run -p example-axum-login`, and open
//! <http://127.0.0.1:3000/orders>.

use axum::extract::{Query, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::{Router, routing::get};
use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend};
use std::{collections::HashMap, convert::Infallible, error::Error, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::Mutex};
use tower_sessions::{MemoryStore, SessionManagerLayer, cookie::SameSite};
use vestibule_server::{RawSettings, SignedIn, StopSignals, Vestibule, validator::LocalPath};

/// A customer, as the shop knows them.
#[derive(Clone, Debug)]
struct Customer {
    id: String,
    name: String,
    /// Vestibule's session that they came with.
    session: String,
}

impl AuthUser for Customer {
    type Id = String;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.session.as_bytes()
    }
}

/// The shop's customers, by their ids. A real shop has a database.
#[derive(Clone, Default)]
struct Customers(Arc<Mutex<HashMap<String, Customer>>>);

impl AuthnBackend for Customers {
    type User = Customer;
    type Credentials = SignedIn;
    type Error = Infallible;

    async fn authenticate(&self, who: SignedIn) -> Result<Option<Customer>, Infallible> {
        let id = who.id().to_string();
        let name = who.display_name().to_owned();
        let session = who.session();
        let customer = Customer {
            id: id.clone(),
            name,
            session,
        };
        self.0.lock().await.insert(id, customer.clone());
        Ok(Some(customer))
    }

    async fn get_user(&self, id: &String) -> Result<Option<Customer>, Infallible> {
        Ok(self.0.lock().await.get(id).cloned())
    }
}

type Login = AuthSession<Customers>;

fn failed(_: axum_login::Error<Customers>) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

/// Logs in whom Vestibule has signed in, and leads on.
async fn arrive(
    Query(query): Query<HashMap<String, String>>,
    who: SignedIn,
    mut login: Login,
) -> Result<Redirect, StatusCode> {
    // Ends the login of the customer before, so that the new one has an id that no one knows.
    login.logout().await.map_err(failed)?;
    if let Some(customer) = login.authenticate(who).await.map_err(failed)? {
        login.login(&customer).await.map_err(failed)?;
    }
    // The author of a link chooses `next`: only a path on this host is followed.
    let next: Option<LocalPath> = query.get("next").and_then(|next| next.parse().ok());
    let next = next.as_ref().map_or("/orders", LocalPath::as_str);
    Ok(Redirect::to(next))
}

/// Lets only the customer in who came with Vestibule's present session; others arrive first.
async fn arrived(who: Option<SignedIn>, login: Login, request: Request, next: Next) -> Response {
    let came_with = login.user.map(|customer| customer.session);
    if came_with.is_some() && came_with == who.map(|who| who.session()) {
        return next.run(request).await;
    }
    let arrive = axum_login::url_with_redirect_query("/arrive", "next", request.uri().clone());
    let arrive = arrive.map_or_else(|_| "/arrive".to_owned(), |arrive| arrive.to_string());
    Redirect::to(&arrive).into_response()
}

async fn orders(login: Login) -> Html<String> {
    // Names are anyone's text: escape them, as a template engine does.
    let name = login.user.map(|customer| customer.name);
    let name = name
        .unwrap_or_default()
        .replace('&', "&amp;")
        .replace('<', "&lt;");
    // That ends the shop's login as well: it is good with that session alone.
    let form = "<form method=post action=/auth/logout><button>Sign out</button></form>";
    let html = format!("<!DOCTYPE html><title>Orders</title><h1>Orders of {name}</h1>{form}");
    Html(html)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let defaults = [
        ("PUBLIC_URL", "http://127.0.0.1:3000/auth"),
        ("CONFIRM_REDIRECT", "/arrive"),
    ];
    let settings = RawSettings::from_environment()?.or(defaults)?;
    let mounted = Vestibule::builder(settings).build().await?;
    // `Strict`, the default, would not be sent along when a link on another site is followed.
    let sessions = SessionManagerLayer::new(MemoryStore::default())
        .with_same_site(SameSite::Lax)
        .with_secure(false); // Behind https, leave this out, and call the cookie `__Host-shop`.
    let arrival = Router::new().route("/arrive", get(arrive));
    let app = Router::new()
        .route("/orders", get(orders))
        .route_layer(from_fn(arrived))
        .merge(arrival.route_layer(mounted.vestibule.require_user()))
        .layer(AuthManagerLayerBuilder::new(Customers::default(), sessions).build())
        .layer(mounted.vestibule.layer())
        .merge(mounted.routes);
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let listener = TcpListener::bind(address).await?;
    let stop = StopSignals::listen()?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(stop.received())
        .await?;
    mounted.running.shutdown().await;
    Ok(())
}
