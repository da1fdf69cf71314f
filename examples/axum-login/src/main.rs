//! A shop whose own logins are axum-login's. Vestibule signs people in; who arrives is logged in.
//!
//! `cargo xtask build`, then `cargo run -p example-axum-login`.

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{Html, Redirect};
use axum::{Router, routing::get, routing::post};
use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, login_required};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::{error::Error, net::SocketAddr};
use tower_sessions::{MemoryStore, SessionManagerLayer, cookie::SameSite};
use vestibule_server::{RawSettings, SignedIn, Vestibule, validator::LocalPath};

/// A customer, as the shop knows them.
#[derive(Clone, Debug)]
struct Customer {
    id: String,
    name: String,
}

impl AuthUser for Customer {
    type Id = String;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.id.as_bytes()
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
        let (id, name) = (who.id().to_string(), who.display_name().to_owned());
        let mut customers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        customers.insert(
            id.clone(),
            Customer {
                id: id.clone(),
                name,
            },
        );
        Ok(customers.get(&id).cloned())
    }

    async fn get_user(&self, id: &String) -> Result<Option<Customer>, Infallible> {
        let customers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(customers.get(id).cloned())
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
    if let Some(customer) = login.authenticate(who).await.map_err(failed)? {
        login.login(&customer).await.map_err(failed)?;
    }
    // Whoever makes a link chooses `next`: only a path on this host is followed.
    let next: Option<LocalPath> = query.get("next").and_then(|next| next.parse().ok());
    Ok(Redirect::to(
        next.as_ref().map_or("/orders", LocalPath::as_str),
    ))
}

async fn orders(login: Login) -> Html<String> {
    // Names are anyone's text: escape them, as a template engine does.
    let name = login
        .user
        .map_or_else(String::new, |customer| customer.name);
    let name = name.replace('&', "&amp;").replace('<', "&lt;");
    let form = "<form method=post action=/sign-out><button>Sign out</button></form>";
    Html(format!(
        "<!DOCTYPE html><title>Orders</title><h1>Orders of {name}</h1>{form}"
    ))
}

/// Ends the shop's login. The page that it leads to ends Vestibule's session.
async fn sign_out(mut login: Login) -> Result<Redirect, StatusCode> {
    login.logout().await.map_err(failed)?;
    Ok(Redirect::to("/auth/profile"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let defaults = [
        ("PUBLIC_URL", "http://127.0.0.1:3000/auth"),
        ("CONFIRM_REDIRECT", "/arrive"),
    ];
    let settings = RawSettings::from_environment()?.or(defaults)?;
    let vestibule = Vestibule::builder(settings).build().await?;
    // `Strict`, the default, would forget the login of whoever follows a link from elsewhere.
    let sessions = SessionManagerLayer::new(MemoryStore::default())
        .with_same_site(SameSite::Lax)
        .with_secure(false); // Leave this out behind https.
    let arrival = Router::new().route("/arrive", get(arrive));
    let app = Router::new()
        .route("/orders", get(orders))
        .route_layer(login_required!(Customers, login_url = "/arrive"))
        .route("/sign-out", post(sign_out))
        .merge(arrival.route_layer(vestibule.vestibule.require_user()))
        .layer(AuthManagerLayerBuilder::new(Customers::default(), sessions).build())
        .merge(vestibule.routes);
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    vestibule.running.shutdown().await;
    Ok(())
}
