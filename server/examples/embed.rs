//! Vestibule inside an application of your own: its routes beside yours.
//!
//! Vestibule has a page at `/`, a fallback, and the addresses in `server/src/routes.rs`: an
//! application that has one of these too cannot be merged with it (axum panics). The page `/hello`
//! shows that both are served, no more: nothing tells it yet who has signed in.
//!
//! ```text
//! cargo xtask build
//! cargo run -p vestibule-server --example embed
//! ```

use axum::{Router, routing::get};
use std::{error::Error, net::SocketAddr};
use tokio::net::TcpListener;
use vestibule_server::{Config, config::RawSettings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    let mut config = Config::read(&RawSettings::from_environment()?)?;
    config.addr = listener.local_addr()?;

    let (sign_ins, running) = vestibule_server::router(config).await?;
    let app = Router::new()
        .route(
            "/hello",
            get(|| async { "A page of the application itself." }),
        )
        .merge(sign_ins);

    println!(
        "listening on http://{}; open /hello, or a practice link at /",
        listener.local_addr()?
    );
    // With who connects, because each network address has a cap of its own.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    running.shutdown().await;
    Ok(())
}
