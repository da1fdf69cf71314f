//! The server's configuration. A wrong value stops it at start with one line.

mod application;
mod identity_headers;
mod mail;
pub mod origin;
mod practice;
pub mod proxies;
mod push;
mod setting;
mod storage;
mod validator;

pub use application::{ApplicationConfig, ApplicationParts, MAX_CALLS};
pub use identity_headers::IdentityHeader;
pub use mail::{Encryption, MailConfig, SmtpServer};
pub use practice::{KEY_MARK, Practice};
pub use push::PushConfig;
pub use setting::{ALL as SETTINGS, RawSettings, Setting, SettingError};
pub use storage::{ConnectionUrl, DatabaseLocation, SessionLocation, StorageConfig};
pub use validator::ValidatorService;

pub use crate::config::proxies::Proxies;

use crate::config::origin::Origin;
use setting::{
    ACCOUNT_PAGES, BROKER_ADDR, CONFIRM_ATTEMPT, CONFIRM_BEGIN_WITHIN, CONFIRM_DEADLINE,
    CONFIRM_IN_FLIGHT, CONFIRM_LEASE, CONFIRM_PER_CLIENT, CONFIRM_POLL, CONFIRM_REDIRECT,
    CONFIRM_START, CONFIRM_UNDECIDED, CONFIRM_WAIT, DATABASE_URL, HSTS_SUBDOMAINS,
    IDENTITY_HEADERS, LEPTOS_SITE_ADDR, LEPTOS_SITE_ROOT, OPS_ADDR, PUBLIC_URL, PUSHER_SCHEME,
    REDIS_URL, SESSION_ABSOLUTE, SESSION_IDLE, SESSIONS_PER_USER, TRUSTED_PROXIES, VALIDATOR_URL,
    VESTIBULE_SECRET,
};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use vestibule::{
    caps::Caps, link::Registration, outcome::Destinations, path::Base, secret::Keys, timing::Timing,
};

/// The server's configuration.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub addr: SocketAddr,
    /// Where health, and the control of practice mode, listen as well.
    pub ops_addr: Option<SocketAddr>,
    /// The address that browsers see, if it was given; else it follows from `addr`.
    pub public: Option<Origin>,
    /// The path of that address, under which everything lies.
    pub base: Base,
    /// Which hosts browsers are to reach by HTTPS alone.
    pub hsts: HstsScope,
    /// The folder of the built site.
    pub site_root: PathBuf,
    /// Where everything is kept.
    pub storage: StorageConfig,
    /// The operator's keys; `None` in practice mode, which makes its own.
    pub keys: Option<Keys>,
    /// The service that judges tokens. `None`: practice mode's own validator does, or the
    /// application's.
    pub validator: Option<ValidatorService>,
    /// Whether this is practice mode; else, whether its user is removed from a database that was
    /// used in practice mode by mistake.
    pub practice: Practice,
    /// The application that these sign-ins are a part of; `None` for a server of our own.
    pub application: Option<ApplicationConfig>,
    /// How mail is sent, if it is; practice mode has a mailbox of its own.
    pub mail: Option<MailConfig>,
    /// Who may sign in by a link.
    pub registration: Registration,
    /// How many links an hour are sent to addresses of no known user.
    pub strangers: u32,
    /// Whether the page begins by itself.
    pub start: BeginMode,
    /// Where outcomes lead.
    pub destinations: Destinations,
    /// What the application is told of a user besides their id.
    pub identity_headers: Vec<IdentityHeader>,
    /// Whether there are pages to change a password and an address.
    pub account_pages: bool,
    /// How long each part may take.
    pub timing: Timing,
    /// How many validations may be in flight at once.
    pub in_flight: usize,
    /// How much else there may be at once.
    pub caps: Caps,
    /// The trusted proxies, whose forwarding header names the client.
    pub proxies: Proxies,
    /// The Pusher server.
    pub push: PushConfig,
    /// Where the embedded broker's HTTP API listens, if there is one.
    pub broker_addr: SocketAddr,
    /// Whether a worker runs beside the pages (default), or in processes of its own.
    pub worker: bool,
}

/// Whether the confirm page begins by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeginMode {
    /// When it is visible and no user is signed in.
    Auto,
    /// Never: it waits for the button.
    Click,
}

/// Which hosts browsers are to reach by HTTPS alone, once they have come by it (RFC 6797).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HstsScope {
    /// That of the public address and all below it.
    WithSubdomains,
    /// That of the public address.
    HostAlone,
}

impl HstsScope {
    /// What the header `Strict-Transport-Security` says, for a year.
    pub const fn header(self) -> &'static str {
        match self {
            Self::WithSubdomains => "max-age=31536000; includeSubDomains",
            Self::HostAlone => "max-age=31536000",
        }
    }
}

impl Config {
    /// Reads the settings of a server.
    pub fn read(given: &RawSettings) -> Result<Self, SettingError> {
        Self::read_for(given, None)
    }

    fn read_for(
        given: &RawSettings,
        application: Option<ApplicationConfig>,
    ) -> Result<Self, SettingError> {
        // An application listens itself.
        let addr = match application {
            Some(_) => None,
            None => given.read(&LEPTOS_SITE_ADDR, |text| {
                text.parse().map_err(|_| "not an IP address with a port")
            })?,
        };
        let addr = addr.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 3000)));
        let own_validator = application.is_some_and(|application| application.own_validator);
        let mode = Practice::read(given, own_validator)?;
        let practice = mode == Practice::On;
        let validator = ValidatorService::read(given)?;
        let keys = given.read(&VESTIBULE_SECRET, keys)?;
        let (public, base) = match given.read(&PUBLIC_URL, origin::public)? {
            Some((origin, base)) => (Some(origin), base),
            None => (None, Base::default()),
        };
        if practice && !addr.ip().is_loopback() {
            return Err(VALIDATOR_URL.wrong(format!(
                "missing; practice mode listens on loopback only, not on {addr}"
            )));
        }
        if !practice && keys.is_none() {
            return Err(VESTIBULE_SECRET.wrong("missing; it is needed outside practice mode"));
        }
        if public.is_none() && !addr.ip().is_loopback() {
            return Err(PUBLIC_URL.wrong(format!(
                "missing; browsers cannot be told to come to {addr}"
            )));
        }
        let ops_addr = ops_addr(given, practice)?;
        let start = given.read(&CONFIRM_START, |text| match text {
            "auto" => Ok(BeginMode::Auto),
            "click" => Ok(BeginMode::Click),
            _ => Err("neither auto nor click"),
        })?;
        let account_pages = given.read(&ACCOUNT_PAGES, |text| match text {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err("neither on nor off"),
        })?;
        let hsts = given.read(&HSTS_SUBDOMAINS, |text| match text {
            "include" => Ok(HstsScope::WithSubdomains),
            "exclude" => Ok(HstsScope::HostAlone),
            _ => Err("neither include nor exclude"),
        })?;
        Ok(Self {
            push: PushConfig::read(given, public.as_ref().is_some_and(Origin::is_secure))?,
            addr,
            ops_addr,
            public,
            hsts: hsts.unwrap_or(HstsScope::WithSubdomains),
            site_root: PathBuf::from(given.text(&LEPTOS_SITE_ROOT).unwrap_or("target/site")),
            storage: StorageConfig::read(given)?,
            keys,
            validator,
            practice: mode,
            application,
            mail: MailConfig::read(given)?,
            registration: mail::registration(given, practice)?,
            strangers: mail::strangers(given)?,
            start: start.unwrap_or(BeginMode::Auto),
            destinations: destinations(given, &base, practice)?,
            base,
            identity_headers: given
                .read(&IDENTITY_HEADERS, IdentityHeader::list)?
                .unwrap_or_default(),
            account_pages: account_pages.unwrap_or(true),
            timing: timing(given)?,
            in_flight: given
                .read(&CONFIRM_IN_FLIGHT, in_flight)?
                .unwrap_or(vestibule::worker::IN_FLIGHT),
            caps: caps(given)?,
            proxies: given
                .read(&TRUSTED_PROXIES, Proxies::parse)?
                .unwrap_or_default(),
            broker_addr: given
                .read(&BROKER_ADDR, loopback)?
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            worker: true,
        })
    }

    /// The same for a process that has only the pages, or only the worker, and shares everything
    /// else with others.
    pub fn apart(self) -> Result<Self, SettingError> {
        if self.is_practice() {
            return Err(
                VALIDATOR_URL.wrong("missing; practice mode is one process with everything")
            );
        }
        self.storage.shared()?;
        if self.mail.is_some() && self.public.is_none() {
            return Err(PUBLIC_URL
                .wrong("missing; the links in mails lead there, whichever process sends them"));
        }
        Ok(Self {
            worker: false,
            ..self
        })
    }

    /// The connections to other machines that nothing keeps others from reading and changing, a
    /// line each.
    pub fn unencrypted(&self) -> Vec<String> {
        let StorageConfig {
            database, sessions, ..
        } = &self.storage;
        let database = matches!(database, DatabaseLocation::Postgres(address) if address.is_unencrypted_elsewhere());
        let sessions = matches!(sessions, SessionLocation::Redis(address) if address.is_unencrypted_elsewhere());
        let unencrypted = [
            (database, &DATABASE_URL, "?sslmode=verify-full"),
            (sessions, &REDIS_URL, "rediss://"),
            (
                self.push.is_unencrypted_elsewhere(),
                &PUSHER_SCHEME,
                "https",
            ),
        ];
        let line = |(_, setting, way): (bool, &Setting, &str)| {
            format!(
                "{}: another machine, and the connection may be unencrypted; encrypt it ({way})",
                setting.key
            )
        };
        unencrypted
            .into_iter()
            .filter(|(unencrypted, ..)| *unencrypted)
            .map(line)
            .collect()
    }

    /// Whether this is practice mode, in which everybody on this machine can sign in.
    pub fn is_practice(&self) -> bool {
        self.practice == Practice::On
    }
}

/// Where outcomes lead. What is no page of ours that needs a user is reached through one that does:
/// there the browser gets its session.
fn destinations(
    given: &RawSettings,
    base: &Base,
    practice: bool,
) -> Result<Destinations, SettingError> {
    let own = || Destinations::below(base.clone());
    let leading_to = |text: &str| {
        let path = text
            .parse()
            .map_err(|error: vestibule::path::InvalidPath| error.to_string())?;
        own().leading_to(path, practice).map_err(str::to_owned)
    };
    Ok(given
        .read(&CONFIRM_REDIRECT, leading_to)?
        .unwrap_or_else(own))
}

fn keys(text: &str) -> Result<Keys, String> {
    if text.contains(KEY_MARK) {
        return Err("it is the key of practice mode; make another one".into());
    }
    Keys::parse(text).map_err(|error| error.to_string())
}

/// Anyone who reaches the control of practice mode can act as any user, so it is never beyond loopback.
fn ops_addr(given: &RawSettings, practice: bool) -> Result<Option<SocketAddr>, SettingError> {
    let addr: Option<SocketAddr> = given.read(&OPS_ADDR, |text| {
        text.parse().map_err(|_| "not an IP address with a port")
    })?;
    match addr {
        Some(addr) if practice && !addr.ip().is_loopback() => Err(OPS_ADDR.wrong(format!(
            "practice mode listens on loopback only, not on {addr}"
        ))),
        addr => Ok(addr),
    }
}

fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    let addr = text
        .parse()
        .ok()
        .filter(|addr: &SocketAddr| addr.ip().is_loopback());
    addr.ok_or("not a loopback address with a port")
}

fn in_flight(text: &str) -> Result<usize, &'static str> {
    text.parse()
        .ok()
        .filter(|count| (1..=100_000).contains(count))
        .ok_or("not a number from 1 to 100000")
}

fn caps(given: &RawSettings) -> Result<Caps, SettingError> {
    let mut caps = Caps::default();
    for (setting, cap) in [
        (&CONFIRM_PER_CLIENT, &mut caps.of_client),
        (&CONFIRM_UNDECIDED, &mut caps.in_all),
        (&SESSIONS_PER_USER, &mut caps.sessions),
    ] {
        let read = |text: &str| {
            text.parse()
                .ok()
                .filter(|cap| *cap > 0)
                .ok_or("not a number from 1 to 4294967295")
        };
        *cap = given.read(setting, read)?.unwrap_or(*cap);
    }
    Ok(caps)
}

/// The longest time that a validator may take to answer later.
const MAX_WAIT: Duration = Duration::from_hours(7 * 24);

fn timing(given: &RawSettings) -> Result<Timing, SettingError> {
    let mut timing = Timing::default();
    for (setting, part) in [
        (&CONFIRM_ATTEMPT, &mut timing.attempt),
        (&CONFIRM_DEADLINE, &mut timing.deadline),
        (&CONFIRM_WAIT, &mut timing.wait),
        (&CONFIRM_LEASE, &mut timing.lease),
        (&CONFIRM_POLL, &mut timing.poll),
        (&CONFIRM_BEGIN_WITHIN, &mut timing.begin_within),
        (&SESSION_IDLE, &mut timing.idle),
        (&SESSION_ABSOLUTE, &mut timing.absolute),
    ] {
        let read =
            |text: &str| humantime::parse_duration(text).map_err(|_| "not a time with its unit");
        if let Some(given) = given.read(setting, read)? {
            if given < Duration::from_millis(100) || given > Duration::from_hours(24 * 366) {
                return Err(setting.wrong("not between 100ms and 366days"));
            }
            *part = given;
        }
    }
    if given.text(&CONFIRM_WAIT).is_none() {
        timing.wait = timing.wait.max(timing.deadline);
    } else if timing.wait < timing.deadline {
        return Err(CONFIRM_WAIT.wrong(
            "shorter than CONFIRM_DEADLINE, so a validator that asks for time would lose it",
        ));
    } else if timing.wait > MAX_WAIT {
        return Err(CONFIRM_WAIT.wrong("longer than 7days"));
    }
    timing.bound = timing.bound.max(timing.wait);
    if timing.lease <= timing.attempt {
        return Err(CONFIRM_LEASE
            .wrong("not longer than CONFIRM_ATTEMPT, so an attempt could outlive its lease"));
    }
    if timing.absolute < timing.idle {
        return Err(SESSION_ABSOLUTE
            .wrong("shorter than SESSION_IDLE, so no session would live that long unused"));
    }
    Ok(timing)
}

#[cfg(test)]
mod tests;
