//! Pages: from a view to a document, with the headers that every document carries.

mod template;

pub use template::Template;

use crate::http::{files::Files, response::with_status};
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use leptos::prelude::*;
use std::sync::Arc;
use vestibule::{
    path::Base,
    secret::{SystemEntropy, random},
};
use vestibule_app::{
    pages::{ErrorPage, Problem},
    shell::{self, Document, Head},
};

/// Renders pages into responses.
pub struct PageRenderer {
    /// What a document needs to know of the built site.
    leptos: LeptosOptions,
    /// Where its addresses lie.
    base: Base,
    /// The built site's files.
    files: Arc<Files>,
    /// What scripts may connect to, as a list of CSP sources.
    connect: String,
}

impl PageRenderer {
    /// Renders pages of the site that `leptos` describes, with addresses below `base`. Their scripts
    /// may open the Pusher server's `socket` beside this server's own.
    #[must_use]
    pub fn new(leptos: LeptosOptions, base: Base, files: Arc<Files>, socket: Option<&str>) -> Self {
        let mut connect = String::from("'self'");
        if let Some(socket) = socket {
            // A path in a source would be compared too; the origin is what is meant.
            let origin_end = socket
                .match_indices('/')
                .nth(2)
                .map_or(socket.len(), |(end, _)| end);
            connect = format!("{connect} {}", &socket[..origin_end]);
        }
        if watched() {
            connect = format!(
                "{connect} ws://localhost:{0} ws://127.0.0.1:{0}",
                leptos.reload_port
            );
        }
        Self {
            leptos,
            base,
            files,
            connect,
        }
    }

    /// The folder of the client's files, below the site's root.
    pub fn client_folder(&self) -> &str {
        &self.leptos.site_pkg_dir
    }

    /// Renders a page.
    pub fn page<P: IntoView + 'static>(&self, head: Head, view: impl FnOnce() -> P) -> Response {
        // The reloader of a page in development is a script, too.
        let scripts = head.live || watched();
        let document = self.document(head, self.files.have_client(), view);
        let nonce = scripts.then(|| document.nonce.to_string());
        self.response(document.html, nonce.as_deref())
    }

    /// The same for a page with a script that differs in `values` only, which `template` keeps.
    pub fn page_of<P: IntoView + 'static, const N: usize>(
        &self,
        template: &Template<N>,
        head: Head,
        values: [&str; N],
        view: impl Fn([String; N]) -> P,
    ) -> Response {
        let nonce = URL_SAFE_NO_PAD.encode(random::<16>(&SystemEntropy));
        let has_client = self.files.have_client();
        let html = template.fill(has_client, &nonce, values, |marks| {
            let document = self.document(head.clone(), has_client, || view(marks));
            (document.html, document.nonce.to_string())
        });
        match html {
            Some(html) => self.response(html, Some(&nonce)),
            None => self.page(head, || view(values.map(str::to_owned))),
        }
    }

    /// The document, with a script only where the site has the client of this build: another one
    /// would break what works without it.
    fn document<P: IntoView + 'static>(
        &self,
        head: Head,
        has_client: bool,
        view: impl FnOnce() -> P,
    ) -> Document {
        let head = Head {
            live: head.live && has_client,
            ..head
        };
        shell::render(&self.leptos, &self.base, head, view)
    }

    fn response(&self, html: String, nonce: Option<&str>) -> Response {
        let policy = self.content_security_policy(nonce);
        let headers = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
            // Every page says something about the user who asked for it.
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_str(&policy).expect("the policy is printable ASCII"),
            ),
            // Of documents alone.
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                HeaderValue::from_static("same-origin"),
            ),
        ];
        (headers, html).into_response()
    }

    /// The page of a problem, with its status.
    pub fn problem(&self, status: StatusCode, problem: Problem) -> Response {
        let head = Head::titled(problem.title);
        let page = self.page(head, || view! { <ErrorPage problem=problem /> });
        with_status(page, status)
    }

    /// What scripts, and everything else that a document could load, may be (CSP level 3). Without
    /// a `nonce` there are none.
    fn content_security_policy(&self, nonce: Option<&str>) -> String {
        let Some(nonce) = nonce else {
            return "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
                    base-uri 'none'; frame-ancestors 'none'"
                .to_owned();
        };
        let connect = &self.connect;
        format!(
            "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
             img-src 'self'; connect-src {connect}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
    }
}

/// Whether cargo-leptos watches the sources and reloads pages when they change.
pub fn watched() -> bool {
    std::env::var_os("LEPTOS_WATCH").is_some()
}
