//! The application's own page that links lead to: the one with the component `<Confirm/>`.

use super::{
    Vestibule,
    answer::{complete, misplaced},
    request::{visitor, whole_uri},
    sign_in_context::SignInContext,
};
use crate::{
    handlers::confirm::{self, LandingQuery, Opened},
    http::{client_address, error::PageError, response, token_path},
};
use axum::{
    extract::{MatchedPath, Query, Request, State},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    middleware::{FromFnLayer, Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use futures_util::future::BoxFuture;
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use tracing::Instrument as _;
use vestibule_app::island::Landing;

/// The layer that [`Vestibule::landing`] makes.
pub type LandingLayer = FromFnLayer<
    fn(State<LandingPage>, Request, Next) -> BoxFuture<'static, Response>,
    LandingPage,
    (State<LandingPage>, Request),
>;

/// The page that a [`LandingLayer`] is for.
#[derive(Clone, Debug)]
pub struct LandingPage {
    vestibule: Vestibule,
    /// Its path, as axum has it.
    path: Arc<str>,
}

/// How the path of such a page ends.
const TOKEN: &str = "{token}";

/// What is said where two layers are around the page that each has a part in.
const TWICE: &str = "landing() is around this page twice: once is enough";
pub const NEEDS_A_USER: &str = "the page that links lead to needs no user: put landing() around it, and \
                            require_user() around others";

/// What a content delivery network heeds before `Cache-Control` (RFC 9213).
const CDN_HEADERS: [&str; 3] = [
    "cdn-cache-control",
    "surrogate-control",
    "cloudflare-cdn-cache-control",
];

impl LandingPage {
    pub(super) fn layer(vestibule: Vestibule, page: &str) -> LandingLayer {
        let before = page.strip_suffix(TOKEN).filter(|before| {
            let begins = before.starts_with('/') && before.len() > 1;
            begins && before.ends_with('/') && !before.contains('{')
        });
        let Some(before) = before else {
            panic!("landing(\"{page}\"): a path such as \"/welcome/{TOKEN}\" is wanted");
        };
        let app = &vestibule.app;
        app.landing_pages.add(before);
        let confirmed = app.destinations().confirmed_page();
        assert!(
            !confirmed.is_some_and(|confirmed| app.landing_pages.contain(&confirmed)),
            "landing(\"{page}\"): CONFIRM_REDIRECT leads to such a page, as if it were a link"
        );
        let path = page.into();
        from_fn_with_state(Self { vestibule, path }, answer)
    }

    /// What stands before the token in its addresses.
    fn before(&self) -> &str {
        self.path.strip_suffix(TOKEN).unwrap_or(&self.path)
    }

    /// What `request` has opened, if that is a link: the token, perhaps with more around it.
    fn opened(&self, request: &Parts) -> Option<String> {
        let opened = whole_uri(request).path().strip_prefix(self.before())?;
        let is_the_page = match request.extensions.get::<MatchedPath>() {
            Some(matched) => matched.as_str() == &*self.path,
            // It has a slash too many, for which axum has no route.
            None => opened
                .find('/')
                .is_some_and(|slash| slash > 0 && slash + 1 == opened.len()),
        };
        let is_opened = is_the_page && matches!(request.method, Method::GET | Method::HEAD);
        is_opened.then(|| opened.to_owned())
    }

    /// Opens the link in the browser that sent `request`.
    async fn open(&self, request: &mut Parts, opened: &str) -> Result<Opened, PageError> {
        let app = &self.vestibule.app;
        let visitor = visitor(app, request).await?;
        let decoded = percent_decode_str(opened).decode_utf8_lossy();
        let token = token_path::within(&decoded, &app.keys).ok_or(PageError::NotFound)?;
        let uri = whole_uri(request);
        if token.expose() != decoded {
            let clean = token_path::clean(self.before(), &token, "", uri.query());
            let clean = clean.ok_or(PageError::NotFound)?;
            return Ok(Opened::Instead(response::see_other(&clean)));
        }
        let query = Query::<LandingQuery>::try_from_uri(uri).unwrap_or_default();
        let span = client_address::span(visitor.client);
        let opened = confirm::open(app, &visitor, token.clone(), query.next.as_deref());
        let opened = opened.instrument(span).await?;
        if let Opened::Landed(landed) = &opened
            && landed.signed_in.is_some()
        {
            // They are told who they are before they go on, which our own page does.
            let own = token_path::clean("/confirm/", &token, "", uri.query());
            let own = own.ok_or(PageError::NotFound)?;
            return Ok(Opened::Instead(response::see(own.as_str())));
        }
        Ok(opened)
    }
}

fn answer(
    State(page): State<LandingPage>,
    request: Request,
    next: Next,
) -> BoxFuture<'static, Response> {
    Box::pin(async move {
        let (mut head, body) = request.into_parts();
        let Some(opened) = page.opened(&head) else {
            return next.run(Request::from_parts(head, body)).await;
        };
        if let Some(problem) = contradiction(&head) {
            return misplaced(problem);
        }
        let instead = match page.open(&mut head, &opened).await {
            Ok(Opened::Landed(landed)) => {
                head.extensions.insert(landed.landing);
                let mut response = next.run(Request::from_parts(head, body)).await;
                close(response.headers_mut());
                return response::with_cookies(response, landed.cookies);
            }
            Ok(Opened::Instead(page)) => page,
            Err(error) => error.into_response(),
        };
        complete(&page.vestibule.app, instead).await
    })
}

/// What is wrong with the layers around this one.
fn contradiction(request: &Parts) -> Option<&'static str> {
    let context = request.extensions.get::<SignInContext>();
    if request.extensions.get::<Landing>().is_some() {
        Some(TWICE)
    } else if context.is_some_and(|context| context.required) {
        Some(NEEDS_A_USER)
    } else {
        None
    }
}

/// Makes the application's page one browser's alone. Its address has the token in it, which other
/// sites must not learn; `no-referrer` would make browsers send `Origin: null` on the plain form.
/// The button is in no frame, where someone else could have it pressed.
fn close(headers: &mut HeaderMap) {
    for name in CDN_HEADERS {
        headers.remove(name);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "strict-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Beside a policy of the application's: all of them hold.
    headers.append(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("frame-ancestors 'none'"),
    );
}
