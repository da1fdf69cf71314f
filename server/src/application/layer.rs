//! The layers around the application's routes.

use super::{Vestibule, admission::let_in, landing, signed_in::SignedIn};
use crate::http::response;
use axum::{
    extract::Request,
    http::{HeaderValue, header},
    response::Response,
};
use futures_util::future::BoxFuture;
use http_body::Body as _;
use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};
use tower::{Layer, Service};
use vestibule_app::island::Landing;

/// A layer of [`Vestibule`]'s.
#[derive(Clone, Debug)]
pub struct SignInLayer {
    vestibule: Vestibule,
    requirement: Requirement,
}

/// The service that a [`SignInLayer`] makes of another.
#[derive(Clone, Debug)]
pub struct SignInService<S> {
    inner: S,
    layer: SignInLayer,
}

/// Who may go on to the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requirement {
    /// Everybody.
    Anyone,
    /// A user.
    User,
    /// A user who has signed in a short while ago.
    FreshUser,
}

/// What a layer leaves in a request for the extractors.
#[derive(Clone)]
pub(super) struct Asker {
    /// Whom to ask.
    pub(super) vestibule: Vestibule,
    /// The user, if it is known already.
    pub(super) user: Option<SignedIn>,
    /// Whether it had to be one.
    pub(super) required: bool,
    /// Whether anything has asked.
    pub(super) asked: Arc<AtomicBool>,
}

impl SignInLayer {
    pub(super) const fn new(vestibule: Vestibule, requirement: Requirement) -> Self {
        Self {
            vestibule,
            requirement,
        }
    }

    /// Prepares `request` for the application. Its response gets the cookies.
    ///
    /// # Errors
    /// The answer that takes the place of the application's.
    async fn prepare(
        &self,
        request: Request,
        asked: Arc<AtomicBool>,
    ) -> Result<(Request, Vec<HeaderValue>), Response> {
        let (mut head, body) = request.into_parts();
        let before = head.extensions.get::<Asker>();
        let before = before.filter(|before| before.vestibule.is(&self.vestibule));
        let mut required = before.is_some_and(|before| before.required);
        let mut user = before.and_then(|before| before.user.clone());
        let mut cookies = Vec::new();
        if self.requirement != Requirement::Anyone {
            if head.extensions.get::<Landing>().is_some() {
                return Err(landing::misplaced(landing::NEEDS_A_USER));
            }
            required = true;
            let (known, set) = let_in(&self.vestibule, self.requirement, user, &mut head).await?;
            user = Some(known);
            cookies = set;
            asked.store(true, Ordering::Relaxed);
        }
        head.extensions.insert(Asker {
            vestibule: self.vestibule.clone(),
            user,
            required,
            asked,
        });
        Ok((Request::from_parts(head, body), cookies))
    }
}

/// The application's `response`, with our `cookies`. A secret must not come out of any cache, nor a
/// user's page out of one that others share.
///
/// A page that is sent while it is made, as Leptos does, may ask who is `known` after its head has
/// gone.
fn finished(
    mut response: Response,
    cookies: Vec<HeaderValue>,
    asked: &AtomicBool,
    known: bool,
) -> Response {
    let may_still_ask = known && response.body().size_hint().exact().is_none();
    let headers = response.headers_mut();
    if !cookies.is_empty() {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    } else if asked.load(Ordering::Relaxed) || may_still_ask {
        let private = HeaderValue::from_static("private, no-cache");
        headers.entry(header::CACHE_CONTROL).or_insert(private);
    }
    response::with_cookies(response, cookies)
}

impl<S> Layer<S> for SignInLayer {
    type Service = SignInService<S>;

    fn layer(&self, inner: S) -> SignInService<S> {
        SignInService {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S> Service<Request> for SignInService<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that is ready; its clone may not be.
        let another = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, another);
        let layer = self.layer.clone();
        Box::pin(async move {
            let asked = Arc::<AtomicBool>::default();
            let cookies = layer.vestibule.app.cookies.read(request.headers());
            let known = cookies.session().is_some();
            match layer.prepare(request, Arc::clone(&asked)).await {
                Ok((request, cookies)) => {
                    let response = inner.call(request).await?;
                    Ok(finished(response, cookies, &asked, known))
                }
                Err(response) => Ok(response),
            }
        })
    }
}
