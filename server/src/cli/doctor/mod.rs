//! `vestibule doctor`: one line for each thing that has to work, and what is wrong with it.
//!
//! What is pushed is tried the whole way round: published like an announcement, and received like a
//! page does. Each step proves something that the next one needs not doubt any more: a socket that
//! greets knows the key, one that takes a subscription knows the secret, so an HTTP API that still
//! refuses minds the clock or the app's id.

mod mail;
mod proxy;
mod push;
mod socket;

use crate::{
    config::{Config, PushConfig},
    handlers::health,
    startup::{
        origins,
        storage::{self, Storage},
    },
};

/// Where what was found is told, line by line.
struct DoctorReport<'r> {
    tell: &'r mut dyn FnMut(String),
    failed: usize,
}

impl DoctorReport<'_> {
    fn ok(&mut self, part: &str, more: &str) {
        let more = if more.is_empty() {
            String::new()
        } else {
            format!(", {more}")
        };
        (self.tell)(format!("{part}: ok{more}"));
    }

    fn failed(&mut self, part: &str, problem: &str) {
        self.failed += 1;
        (self.tell)(format!("{part}: FAILED, {problem}"));
    }

    fn warn(&mut self, part: &str, problem: &str) {
        (self.tell)(format!("{part}: WARNING, {problem}"));
    }

    fn skipped(&mut self, part: &str, why: &str) {
        (self.tell)(format!("{part}: not checked, {why}"));
    }
}

/// Tells what works and what does not, a line each, and how many do not; also of the `proxy` before
/// an application, if its address is given.
pub async fn doctor(
    mut config: Config,
    proxy: Option<&str>,
    mut tell: impl FnMut(String),
) -> usize {
    let mut report = DoctorReport {
        tell: &mut tell,
        failed: 0,
    };
    report.ok(
        "settings",
        if config.is_practice() {
            "practice mode"
        } else {
            ""
        },
    );
    for line in config.unencrypted() {
        report.warn("settings", &line);
    }
    let keys = match storage::open(&mut config).await {
        Ok(Storage { keys, stores, .. }) => {
            let (database, sessions) = health::database_and_sessions(&stores).await;
            for (part, state) in [("database", database), ("sessions", sessions)] {
                match state {
                    Ok(()) => report.ok(part, ""),
                    Err(error) => report.failed(part, &health::why(error)),
                }
            }
            Some(keys)
        }
        Err(error) => {
            report.failed("database", &error.to_string());
            None
        }
    };
    let origins = origins::origins(&config);
    let origin = origins::origin(&config);
    if let Some(mail) = config.mail.take() {
        mail::configured(&mut report, mail, &origin).await;
    }
    match (config.push.clone(), keys) {
        (PushConfig::Server { app, socket }, _) => {
            push::configured(&mut report, &app, &socket, origin.as_str()).await;
        }
        (PushConfig::Embedded(credentials), Some(keys)) => {
            push::embedded(&mut report, &config, credentials, &keys, &origins).await;
        }
        (PushConfig::Embedded(_), None) => {
            report.skipped("push", "its key is kept with the database");
        }
    }
    if let Some(address) = proxy {
        proxy::before_application(&mut report, address, &origin, &config.base).await;
    }
    report.failed
}
