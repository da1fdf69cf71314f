//! The private listener, `OPS_ADDR`: what is for operators and tests, and for no browser.

use crate::{
    handlers::health,
    http::{listener, state::App},
    practice::control::{self, PracticeTools},
    routes::within,
    startup::{error::StartProblem, tasks::BackgroundTasks},
};
use axum::{
    Router,
    http::{StatusCode, header},
    middleware::from_fn,
    response::IntoResponse,
    routing::get,
};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// The private listener, bound before anything is written or started.
pub struct PrivateListener {
    listener: TcpListener,
    addr: SocketAddr,
}

impl PrivateListener {
    /// Listens at `addr`.
    ///
    /// # Errors
    /// [`StartProblem::Ops`] if the address is taken.
    pub fn bind(addr: SocketAddr) -> Result<Self, StartProblem> {
        let cannot_listen = |error| StartProblem::Ops(addr, error);
        let listener = listener::bind(addr).map_err(cannot_listen)?;
        let addr = listener.local_addr().map_err(cannot_listen)?;
        Ok(Self { listener, addr })
    }

    /// Serves as one of `tasks`, with the control of practice mode if it has the tools for that.
    pub fn start(self, app: App, tools: Option<PracticeTools>, tasks: &mut BackgroundTasks) {
        let routes = routes(self.addr, app, tools);
        let stop = tasks.stop_rest.clone();
        tasks.ops_addr = Some(self.addr);
        tasks
            .tasks
            .spawn(listener::serve(self.listener, routes, stop));
    }
}

/// What is served at `addr`: the control of practice mode is there only where it has the tools for
/// it, and on loopback.
fn routes(addr: SocketAddr, app: App, tools: Option<PracticeTools>) -> Router {
    let health = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(health::readyz))
        .with_state(app.clone());
    let control = within_reach(addr, tools).map(|tools| control::routes(app, tools));
    health
        .merge(control.unwrap_or_default())
        .fallback(async || not_found())
        .layer(from_fn(within))
}

/// The tools, where only this machine reaches them.
fn within_reach(addr: SocketAddr, tools: Option<PracticeTools>) -> Option<PracticeTools> {
    tools.filter(|_| addr.ip().is_loopback())
}

fn not_found() -> impl IntoResponse {
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (StatusCode::NOT_FOUND, headers, "there is nothing here\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::practice::PracticeClock;
    use std::sync::Arc;
    use vestibule::clock::SystemClock;

    #[test]
    fn practice_mode_is_controlled_on_loopback_only_whatever_the_settings_say() {
        let tools = PracticeTools {
            script: Arc::default(),
            clock: Arc::new(PracticeClock::new(Arc::new(SystemClock))),
        };
        for (addr, reached) in [
            ("127.0.0.1:3080", true),
            ("[::1]:3080", true),
            ("0.0.0.0:3080", false),
            ("192.0.2.7:3080", false),
            ("[::]:3080", false),
        ] {
            let tools = within_reach(addr.parse().unwrap(), Some(tools.clone()));
            assert_eq!(tools.is_some(), reached, "{addr}");
        }
    }
}
