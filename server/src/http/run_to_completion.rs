//! Requests that are answered in full even if the client disconnects.

use axum::{extract::Request, middleware::Next, response::Response};
use std::panic::resume_unwind;
use tracing::Instrument as _;

/// The middleware around whatever may change something. A connection that is closed takes its
/// request with it; what has begun to be changed is finished, and told of in the log and by mail,
/// all the same. Whoever guesses and hangs up is not to hide it.
pub async fn to_the_end(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        Err(error) => resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, middleware::from_fn, routing::post};
    use std::{sync::Arc, time::Duration};
    use tokio::sync::Notify;
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn what_has_begun_is_finished_although_nobody_waits_for_it_any_more() {
        let begun = Arc::<Notify>::default();
        let go_on = Arc::<Notify>::default();
        let done = Arc::<Notify>::default();
        let handler_begun = begun.clone();
        let handler_goes_on = go_on.clone();
        let handler_done = done.clone();
        let handler = async move || {
            handler_begun.notify_one();
            handler_goes_on.notified().await;
            handler_done.notify_one();
        };
        let app = Router::new()
            .route("/", post(handler))
            .layer(from_fn(to_the_end));
        let request = app.oneshot(Request::post("/").body(Body::empty()).expect("a request"));
        tokio::select! {
            answer = request => panic!("it waits: {answer:?}"),
            () = begun.notified() => {}
        }
        // The connection has been closed, and the request with it.
        go_on.notify_one();
        let finished = tokio::time::timeout(Duration::from_secs(30), done.notified()).await;
        assert!(finished.is_ok(), "the handler was given up");
    }
}
