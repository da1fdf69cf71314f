//! The application's own page for a landing: that which has the component `<Confirm/>`.

use super::{
    Vestibule,
    admission::{complete, visitor, whole_uri},
};
use crate::{
    handlers::confirm::{self, LandingQuery, Opened},
    http::{client_address, error::PageError, response, token_path},
};
use axum::{extract::FromRequestParts as _, http::Method};
use axum::{
    extract::{MatchedPath, Query, RawPathParams, Request},
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use futures_util::future::BoxFuture;
use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};
use tower::{Layer, Service};
use tracing::Instrument as _;
use vestibule::path::LocalPath;

/// How the path of such a page ends.
const TOKEN: &str = "/{token}";

/// The layer that [`Vestibule::landing`] makes.
#[derive(Clone, Debug)]
pub struct LandingLayer {
    vestibule: Vestibule,
    page: Arc<str>,
}

/// The service that a [`LandingLayer`] makes of another.
#[derive(Clone, Debug)]
pub struct LandingService<S> {
    inner: S,
    layer: LandingLayer,
}

impl LandingLayer {
    pub(super) fn new(vestibule: Vestibule, page: &str) -> Self {
        assert!(
            page.ends_with(TOKEN),
            "landing(\"{page}\"): the path has to end in {TOKEN}"
        );
        Self {
            vestibule,
            page: page.into(),
        }
    }

    /// Whether `request` opens a link.
    fn is_opened(&self, request: &Request) -> bool {
        let page = request.extensions().get::<MatchedPath>();
        page.is_some_and(|page| page.as_str() == &*self.page)
            && [Method::GET, Method::HEAD].contains(request.method())
    }

    /// Puts the landing into the `request` that opens a link, and tells the cookies of the response.
    ///
    /// # Errors
    /// The answer that takes the place of the application's.
    async fn land(&self, request: &mut Parts) -> Result<Vec<HeaderValue>, Response> {
        let app = &self.vestibule.app;
        match self.open(request).await {
            Ok(Opened::Landed(landed)) => {
                request.extensions.insert(landed.landing);
                Ok(landed.cookies)
            }
            Ok(Opened::Instead(page)) => Err(complete(app, page).await),
            Err(error) => Err(complete(app, error.into_response()).await),
        }
    }

    async fn open(&self, request: &mut Parts) -> Result<Opened, PageError> {
        let app = &self.vestibule.app;
        let visitor = visitor(app, request).await?;
        let params = RawPathParams::from_request_parts(request, &()).await;
        let params = params.map_err(|_| PageError::NotFound)?;
        let opened = params.iter().find(|(name, _)| *name == "token");
        let (_, opened) = opened.ok_or(PageError::NotFound)?;
        let token = token_path::within(opened, &app.keys).ok_or(PageError::NotFound)?;
        let uri = whole_uri(request);
        if token.expose() != opened {
            let (before, _) = uri.path().rsplit_once('/').unwrap_or_default();
            let query = uri.query().map(|query| format!("?{query}"));
            let clean = format!("{before}/{}{}", token.expose(), query.unwrap_or_default());
            let clean: LocalPath = clean.parse().map_err(|_| PageError::NotFound)?;
            return Ok(Opened::Instead(response::see_other(&clean)));
        }
        let query = Query::<LandingQuery>::try_from_uri(uri).unwrap_or_default();
        let span = client_address::span(visitor.client);
        confirm::open(app, &visitor, token, query.next.as_deref())
            .instrument(span)
            .await
    }
}

/// The application's page of a landing. It is one browser's alone, and its address has the token in
/// it, of which other sites must not learn; `no-referrer` would make browsers send `Origin: null` on
/// the plain form.
fn finished(mut response: Response, cookies: Vec<HeaderValue>) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let origin_alone = HeaderValue::from_static("strict-origin");
    headers.insert(header::REFERRER_POLICY, origin_alone);
    response::with_cookies(response, cookies)
}

impl<S> Layer<S> for LandingLayer {
    type Service = LandingService<S>;

    fn layer(&self, inner: S) -> LandingService<S> {
        LandingService {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S> Service<Request> for LandingService<S>
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
        if !self.layer.is_opened(&request) {
            return Box::pin(self.inner.call(request));
        }
        // The one that is ready; its clone may not be.
        let another = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, another);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            match layer.land(&mut head).await {
                Ok(cookies) => {
                    let response = inner.call(Request::from_parts(head, body)).await?;
                    Ok(finished(response, cookies))
                }
                Err(instead) => Ok(instead),
            }
        })
    }
}
