//! The application on Express, in `end2end/bench/express/`: its pages, its worker, and their Redis.

use super::{parts::Parts, redis::Redis};
use crate::{
    client::Client,
    service::Service,
    sign_in::{self, Begun},
};
use std::{net::SocketAddr, path::Path, process::Command};
use tokio::time::Instant;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../end2end/bench/express");

/// A Redis, and the processes that use it.
pub struct Express {
    web: Option<Service>,
    worker: Option<Service>,
    settings: Vec<(&'static str, String)>,
    /// It ends last.
    _redis: Redis,
}

impl Express {
    pub async fn new(settings: &[(&'static str, String)]) -> Self {
        assert!(
            Path::new(FOLDER).join("node_modules").exists(),
            "end2end/bench/express has no packages; `cargo xtask bench peers` installs them"
        );
        let redis = Redis::start().await;
        let own = [
            ("NODE_ENV", "production".into()),
            ("PORT", "0".into()),
            ("REDIS_URL", redis.url()),
            ("SESSION_SECRET", sign_in::SECRET.into()),
        ];
        Self {
            web: None,
            worker: None,
            settings: [settings, &own].concat(),
            _redis: redis,
        }
    }

    pub async fn start(&mut self, parts: Parts) -> SocketAddr {
        let web = self.run("web.js").await;
        let addr = web.said().parse().expect("an address");
        self.web = Some(web);
        if parts == Parts::All {
            self.worker = Some(self.run("worker.js").await);
        }
        addr
    }

    async fn run(&self, script: &str) -> Service {
        let mut node = Command::new("node");
        node.current_dir(FOLDER)
            .arg(script)
            .envs(self.settings.iter().cloned());
        Service::run(&mut node).await
    }

    pub fn stop(&mut self) {
        self.worker = None;
        self.web = None;
    }

    /// Lands as the browser with this number, which begins.
    pub async fn begin(client: &mut Client, number: u32) -> Begun {
        let token = sign_in::token(number);
        let start = Instant::now();
        let landing = client.get(&format!("/confirm/{token}")).await;
        let answered = Instant::now();
        assert!(landing.head.starts_with("HTTP/1.1 200"), "{}", landing.head);
        let channel = landing.body.split_once("data-channel=\"");
        let channel = channel.and_then(|(_, rest)| rest.split_once('"'));
        let (channel, _) = channel.expect("the page names its channel");
        Begun {
            landed: start,
            start,
            answered,
            token,
            channel: channel.to_owned(),
        }
    }
}
