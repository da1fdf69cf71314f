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
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Config, String> {
        let find =
            |setting: &Setting| given.iter().find(|(key, _)| *key == setting.key).map(|(_, value)| (*value).to_owned());
        Config::read(&Given::from_lookup(find)).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_given_is_practice_mode_on_loopback() {
        let config = read(&[]).unwrap();
        assert!(config.is_practice() && config.addr.ip().is_loopback());
    }

    #[test]
    fn practice_mode_listens_on_loopback_only() {
        assert!(read(&[("LEPTOS_SITE_ADDR", "0.0.0.0:3000")]).unwrap_err().starts_with("VALIDATOR_URL: missing"));
    }

    #[test]
    fn outside_practice_mode_no_secret_has_a_default() {
        let validator = ("VALIDATOR_URL", "http://v.example/");
        assert!(read(&[validator]).unwrap_err().starts_with("VESTIBULE_SECRET: missing"));
        assert!(
            read(&[validator, ("VESTIBULE_SECRET", "c2hvcnQ=")]).unwrap_err().starts_with("VESTIBULE_SECRET: a key is")
        );
    }

    #[test]
    fn only_practice_mode_lets_in_whom_nobody_knows() {
        let real = [("VALIDATOR_URL", "http://v.example/"), ("VESTIBULE_SECRET", &*"c2hvcnQ".repeat(8))];
        let open = ("REGISTRATION", "open");
        assert_eq!(read(&real).unwrap().registration, Registration::Closed);
        assert_eq!(read(&[real[0], real[1], open]).unwrap().registration, Registration::Open);
        assert_eq!(read(&[]).unwrap().registration, Registration::Open);
        assert_eq!(read(&[("REGISTRATION", "closed")]).unwrap().registration, Registration::Closed);
    }

    #[test]
    fn a_process_apart_needs_to_know_where_the_links_in_its_mails_lead() {
        let secret = "c2hvcnQ".repeat(8);
        let given = [
            ("VALIDATOR_URL", "http://v.example/"),
            ("VESTIBULE_SECRET", &*secret),
            ("DATABASE_URL", "postgres://localhost/sign_in"),
            ("SMTP_URL", "smtp://localhost"),
            ("MAIL_FROM", "no-reply@example.com"),
        ];
        let apart = |given: &[_]| read(given).unwrap().apart().map(drop).map_err(|error| error.to_string());
        assert!(apart(&given).unwrap_err().starts_with("PUBLIC_URL: missing; the links in mails"));
        assert_eq!(apart(&[&given[..], &[("PUBLIC_URL", "https://sign-in.example")]].concat()), Ok(()));
    }

    #[test]
    fn a_session_may_live_as_long_as_it_may_be_unused_and_no_shorter() {
        assert!(read(&[("SESSION_ABSOLUTE", "14days")]).is_ok());
        for given in [("SESSION_ABSOLUTE", "13days"), ("SESSION_IDLE", "91days")] {
            assert!(
                read(&[given]).unwrap_err().starts_with("SESSION_ABSOLUTE: shorter than SESSION_IDLE"),
                "{given:?}"
            );
        }
    }

    #[test]
    fn a_wrong_value_is_one_line_with_key_problem_and_example() {
        for (key, value) in [
            ("LEPTOS_SITE_ADDR", "localhost"),
            ("PUBLIC_URL", "example"),
            ("PUBLIC_URL", "http://sign-in.example"),
            ("DATABASE_URL", "mysql://x"),
            ("REDIS_URL", "http://x"),
            ("SESSION_STORE", "disk"),
            ("SMTP_URL", "mail.example"),
            ("MAIL_FROM", "Vestibule"),
            ("REGISTRATION", "yes"),
            ("CONFIRM_START", "maybe"),
            ("CONFIRM_REDIRECT", "//evil.example"),
            ("CONFIRM_ATTEMPT", "10"),
            ("CONFIRM_ATTEMPT", "31s"),
            ("CONFIRM_DEADLINE", "0s"),
            ("CONFIRM_IN_FLIGHT", "0"),
            ("CONFIRM_PER_CLIENT", "0"),
            ("CONFIRM_UNDECIDED", "-1"),
            ("SESSIONS_PER_USER", "many"),
            ("SESSION_IDLE", "91days"),
            ("SESSION_ABSOLUTE", "13days"),
            ("TRUSTED_PROXIES", "proxy.example"),
            ("BROKER_ADDR", "0.0.0.0:6001"),
            ("PUSHER_KEY", "k"),
            ("PUSHER_HOST", "http://x"),
        ] {
            let line = read(&[(key, value)]).unwrap_err();
            assert!(
                line.contains(": ") && line.contains("(example: ") && !line.contains('\n'),
                "{key}={value}: {line}"
            );
        }
    }
}
