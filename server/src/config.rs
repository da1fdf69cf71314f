//! What the server is told at its start. A wrong value stops it with one line.

mod keeping;
mod mail;
mod push;
mod setting;

pub use keeping::{Address, Database, Keeping, Sessions};
pub use mail::{Encryption, MailConfig, SmtpServer};
pub use push::PushConfig;
pub use setting::{ALL as SETTINGS, Given, Setting, WrongSetting};

pub use crate::client::Proxies;

use crate::origin::Origin;
use setting::{
    BROKER_ADDR, CONFIRM_ATTEMPT, CONFIRM_BEGIN_WITHIN, CONFIRM_DEADLINE, CONFIRM_IN_FLIGHT, CONFIRM_LEASE,
    CONFIRM_PER_CLIENT, CONFIRM_POLL, CONFIRM_REDIRECT, CONFIRM_START, CONFIRM_UNDECIDED, LEPTOS_SITE_ADDR,
    LEPTOS_SITE_ROOT, PUBLIC_URL, SESSION_ABSOLUTE, SESSION_IDLE, SESSIONS_PER_USER, TRUSTED_PROXIES, VALIDATOR_SECRET,
    VALIDATOR_URL, VESTIBULE_SECRET,
};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use vestibule::{caps::Caps, link::Registration, outcome::Destinations, secret::Keys, timing::Timing};

/// What the server is told at its start.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub addr: SocketAddr,
    /// The address that browsers see, if it was given; else it follows from `addr`.
    pub public: Option<Origin>,
    /// The folder of the built site.
    pub site_root: PathBuf,
    /// Where everything is kept.
    pub keeping: Keeping,
    /// The operator's keys; `None` in practice mode, which makes its own.
    pub keys: Option<Keys>,
    /// Who judges tokens; `None` in practice mode.
    pub validator: Option<ValidatorService>,
    /// How mail is sent, if it is; practice mode has a mailbox of its own.
    pub mail: Option<MailConfig>,
    /// Whom links let in.
    pub registration: Registration,
    /// How many links an hour go to addresses that nobody is known by.
    pub strangers: u32,
    /// Whether the page begins by itself.
    pub start: Start,
    /// Where outcomes lead.
    pub destinations: Destinations,
    /// How long each part may take.
    pub timing: Timing,
    /// How many validations may be in flight at once.
    pub in_flight: usize,
    /// How much else there may be at once.
    pub caps: Caps,
    /// The proxies whose word is taken for whom a request comes from.
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
pub enum Start {
    /// When it is visible and nobody is signed in.
    Auto,
    /// Never: it waits for the button.
    Click,
}

/// The service that judges tokens.
pub struct ValidatorService {
    /// Its address.
    pub url: String,
    /// What it knows this server by.
    pub secret: Option<String>,
}

impl std::fmt::Debug for ValidatorService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ValidatorService(…)")
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`WrongSetting`] names the first one that is wrong or missing.
    pub fn read(given: &Given) -> Result<Self, WrongSetting> {
        let addr: SocketAddr = given
            .read(&LEPTOS_SITE_ADDR, |text| text.parse().map_err(|_| "not an IP address with a port"))?
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 3000)));
        let validator = given.text(&VALIDATOR_URL).map(|url| ValidatorService {
            url: url.to_owned(),
            secret: given.text(&VALIDATOR_SECRET).map(str::to_owned),
        });
        let keys = given.read(&VESTIBULE_SECRET, |text| Keys::parse(text).map_err(|error| error.to_string()))?;
        let public = given.read(&PUBLIC_URL, Origin::parse)?;
        let practice = validator.is_none();
        if practice && !addr.ip().is_loopback() {
            return Err(VALIDATOR_URL.wrong(format!("missing; practice mode listens on loopback only, not on {addr}")));
        }
        if !practice && keys.is_none() {
            return Err(VESTIBULE_SECRET.wrong("missing; it is needed outside practice mode"));
        }
        if public.is_none() && !addr.ip().is_loopback() {
            return Err(PUBLIC_URL.wrong(format!("missing; browsers cannot be told to come to {addr}")));
        }
        let start = given.read(&CONFIRM_START, |text| match text {
            "auto" => Ok(Start::Auto),
            "click" => Ok(Start::Click),
            _ => Err("neither auto nor click"),
        })?;
        Ok(Self {
            push: PushConfig::read(given, public.as_ref().is_some_and(Origin::is_secure))?,
            addr,
            public,
            site_root: PathBuf::from(given.text(&LEPTOS_SITE_ROOT).unwrap_or("target/site")),
            keeping: Keeping::read(given)?,
            keys,
            validator,
            mail: MailConfig::read(given)?,
            registration: mail::registration(given, practice)?,
            strangers: mail::strangers(given)?,
            start: start.unwrap_or(Start::Auto),
            destinations: destinations(given)?,
            timing: timing(given)?,
            in_flight: given.read(&CONFIRM_IN_FLIGHT, in_flight)?.unwrap_or(vestibule::worker::IN_FLIGHT),
            caps: caps(given)?,
            proxies: given.read(&TRUSTED_PROXIES, Proxies::parse)?.unwrap_or_default(),
            broker_addr: given.read(&BROKER_ADDR, loopback)?.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            worker: true,
        })
    }

    /// The same for a process that has only the pages, or only the worker, and shares everything else with others.
    ///
    /// # Errors
    /// [`WrongSetting`] names what cannot be shared.
    pub fn apart(self) -> Result<Self, WrongSetting> {
        if self.is_practice() {
            return Err(VALIDATOR_URL.wrong("missing; practice mode is one process with everything"));
        }
        self.keeping.shared()?;
        if self.mail.is_some() && self.public.is_none() {
            return Err(PUBLIC_URL.wrong("missing; the links in mails lead there, whichever process sends them"));
        }
        Ok(Self { worker: false, ..self })
    }

    /// Whether no validator is configured, so that the practice validator judges.
    #[must_use]
    pub const fn is_practice(&self) -> bool {
        self.validator.is_none()
    }
}

fn destinations(given: &Given) -> Result<Destinations, WrongSetting> {
    let mut destinations = Destinations::default();
    let path = |text: &str| text.parse().map_err(|error: vestibule::path::InvalidPath| error.to_string());
    if let Some(confirmed) = given.read(&CONFIRM_REDIRECT, path)? {
        destinations.confirmed = confirmed;
    }
    Ok(destinations)
}

fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    let addr = text.parse().ok().filter(|addr: &SocketAddr| addr.ip().is_loopback());
    addr.ok_or("not a loopback address with a port")
}

fn in_flight(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|count| (1..=100_000).contains(count)).ok_or("not a number from 1 to 100000")
}

fn caps(given: &Given) -> Result<Caps, WrongSetting> {
    let mut caps = Caps::default();
    for (setting, cap) in [
        (&CONFIRM_PER_CLIENT, &mut caps.of_client),
        (&CONFIRM_UNDECIDED, &mut caps.in_all),
        (&SESSIONS_PER_USER, &mut caps.sessions),
    ] {
        let read = |text: &str| text.parse().ok().filter(|cap| *cap > 0).ok_or("not a number from 1 to 4294967295");
        *cap = given.read(setting, read)?.unwrap_or(*cap);
    }
    Ok(caps)
}

fn timing(given: &Given) -> Result<Timing, WrongSetting> {
    let mut timing = Timing::default();
    for (setting, part) in [
        (&CONFIRM_ATTEMPT, &mut timing.attempt),
        (&CONFIRM_DEADLINE, &mut timing.deadline),
        (&CONFIRM_LEASE, &mut timing.lease),
        (&CONFIRM_POLL, &mut timing.poll),
        (&CONFIRM_BEGIN_WITHIN, &mut timing.begin_within),
        (&SESSION_IDLE, &mut timing.idle),
        (&SESSION_ABSOLUTE, &mut timing.absolute),
    ] {
        let read = |text: &str| humantime::parse_duration(text).map_err(|_| "not a time with its unit");
        if let Some(given) = given.read(setting, read)? {
            if given < Duration::from_millis(100) || given > Duration::from_hours(24 * 366) {
                return Err(setting.wrong("not between 100ms and 366days"));
            }
            *part = given;
        }
    }
    if timing.lease <= timing.attempt {
        return Err(CONFIRM_LEASE.wrong("not longer than CONFIRM_ATTEMPT, so an attempt could outlive its lease"));
    }
    if timing.absolute < timing.idle {
        return Err(SESSION_ABSOLUTE.wrong("shorter than SESSION_IDLE, so no session would live that long unused"));
    }
    Ok(timing)
}

#[cfg(test)]
mod tests;
