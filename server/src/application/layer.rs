//! The layers around the application's routes.

use super::{
    Vestibule,
    admission::{Requirement, let_in},
    answer::misplaced,
    landing::NEEDS_A_USER,
    sign_in_context::SignInContext,
};
use crate::http::response;
use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::{FromFnLayer, Next, from_fn_with_state},
    response::Response,
};
use futures_util::future::BoxFuture;
use http_body::Body as _;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use vestibule_app::island::Landing;

/// A layer of [`Vestibule`]'s, around routes whose handlers learn who is signed in.
pub type SignInLayer = FromFnLayer<
    fn(State<SignInPolicy>, Request, Next) -> BoxFuture<'static, Response>,
    SignInPolicy,
    (State<SignInPolicy>, Request),
>;

/// Whom a [`SignInLayer`] lets in.
#[derive(Clone, Debug)]
pub struct SignInPolicy {
    vestibule: Vestibule,
    requirement: Requirement,
}

impl SignInPolicy {
    pub(super) fn layer(vestibule: Vestibule, requirement: Requirement) -> SignInLayer {
        from_fn_with_state(
            Self {
                vestibule,
                requirement,
            },
            answer,
        )
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
        let before = head.extensions.get::<SignInContext>();
        let before = before.filter(|before| before.vestibule.is(&self.vestibule));
        let mut required = before.is_some_and(|before| before.required);
        let mut user = before.and_then(|before| before.user.clone());
        let mut cookies = Vec::new();
        if self.requirement != Requirement::Anyone {
            if head.extensions.get::<Landing>().is_some() {
                return Err(misplaced(NEEDS_A_USER));
            }
            required = true;
            let (known, set) = let_in(&self.vestibule, self.requirement, user, &mut head).await?;
            user = Some(known);
            cookies = set;
            asked.store(true, Ordering::Relaxed);
        }
        head.extensions.insert(SignInContext {
            vestibule: self.vestibule.clone(),
            user,
            required,
            asked,
        });
        Ok((Request::from_parts(head, body), cookies))
    }
}

fn answer(
    State(policy): State<SignInPolicy>,
    request: Request,
    next: Next,
) -> BoxFuture<'static, Response> {
    Box::pin(async move {
        let asked = Arc::<AtomicBool>::default();
        let cookies = policy.vestibule.app.cookies.read(request.headers());
        let known = cookies.session().is_some();
        match policy.prepare(request, Arc::clone(&asked)).await {
            Ok((request, cookies)) => finished(next.run(request).await, cookies, &asked, known),
            Err(instead) => instead,
        }
    })
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
