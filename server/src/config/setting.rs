//! The settings: one table from which the flags, the help and the messages come.

use std::{collections::HashMap, fmt};

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
    PUBLIC_URL, "https://sign-in.example", "The address that browsers see; needed unless LEPTOS_SITE_ADDR is loopback";
    VESTIBULE_SECRET, "openssl rand -base64 32", "Base64 of 32 bytes or more; several with commas, the newest first; needed outside practice mode";
    VESTIBULE_DATA, "./data", "The folder of the database (default ./data)";
    DATABASE_URL, "sqlite:data/vestibule.db", "Where everything is kept: sqlite:FILE or postgres://… (default: vestibule.db in VESTIBULE_DATA)";
    REDIS_URL, "redis://localhost:6379/0", "Keeps sessions in Redis; without it: in the database";
    SESSION_STORE, "database", "Where sessions are kept: database, redis or memory (default redis with REDIS_URL, else database)";
    SMTP_URL, "smtps://user:password@mail.example", "Sends links to sign in by mail; smtp:// asks for TLS unless it is loopback or says ?tls=none (default: no mail)";
    MAIL_FROM, "Vestibule <no-reply@example.com>", "Whom mail is from; needed with SMTP_URL";
    REGISTRATION, "closed", "Whether a mailed link lets in people whom nobody knows yet: closed or open (default closed; in practice mode open)";
    REGISTRATION_PER_HOUR, "1000", "How many links an hour are mailed, with REGISTRATION=open, to addresses that nobody is known by (default 1000)";
    LEPTOS_SITE_ADDR, "127.0.0.1:3000", "Where to listen (default 127.0.0.1:3000)";
    LEPTOS_SITE_ROOT, "target/site", "The folder of the built site (default target/site)";
    CONFIRM_START, "auto", "auto: the page begins by itself; click: it waits for Continue (default auto)";
    CONFIRM_REDIRECT, "/profile", "Where a sign-in leads (default /profile)";
    CONFIRM_ATTEMPT, "10s", "How long one call of the validator may take (default 10s)";
    CONFIRM_DEADLINE, "60s", "How long a token may take to be judged, with all attempts (default 60s)";
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

impl Setting {
    /// The setting's flag, without the dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        self.key.to_lowercase().replace('_', "-")
    }

    /// What is wrong with the setting, in one line.
    #[must_use]
    pub fn wrong(&'static self, problem: impl Into<String>) -> WrongSetting {
        WrongSetting { setting: self, problem: problem.into() }
    }
}

/// A setting that is wrong or missing: the start stops with this one line.
#[derive(Debug)]
pub struct WrongSetting {
    setting: &'static Setting,
    problem: String,
}

impl fmt::Display for WrongSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (example: {})", self.setting.key, self.problem, self.setting.example)
    }
}

impl std::error::Error for WrongSetting {}

/// The values that were given. An empty value counts as none.
#[derive(Default)]
pub struct Given(HashMap<&'static str, String>);

impl Given {
    /// Values from `lookup`, which is asked for each setting.
    pub fn from_lookup(lookup: impl Fn(&'static Setting) -> Option<String>) -> Self {
        let given =
            |setting: &&'static Setting| Some((setting.key, lookup(setting).filter(|value| !value.is_empty())?));
        Self(ALL.iter().filter_map(given).collect())
    }

    /// The value of `setting`.
    #[must_use]
    pub fn text(&self, setting: &'static Setting) -> Option<&str> {
        self.0.get(setting.key).map(String::as_str)
    }

    /// The value of `setting`, read by `read`, which says what is wrong with it.
    ///
    /// # Errors
    /// [`WrongSetting`] with what `read` said.
    pub fn read<T, P: Into<String>>(
        &self,
        setting: &'static Setting,
        read: impl FnOnce(&str) -> Result<T, P>,
    ) -> Result<Option<T>, WrongSetting> {
        self.text(setting).map(|text| read(text).map_err(|problem| setting.wrong(problem))).transpose()
    }
}
