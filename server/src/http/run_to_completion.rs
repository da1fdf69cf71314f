//! Requests that are answered in full even if the client disconnects.

use axum::{extract::Request, middleware::Next, response::Response};
use std::panic::resume_unwind;
use tracing::Instrument as _;

/// The middleware around everything that may change something. A closed connection would cancel its
/// request; with this, a change that has begun is finished, logged and reported by mail all the
/// same. An attacker who guesses a secret and hangs up must not go unnoticed.
///
/// Until then it counts for its client: it holds what the request brings, such as the place of its
/// connection.
pub async fn to_the_end(request: Request, next: Next) -> Response {
    let counted = request.extensions().clone();
    let answer = async move {
        let response = next.run(request).await;
        drop(counted);
        response
    };
    finish(answer).await
}

/// What `work` comes to, which is finished even if its caller is gone.
pub async fn finish<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work.in_current_span()).await {
        Ok(done) => done,
        Err(error) => resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, http::Method, middleware::from_fn, routing::post};
    use std::{sync::Arc, time::Duration};
    use tokio::sync::Notify;
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn what_has_begun_is_finished_although_its_caller_is_gone() {
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
        let place = Arc::new(());
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::POST;
        request.extensions_mut().insert(Arc::clone(&place));
        let request = app.oneshot(request);
        tokio::select! {
            answer = request => panic!("it waits: {answer:?}"),
            () = begun.notified() => {}
        }
        // The connection has been closed, and the request with it; it still holds its place.
        assert_eq!(Arc::strong_count(&place), 2);
        go_on.notify_one();
        let finished = tokio::time::timeout(Duration::from_secs(30), done.notified()).await;
        assert!(finished.is_ok(), "the handler was given up");
    }
}
