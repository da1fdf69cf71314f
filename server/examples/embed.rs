//! A shop with pages of its own, whose users sign in by links that it judges itself.
//!
//! `cargo xtask build`, then `cargo run -p vestibule-server --example embed`.

use axum::{Router, response::Html, routing::get};
use std::{error::Error, net::SocketAddr};
use vestibule_server::validator::{Identity, Reason, Token, ValidationError, Verdict};
use vestibule_server::{Mounted, RawSettings, SignedIn, StartError, StopSignals, Vestibule};

async fn judge(token: Token) -> Result<Verdict, ValidationError> {
    let ada = Identity::new("https://shop.example", "7").with_name("Ada");
    match token.expose() {
        "coupon-of-ada" => Ok(Verdict::Valid(ada, None)),
        _ => Ok(Verdict::Invalid(Reason::Invalid)),
    }
}

async fn home(user: Option<SignedIn>) -> Html<&'static str> {
    Html(match user {
        Some(_) => "Welcome back. <a href='/orders'>Your orders</a>",
        None => "Hello, stranger. <a href='/auth/confirm/coupon-of-ada'>Use a coupon</a>",
    })
}

async fn orders(user: SignedIn) -> String {
    format!("The orders of {}", user.display_name())
}

/// The shop, and what works behind its sign-ins.
pub async fn shop(settings: RawSettings) -> Result<(Router, Mounted), StartError> {
    let mounted = Vestibule::builder(settings)
        .validator(judge)
        .build()
        .await?;
    let app = Router::new()
        .route("/orders", get(orders))
        .route_layer(mounted.vestibule.require_user())
        .route("/", get(home))
        .layer(mounted.vestibule.layer())
        .merge(mounted.routes.clone());
    Ok((app, mounted))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let settings = RawSettings::from_environment()?.or([
        ("PUBLIC_URL", "http://127.0.0.1:3000/auth"),
        ("CONFIRM_REDIRECT", "/orders"),
    ])?;
    let (app, mounted) = shop(settings).await?;
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let stop = StopSignals::listen()?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(stop.received());
    serving.await?;
    mounted.running.shutdown().await;
    Ok(())
}
