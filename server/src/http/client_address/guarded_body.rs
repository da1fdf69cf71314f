//! A body that holds something until it has been sent, or given up.

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// A body that drops what it holds when it is dropped itself.
pub struct GuardedBody<T> {
    body: Body,
    _held: T,
}

impl<T> GuardedBody<T> {
    /// The same `body`, which holds `held`.
    pub const fn new(body: Body, held: T) -> Self {
        Self { body, _held: held }
    }
}

impl<T: Unpin> HttpBody for GuardedBody<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use std::sync::Arc;

    #[tokio::test]
    async fn what_a_body_holds_is_held_until_it_is_sent_or_given_up() {
        let held = Arc::new(());
        let body = GuardedBody::new(Body::from("four"), Arc::clone(&held));
        assert_eq!(
            body.size_hint().exact(),
            Some(4),
            "its length is still known"
        );
        assert_eq!(Arc::strong_count(&held), 2);
        let sent = to_bytes(Body::new(body), 9).await.expect("it can be read");
        assert_eq!((&*sent, Arc::strong_count(&held)), (&b"four"[..], 1));
        drop(GuardedBody::new(Body::from("more"), Arc::clone(&held)));
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
