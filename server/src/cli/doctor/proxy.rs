//! The proxy before the application: what it does with a stranger. What it does with a user can
//! only be seen by the application itself.

use super::DoctorReport;
use crate::config::origin::Origin;
use reqwest::{Client, Response, StatusCode, header, redirect::Policy};
use std::time::Duration;
use url::Url;
use vestibule::{path::Base, tls};

/// How long each answer may take.
const WITHIN: Duration = Duration::from_secs(10);
/// What is asked of the application. It need not be there: strangers do not get so far.
const WANTED: &str = "/vestibule-doctor?a=1&b=2";

/// Asks for a page of the application at `address` as strangers do.
pub async fn before_application(
    report: &mut DoctorReport<'_>,
    address: &str,
    origin: &Origin,
    base: &Base,
) {
    let Some(address) = read(address) else {
        return report.failed(
            "proxy",
            &format!("{address:?} is no address (example: https://app.example)"),
        );
    };
    if address.origin().ascii_serialization() != origin.as_str() {
        report.failed(
            "proxy",
            &format!(
                "browsers come to {}, but PUBLIC_URL says {}",
                address.origin().ascii_serialization(),
                origin.as_str()
            ),
        );
    }
    let client = Client::builder()
        .tls_backend_preconfigured(tls::client_config(tls::machine_roots()))
        .redirect(Policy::none())
        .timeout(WITHIN)
        .build()
        .expect("a client with these settings can be built");
    let proxy = ApplicationProxy { client, address };
    match proxy.reaches_us(base).await {
        Ok(()) => report.ok("proxy", &format!("{}/ leads here", base.as_str())),
        Err(problem) => return report.failed("proxy", &problem),
    }
    match proxy.leads_to_sign_in(origin, base).await {
        Ok(()) => report.ok("proxy", "a browser is led to sign in, and back"),
        Err(problem) => report.failed("proxy", &problem),
    }
    match proxy.refuses_scripts().await {
        Ok(()) => report.ok("proxy", "a script is told 401, whatever it claims to be"),
        Err(problem) => report.failed("proxy", &problem),
    }
}

fn read(address: &str) -> Option<Url> {
    let address: Url = address.parse().ok()?;
    (matches!(address.scheme(), "http" | "https") && address.has_host()).then_some(address)
}

struct ApplicationProxy {
    client: Client,
    address: Url,
}

impl ApplicationProxy {
    async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Result<Response, String> {
        let mut url = self.address.clone();
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
        let mut request = self.client.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.map_err(|error| {
            let why = if error.is_connect() {
                "it cannot be reached, or its certificate is not trusted here"
            } else {
                "it does not answer"
            };
            format!("{why} ({})", self.address)
        })
    }

    async fn reaches_us(&self, base: &Base) -> Result<(), String> {
        let answer = self.ask(&format!("{}/healthz", base.as_str()), &[]).await?;
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        if status == StatusCode::OK && text == "ok" {
            return Ok(());
        }
        Err(format!(
            "{}/healthz is answered {status}, not by this server: hand {}/ on to it, with the path as it is",
            base.as_str(),
            base.as_str()
        ))
    }

    async fn leads_to_sign_in(&self, origin: &Origin, base: &Base) -> Result<(), String> {
        let page = [
            ("accept", "text/html"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        let answer = self.ask(WANTED, &page).await?;
        let location = answer.headers().get(header::LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        let enter = format!("{}{}/enter?next=", origin.as_str(), base.as_str());
        match (answer.status(), location) {
            (StatusCode::SEE_OTHER | StatusCode::FOUND, Some(location)) => {
                let Some(next) = location.strip_prefix(&enter) else {
                    return Err(format!(
                        "a browser is led to another place than {enter}…: the application answers, or another filter"
                    ));
                };
                if next == "%2Fvestibule-doctor%3Fa%3D1%26b%3D2" {
                    return Ok(());
                }
                Err("a browser is led to sign in, but not back to its page: have the proxy say where a request was \
                     going (X-Original-URL, or X-Forwarded-Uri), and name it in TRUSTED_PROXIES"
                    .to_owned())
            }
            (StatusCode::UNAUTHORIZED, _) => Err(
                "a browser is told 401 and nothing else: lead it to the Location of the answer (nginx: error_page 401), \
                 or ask with ?redirect"
                    .to_owned(),
            ),
            (status, _) => Err(strangers_get_in(status)),
        }
    }

    async fn refuses_scripts(&self) -> Result<(), String> {
        let script = [
            ("accept", "application/json"),
            ("sec-fetch-mode", "cors"),
            ("remote-user", "doctor"),
            ("vestibule-assertion", "doctor"),
        ];
        let answer = self.ask(WANTED, &script).await?;
        if answer.headers().contains_key(header::LOCATION) {
            return Err(
                "a script is led to a page: hand on Accept and Sec-Fetch-Mode to /v1/authorize"
                    .to_owned(),
            );
        }
        match answer.status() {
            StatusCode::UNAUTHORIZED => Ok(()),
            status => Err(strangers_get_in(status)),
        }
    }
}

fn strangers_get_in(status: StatusCode) -> String {
    if status.is_server_error() {
        return format!(
            "strangers are answered {status}: the proxy cannot ask /v1/authorize, or does not understand the answer"
        );
    }
    format!(
        "strangers are answered {status}, as if they were let in: have the proxy ask /v1/authorize first"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{
        Router,
        http::{HeaderMap, Uri},
        response::{IntoResponse as _, Redirect},
        routing::get,
    };

    /// What the doctor says of a proxy that answers for the application like this.
    async fn said<A, R>(answer: A) -> Vec<String>
    where
        A: Fn(HeaderMap, Origin) -> R + Clone + Send + Sync + 'static,
        R: axum::response::IntoResponse,
    {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let origin = Origin::parse(&url).unwrap();
        let own = origin.clone();
        let application =
            async move |headers: HeaderMap, _: Uri| answer(headers, own.clone()).into_response();
        let routes = Router::new()
            .route("/auth/healthz", get(|| async { "ok" }))
            .fallback(application);
        tokio::spawn(async { axum::serve(listener, routes).await });
        let mut lines = Vec::new();
        let mut tell = |line| lines.push(line);
        let mut report = DoctorReport {
            tell: &mut tell,
            failed: 0,
        };
        let base = "/auth".parse().unwrap();
        before_application(&mut report, &url, &origin, &base).await;
        lines
    }

    fn is_page(headers: &HeaderMap) -> bool {
        headers
            .get("sec-fetch-mode")
            .is_some_and(|mode| mode == "navigate")
    }

    fn enter(origin: &Origin, next: &str) -> axum::response::Response {
        Redirect::to(&format!("{}/auth/enter?next={next}", origin.as_str())).into_response()
    }

    #[tokio::test]
    async fn a_proxy_that_asks_first_is_well() {
        let lines = said(|headers, origin| {
            if is_page(&headers) {
                enter(&origin, "%2Fvestibule-doctor%3Fa%3D1%26b%3D2")
            } else {
                StatusCode::UNAUTHORIZED.into_response()
            }
        });
        let lines = lines.await;
        assert_eq!(lines.len(), 3, "{lines:#?}");
        assert!(
            lines.iter().all(|line| line.starts_with("proxy: ok")),
            "{lines:#?}"
        );
    }

    #[tokio::test]
    async fn each_fault_is_told_from_the_others() {
        let wrong = async |lines: Vec<String>, part: &str| {
            assert!(
                lines
                    .iter()
                    .any(|line| line.starts_with("proxy: FAILED") && line.contains(part)),
                "{part}: {lines:#?}"
            );
        };
        wrong(
            said(|_, _| "the application").await,
            "as if they were let in",
        )
        .await;
        wrong(
            said(|_, _| StatusCode::UNAUTHORIZED).await,
            "error_page 401",
        )
        .await;
        wrong(
            said(|_, origin| enter(&origin, "%2F")).await,
            "TRUSTED_PROXIES",
        )
        .await;
        wrong(
            said(|_, origin| enter(&origin, "%2F")).await,
            "a script is led to a page",
        )
        .await;
        wrong(said(|_, _| Redirect::to("/login")).await, "another place").await;
        wrong(said(|_, _| StatusCode::BAD_GATEWAY).await, "cannot ask").await;
    }

    #[tokio::test]
    async fn what_is_no_proxy_is_one_line() {
        let origin = Origin::parse("https://app.example").unwrap();
        for (address, problem) in [
            ("app.example", "no address"),
            ("http://127.0.0.1:9", "cannot be reached"),
        ] {
            let mut lines: Vec<String> = Vec::new();
            let mut tell = |line| lines.push(line);
            let mut report = DoctorReport {
                tell: &mut tell,
                failed: 0,
            };
            before_application(&mut report, address, &origin, &Base::default()).await;
            assert!(lines.last().unwrap().contains(problem), "{lines:#?}");
        }
    }
}
