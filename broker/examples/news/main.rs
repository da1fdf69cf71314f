//! An axum application that embeds the broker: news appear in each open window as they are
//! published.
//!
//! Start it with `cargo run -p vestibule-broker --example news` and open <http://127.0.0.1:3000/>
//! in two windows.

use axum::{
    Form, Json, Router,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{Html, Response},
    routing::{get, post},
};
use pusher::PusherBuilder;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::HashMap,
    future::IntoFuture as _,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{net::TcpListener, signal, sync::Semaphore};
use vestibule_broker::{AppSecret, Broker, BrokerConfig, QuotaError, SocketPermit, SocketQuota};

const APP_ID: &str = "news-app";
const KEY: &str = "news-key";
/// Private: a browser needs the application's signature to subscribe.
const CHANNEL: &str = "private-news";
/// How many sockets one network address may have.
const SOCKETS_OF_ADDRESS: usize = 10;

#[tokio::main]
async fn main() -> io::Result<()> {
    let public = TcpListener::bind("127.0.0.1:3000").await?;
    // Only this process publishes, so any free port of loopback will do.
    let internal = TcpListener::bind("127.0.0.1:0").await?;
    println!("open http://{}/ in two windows", public.local_addr()?);
    let secret = secret()?;
    let broker = Broker::new(config(public.local_addr()?, &secret));
    let routes = routes(&broker, internal.local_addr()?, &secret);
    let serve =
        async { tokio::try_join!(serve(public, routes), serve(internal, broker.api_routes())) };
    tokio::select! {
        served = serve => served.map(|_| ()),
        stopped = signal::ctrl_c() => {
            broker.close().await;
            stopped
        }
    }
}

async fn serve(listener: TcpListener, routes: Router) -> io::Result<()> {
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).into_future().await
}

/// A secret that only this process knows.
fn secret() -> io::Result<String> {
    let half = || getrandom::u64().map_err(io::Error::other);
    Ok(format!("{:016x}{:016x}", half()?, half()?))
}

/// The broker's application, whose pages are at `public`.
fn config(public: SocketAddr, secret: &str) -> BrokerConfig {
    let mut config = BrokerConfig::new(APP_ID, KEY, AppSecret::new(secret));
    config.origins = vec![format!("http://{public}")];
    config.public_channels = false;
    config
}

/// What browsers reach: the page, its endpoints, and the broker's sockets. News are published
/// through the broker's HTTP API at `api`. A real application also checks that its own pages have
/// sent these forms (`Sec-Fetch-Site`).
fn routes(broker: &Broker, api: SocketAddr, secret: &str) -> Router {
    let library = PusherBuilder::new(APP_ID, KEY, secret)
        .host(&api.to_string())
        .finalize();
    let library = Arc::new(library);
    let publish = {
        let library = Arc::clone(&library);
        async move |Form(item): Form<NewsItem>| match library
            .trigger(CHANNEL, "published", &item)
            .await
        {
            Ok(_) => Ok(StatusCode::NO_CONTENT),
            Err(error) => Err((StatusCode::BAD_GATEWAY, error)),
        }
    };
    // A real application checks here whether this user may subscribe to this channel.
    let authorise = async move |Form(form): Form<AuthForm>| {
        library
            .authenticate_private_channel(&form.channel_name, &form.socket_id)
            .ok()
            .and_then(|signed| serde_json::from_str::<Value>(&signed).ok())
            .map(Json)
            .ok_or(StatusCode::BAD_REQUEST)
    };
    let sockets = broker
        .socket_routes()
        .layer(from_fn_with_state(Addresses::default(), limit_sockets));
    Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/news", post(publish))
        .route("/pusher/auth", post(authorise))
        .merge(sockets)
}

#[derive(Deserialize, Serialize)]
struct NewsItem {
    text: String,
}

/// What a Pusher client sends to have a subscription signed.
#[derive(Deserialize)]
struct AuthForm {
    channel_name: String,
    socket_id: String,
}

/// The sockets that each network address may still open.
type Addresses = Arc<Mutex<HashMap<IpAddr, Arc<Semaphore>>>>;

/// The middleware that tells the broker how many sockets a client may have.
async fn limit_sockets(
    State(addresses): State<Addresses>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let places = {
        let mut addresses = addresses.lock().unwrap_or_else(PoisonError::into_inner);
        // Each open socket holds a permit, and with it the semaphore of its address.
        addresses.retain(|_, places| Arc::strong_count(places) > 1);
        let of_peer = addresses.entry(peer.ip());
        of_peer
            .or_insert_with(|| Arc::new(Semaphore::new(SOCKETS_OF_ADDRESS)))
            .clone()
    };
    request.extensions_mut().insert(SocketQuota::new(move |_| {
        let permit = Arc::clone(&places).try_acquire_owned();
        permit
            .map(SocketPermit::new)
            .map_err(|_| QuotaError::Client)
    }));
    next.run(request).await
}

#[cfg(test)]
mod tests;
