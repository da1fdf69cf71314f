//! The settings: one table from which the flags, the help and the messages come.

mod raw;

pub use raw::RawSettings;

use std::fmt;
use url::Url;

/// A setting: an environment variable and, in kebab case, a flag over it.
#[derive(Debug)]
pub struct Setting {
    /// The environment variable.
    pub key: &'static str,
    /// A value that would be taken.
    pub example: &'static str,
    /// What it does, and its default.
    pub help: &'static str,
}

macro_rules! settings {
    ($($name:ident, $example:literal, $help:literal;)*) => {
        $(#[doc = concat!("`", stringify!($name), "`.")] pub static $name: Setting = Setting { key: stringify!($name), example: $example, help: $help };)*
        /// All settings, in the order of the help.
        pub static ALL: &[&Setting] = &[$(&$name),*];
    };
}

settings! {
    VALIDATOR_URL, "https://tokens.example/validate", "The service that judges tokens; without it: practice mode";
    VALIDATOR_SECRET, "a-long-random-text", "Sent to the validator as a bearer token";
    VALIDATOR_TLS, "required", "none: VALIDATOR_URL may be http:// on another machine (default required)";
    VALIDATOR_CALLBACK_SECRET, "whsec_…", "The keys with which the validator signs its callbacks to /v1/verdicts: whsec_ and base64 of 24 to 64 bytes each, with commas, the newest first (default: no callbacks)";
    PRACTICE, "on", "on: practice mode, also beside settings of a server in use; off: never; forget: never, and remove its user from the database (default: on where none of those settings is given)";
    PUBLIC_URL, "https://app.example/auth", "The address that browsers see, with a path if an application has the rest of the host; needed unless LEPTOS_SITE_ADDR is loopback";
    HSTS_SUBDOMAINS, "exclude", "Whether browsers are told to reach the subdomains of PUBLIC_URL by HTTPS alone as well, for a year: include or exclude (default include)";
    VESTIBULE_SECRET, "openssl rand -base64 32", "Base64 of 32 bytes or more; several with commas, the newest first; needed outside practice mode";
    VESTIBULE_DATA, "./data", "The folder of the database (default ./data)";
    DATABASE_URL, "sqlite:data/vestibule.db", "Where everything is kept: sqlite:FILE or postgres://… (default: vestibule.db in VESTIBULE_DATA)";
    REDIS_URL, "redis://localhost:6379/0", "Keeps sessions in Redis; without it: in the database";
    SESSION_STORE, "database", "Where sessions are kept: database, redis or memory (default redis with REDIS_URL, else database)";
    SMTP_URL, "smtps://user:password@mail.example", "Sends links to sign in by mail; smtp:// asks for TLS unless it is loopback or says ?tls=none (default: no mail)";
    MAIL_FROM, "Vestibule <no-reply@example.com>", "Whom mail is from; needed with SMTP_URL";
    REGISTRATION, "closed", "Whether a mailed link may create an account: closed or open (default closed; in practice mode open)";
    REGISTRATION_PER_HOUR, "1000", "How many links an hour are mailed, with REGISTRATION=open, to addresses without an account (default 1000)";
    LEPTOS_SITE_ADDR, "127.0.0.1:3000", "Where to listen (default 127.0.0.1:3000)";
    OPS_ADDR, "127.0.0.1:3080", "Where /healthz and /readyz listen as well, apart from browsers; in practice mode also the control for tests, on loopback alone (default nowhere)";
    LEPTOS_SITE_ROOT, "target/site", "The folder of the built site (default target/site)";
    VESTIBULE_SITE_ROOT, "target/site", "In an application: the folder of Vestibule's own built site, where none is packed with the crate (default target/site)";
    CONFIRM_START, "auto", "auto: the page begins by itself; click: it waits for Continue (default auto)";
    CONFIRM_REDIRECT, "/dashboard", "The path on the host of PUBLIC_URL where a sign-in leads (default the profile)";
    IDENTITY_HEADERS, "email,name", "What the application is told of a user in plain headers besides Remote-User: email (Remote-Email), name (Remote-Name) (default neither)";
    ACCOUNT_PAGES, "off", "Whether users can change their password and address here: on or off, for where an application shares the host (default on)";
    CONFIRM_ATTEMPT, "10s", "How long one call of the validator may take (default 10s)";
    CONFIRM_DEADLINE, "60s", "How long a token may take to be judged, with all attempts (default 60s)";
    CONFIRM_WAIT, "15min", "How long a token may take to be judged once the validator has said that it answers later; no shorter than CONFIRM_DEADLINE, at most 7days (default 15min)";
    CONFIRM_LEASE, "30s", "How long a worker's claim is exclusive; longer than an attempt (default 30s)";
    CONFIRM_POLL, "5s", "How often worker and page look without having been told (default 5s)";
    CONFIRM_BEGIN_WITHIN, "1h", "How long an opened page may wait before it begins (default 1h)";
    CONFIRM_IN_FLIGHT, "2048", "How many validations may be in flight at once (default 2048)";
    CONFIRM_PER_CLIENT, "100", "How many undecided sign-ins one network address may have, or one /64 of IPv6; its /56 may have twice as many, its /48 four times (default 100)";
    CONFIRM_UNDECIDED, "100000", "How many undecided sign-ins there may be in all (default 100000)";
    TRUSTED_PROXIES, "10.0.0.0/8,192.0.2.7", "Reverse proxies whose X-Forwarded-For says who connects (default none)";
    SESSIONS_PER_USER, "100", "How many sessions a user has at most; one more ends the one unused for longest (default 100)";
    SESSION_IDLE, "14days", "How long a session lives unused (default 14days)";
    SESSION_ABSOLUTE, "90days", "How long a session lives however much it is used; no shorter than SESSION_IDLE (default 90days)";
    BROKER_ADDR, "127.0.0.1:6001", "Where the embedded broker's HTTP API and /metrics listen, on loopback alone (default a free port)";
    PUSHER_APP_ID, "1234", "The app on the Pusher server (default: derived, for the embedded broker)";
    PUSHER_KEY, "278d425bdf160c739803", "The app's key (default: derived)";
    PUSHER_SECRET, "7ad3773142a6692b25b8", "The app's secret (default: derived)";
    PUSHER_CLUSTER, "eu", "The cluster of your app at Pusher (api-eu.pusher.com, ws-eu.pusher.com)";
    PUSHER_HOST, "soketi.internal", "A Pusher server of your own; without it, and without a cluster: the embedded broker";
    PUSHER_PORT, "6001", "Its port (default 443, or 80 with PUSHER_SCHEME=http)";
    PUSHER_SCHEME, "http", "How it is spoken to: https or http (default https)";
    PUSHER_PATH, "/push", "A path that it has before /apps and /app, not one that a proxy takes away (default none)";
    PUSHER_CA, "/etc/vestibule/ca.pem", "A file with the authority of its certificate, besides those that the machine trusts";
    PUSHER_PUBLIC_HOST, "push.example", "Where browsers connect (default PUSHER_HOST, or the cluster's)";
    PUSHER_PUBLIC_PORT, "443", "Its port (default PUSHER_PORT, or that of PUSHER_PUBLIC_SCHEME if that is another)";
    PUSHER_PUBLIC_SCHEME, "https", "How browsers speak to it: https or http (default PUSHER_SCHEME)";
    PUSHER_PUBLIC_PATH, "/push", "A path before /app as browsers see it (default PUSHER_PATH; / for none)";
}

/// The settings that are a secret. Every user of the machine can read a flag, so they cannot be
/// flags.
const SECRETS: [&str; 4] = [
    "VALIDATOR_SECRET",
    "VALIDATOR_CALLBACK_SECRET",
    "VESTIBULE_SECRET",
    "PUSHER_SECRET",
];

/// The settings that may hold a password. As a flag they are taken without one.
const WITH_PASSWORDS: [&str; 3] = ["DATABASE_URL", "REDIS_URL", "SMTP_URL"];

impl Setting {
    /// The setting with this name.
    fn named(name: &str) -> Result<&'static Self, SettingError> {
        let setting = ALL.iter().find(|setting| setting.key == name);
        setting.copied().ok_or_else(|| SettingError {
            key: name.to_owned(),
            problem: "there is no such setting; docs/CONFIGURATION.md lists all".to_owned(),
            example: PUBLIC_URL.key.to_owned(),
        })
    }

    /// Whether all of it is a secret.
    pub fn is_secret(&self) -> bool {
        SECRETS.contains(&self.key)
    }

    /// Whether it may be read from a file, because it holds a secret, or may.
    pub fn has_file(&self) -> bool {
        self.is_secret() || WITH_PASSWORDS.contains(&self.key)
    }

    /// Checks that `value` may be given as a flag, which every user of the machine can read.
    pub fn check_flag(&'static self, value: &str) -> Result<(), SettingError> {
        if !self.is_secret() && !has_password(value) {
            return Ok(());
        }
        let way = if self.has_file() {
            format!(
                "set the variable {}, or {} to a file with it",
                self.key,
                self.file_key()
            )
        } else {
            format!("set the variable {}", self.key)
        };
        Err(self.wrong(format!(
            "a secret, and everybody on this machine can read flags; {way}"
        )))
    }

    /// The variable that names the file of a secret.
    pub fn file_key(&self) -> String {
        format!("{}_FILE", self.key)
    }

    /// The setting's flag, without the dashes.
    pub fn flag(&self) -> String {
        self.key.to_lowercase().replace('_', "-")
    }

    /// What is wrong with the setting, in one line.
    pub fn wrong(&'static self, problem: impl Into<String>) -> SettingError {
        SettingError {
            key: self.key.to_owned(),
            problem: problem.into(),
            example: self.example.to_owned(),
        }
    }

    /// The same, with an `example` that fits the problem better.
    pub fn wrong_here(&'static self, problem: impl Into<String>, example: &str) -> SettingError {
        SettingError {
            example: example.to_owned(),
            ..self.wrong(problem)
        }
    }

    /// What is wrong with a setting that is not to be there at all.
    pub fn leave_out(&'static self, why: &str) -> SettingError {
        SettingError {
            key: self.key.to_owned(),
            problem: format!("{why}; leave it out"),
            example: String::new(),
        }
    }

    fn wrong_file(&'static self, problem: impl Into<String>) -> SettingError {
        let example = format!("/run/secrets/{}", self.key.to_lowercase());
        SettingError {
            key: self.file_key(),
            problem: problem.into(),
            example,
        }
    }
}

/// Whether `value` is an address with a password in it.
fn has_password(value: &str) -> bool {
    let Ok(url) = Url::parse(value) else {
        return false;
    };
    url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
}

/// A setting that is wrong or missing: the start stops with this one line, also where a `main`
/// returns it, which prints its `Debug`.
pub struct SettingError {
    key: String,
    problem: String,
    example: String,
}

impl fmt::Debug for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)?;
        match &*self.example {
            "" => Ok(()),
            example => write!(f, " (example: {example})"),
        }
    }
}

impl std::error::Error for SettingError {}

#[cfg(test)]
mod tests;
