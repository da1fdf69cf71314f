//! The settings of an application that sign-ins are a part of, and what it brings along.

use super::{
    Config, RawSettings, Setting, SettingError,
    setting::{
        DATABASE_URL, PUBLIC_URL, VALIDATOR_CALLBACK_SECRET, VALIDATOR_SECRET, VALIDATOR_TLS,
        VALIDATOR_URL, VESTIBULE_SITE_ROOT,
    },
};
use std::sync::Arc;
use vestibule::{notice::OnConfirmed, store::ApplicationDatabase, validator::Validator};

/// How many calls of an application's own validator may be under way at once: each has a thread.
pub const MAX_CALLS: usize = 256;

/// What an application brings along.
#[derive(Default)]
pub struct ApplicationParts {
    /// Judges tokens, in place of a service.
    pub validator: Option<Arc<dyn Validator>>,
    /// Where everything is kept.
    pub database: Option<ApplicationDatabase>,
    /// What is told of confirmations.
    pub on_confirmed: Option<Arc<dyn OnConfirmed>>,
}

/// An application that sign-ins are a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApplicationConfig {
    /// Whether it judges tokens itself.
    pub own_validator: bool,
}

impl Config {
    /// Reads the settings of the part of an application that signs its users in, beside what the
    /// application brings along.
    pub(crate) fn read_in_application(
        given: &RawSettings,
        parts: &ApplicationParts,
    ) -> Result<Self, SettingError> {
        let own_validator = parts.validator.is_some();
        let application = ApplicationConfig { own_validator };
        let mut config = Self::read_for(given, Some(application))?;
        if config.base.as_str().is_empty() {
            return Err(PUBLIC_URL.wrong_here(
                "it has no path; the rest of the host is the application's, so all of Vestibule \
                 lies below a path",
                "https://app.example/auth",
            ));
        }
        if own_validator {
            leave_out_service(given)?;
        }
        // `LEPTOS_SITE_ROOT` is the application's own, if it is in Leptos.
        config.site_root = given
            .text(&VESTIBULE_SITE_ROOT)
            .unwrap_or("target/site")
            .into();
        if let Some(database) = parts.database.clone() {
            if given.text(&DATABASE_URL).is_some() {
                return Err(DATABASE_URL.leave_out("the application's own database is used"));
            }
            config.storage.database = database.into();
        }
        if let Some(public) = config.public.as_ref().filter(|public| !public.is_secure()) {
            // The application listens, so it is loopback's names at this port that are ours.
            config.addr.set_port(public.port());
        }
        if own_validator {
            // The rest waits in the queue, where its time does not run yet.
            config.in_flight = config.in_flight.min(MAX_CALLS);
        }
        Ok(config)
    }
}

/// Refuses the settings of a service that judges tokens, where an application does so itself.
fn leave_out_service(given: &RawSettings) -> Result<(), SettingError> {
    let of_service: [&'static Setting; 4] = [
        &VALIDATOR_URL,
        &VALIDATOR_SECRET,
        &VALIDATOR_TLS,
        &VALIDATOR_CALLBACK_SECRET,
    ];
    let set = of_service
        .into_iter()
        .find(|setting| given.text(setting).is_some());
    set.map_or(Ok(()), |setting| {
        Err(setting.leave_out("the application has a validator of its own"))
    })
}
