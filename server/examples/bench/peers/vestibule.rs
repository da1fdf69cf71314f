//! Vestibule in a process of its own.

use super::parts::Parts;
use crate::{
    database::Database,
    place::Place,
    service::{self, Service},
    sign_in,
};
use std::net::SocketAddr;

/// The parts, as the process is told.
const PAGES: &str = "pages";
const ALL: &str = "all";

/// A database, and the process that serves it.
pub struct Vestibule {
    process: Option<Service>,
    settings: Vec<(&'static str, String)>,
    pub database: Database,
}

impl Vestibule {
    pub fn new(database: Database, settings: &[(&'static str, String)]) -> Self {
        let storage = [("DATABASE_URL", database.url())];
        Self {
            process: None,
            settings: [settings, &sign_in::settings(), &storage].concat(),
            database,
        }
    }

    pub async fn start(&mut self, parts: Parts) -> SocketAddr {
        let parts = match parts {
            Parts::Pages => PAGES,
            Parts::All => ALL,
        };
        let settings = self.settings.iter();
        let settings = settings.map(|(name, value)| format!("{name}={value}"));
        let arguments: Vec<String> = [parts.to_owned()].into_iter().chain(settings).collect();
        let process = Service::start_with("vestibule", &arguments).await;
        let addr = process.said().parse().expect("an address");
        self.process = Some(process);
        addr
    }

    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.ask("stop").await;
        }
    }
}

/// Is such a process: of these parts, with the settings that follow as `NAME=value`.
pub async fn serve(arguments: &[String]) {
    let (parts, settings) = arguments.split_first().expect("its parts");
    let settings: Vec<(&str, String)> = settings
        .iter()
        .filter_map(|setting| setting.split_once('='))
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    let place = match parts.as_str() {
        PAGES => Place::open_without_worker(&settings).await,
        ALL => Place::open(&settings).await,
        unknown => panic!("there are {PAGES} and {ALL}, and no {unknown}"),
    };
    println!("{}", place.addr);
    service::questions().recv().await;
    place.close().await;
    println!("stopped");
}
