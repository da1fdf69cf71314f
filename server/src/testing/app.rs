//! The application.

use super::{TestBrowser, within};
use crate::{
    application::{Builder, Vestibule},
    config::{Config, RawSettings},
    startup::{router::router, tasks::ServerHandle},
};
use axum::Router;
use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
use std::net::SocketAddr;
use tempfile::TempDir;

/// The host that browsers ask. Nothing listens there.
const HOST: &str = "127.0.0.1:3000";
/// The application.
pub struct TestApp {
    pub(super) router: Router,
    data: TempDir,
    /// The host that browsers ask.
    pub(super) host: &'static str,
    /// What works behind the routes.
    running: Vec<ServerHandle>,
    /// Kept for as long as they are.
    others: Vec<TempDir>,
}

impl TestApp {
    /// Starts it with no settings.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts it with these settings.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let data = TempDir::new().unwrap();
        let folder = data.path().display().to_string();
        let own = [
            ("VESTIBULE_DATA", folder.as_str()),
            ("LEPTOS_SITE_ADDR", HOST),
        ];
        let settings = [&own[..], settings].concat();
        let given = RawSettings::from_lookup(|setting| {
            let value = settings.iter().find(|(key, _)| *key == setting.key);
            value.map(|(_, value)| (*value).to_owned())
        });
        let config = Config::read(&given).unwrap();
        let host = if config.is_practice() {
            HOST
        } else {
            "sign-in.example"
        };
        let (router, running) = router(config).await.unwrap();
        Self {
            router,
            data,
            host,
            running: vec![running],
            others: Vec::new(),
        }
    }

    /// Where its private listener listens, if it has one.
    pub fn ops_addr(&self) -> Option<SocketAddr> {
        self.running.first()?.ops_addr()
    }

    /// The application whose routes are what `mount` makes of ours, with these settings and what
    /// `own` adds. Ours lie below `/auth`, unless the settings say otherwise.
    pub async fn in_application(
        settings: &[(&str, &str)],
        own: impl FnOnce(Builder) -> Builder,
        mount: impl FnOnce(Router, Vestibule) -> Router,
    ) -> Self {
        let data = TempDir::new().unwrap();
        let defaults = [
            ("VESTIBULE_DATA", data.path().display().to_string()),
            ("PUBLIC_URL", format!("http://{HOST}/auth")),
        ];
        let settings = RawSettings::from_pairs(settings.iter().copied());
        let settings = settings.unwrap().or(defaults).unwrap();
        let mounted = own(Vestibule::builder(settings)).build().await.unwrap();
        let router = mount(mounted.routes, mounted.vestibule);
        Self::of(router, data, mounted.running)
    }

    /// An application with these routes, which keeps everything in `data`.
    pub fn of(router: Router, data: TempDir, running: ServerHandle) -> Self {
        Self {
            router,
            data,
            host: HOST,
            running: vec![running],
            others: Vec::new(),
        }
    }

    /// Two such applications as one: what works behind the other goes on as well.
    pub fn beside(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.running.extend(other.running);
        self.others.push(other.data);
        self
    }

    /// All of its routes.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// A browser that has never been here.
    pub fn browser(&self) -> TestBrowser<'_> {
        TestBrowser::new(self)
    }

    /// Lets half an hour pass for all sessions.
    pub async fn age_sessions(&self) {
        self.change("update sessions set created_at = created_at - 1800000")
            .await;
    }

    /// Changes the database behind the application's back.
    pub async fn change(&self, statement: &'static str) {
        let file = self.data.path().join("vestibule.db");
        let options = SqliteConnectOptions::new().filename(file);
        let mut database = options.connect().await.unwrap();
        sqlx::query(statement).execute(&mut database).await.unwrap();
    }

    /// The ids of all sessions.
    pub async fn session_ids(&self) -> Vec<String> {
        self.texts("select lower(hex(id)) from sessions").await
    }

    /// The ids of all confirmations, in the order in which they were begun.
    pub async fn confirmation_ids(&self) -> Vec<String> {
        self.texts("select lower(hex(id)) from confirmations order by created_at")
            .await
    }

    async fn texts(&self, statement: &'static str) -> Vec<String> {
        let file = self.data.path().join("vestibule.db");
        let options = SqliteConnectOptions::new().filename(file);
        let mut database = options.connect().await.unwrap();
        sqlx::query_scalar(statement)
            .fetch_all(&mut database)
            .await
            .unwrap()
    }

    /// The newest mail with a link, once there are so many of them.
    pub async fn mail(&self, count: usize) -> TestMail {
        self.mail_below("", count).await
    }

    /// The same, of an application whose Vestibule lies below `base`.
    pub async fn mail_below(&self, base: &str, count: usize) -> TestMail {
        let mut browser = self.browser();
        let mails = within(async || {
            let page = browser.open(&format!("{base}/practice/mail")).await;
            let mails: Vec<_> = page.body.split("<li").map(str::to_owned).collect();
            let links = mails.iter().filter(|mail| mail.contains("/confirm/"));
            (links.count() >= count).then_some(mails)
        })
        .await;
        let mails: Vec<_> = mails
            .into_iter()
            .filter(|mail| mail.contains("/confirm/"))
            .collect();
        assert_eq!(mails.len(), count, "no more mails than that: {mails:?}");
        let between = |start: &str, end: &str| {
            let (_, rest) = mails[0].split_once(start)?;
            Some(rest.split(end).next()?.to_owned())
        };
        TestMail {
            link: format!("/confirm/{}", between("/confirm/", "\"").unwrap()),
            code: between("<code>", "<"),
        }
    }
}

/// A mail with a link.
#[derive(Debug)]
pub struct TestMail {
    /// The path of its link.
    pub link: String,
    /// Its code, if it has one.
    pub code: Option<String>,
}
