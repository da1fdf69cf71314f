//! Whether practice mode runs. It adds a user whose password is public, so it never starts just
//! because a production server's settings are incomplete.

use super::{
    RawSettings, Setting, SettingError,
    setting::{
        DATABASE_URL, PRACTICE, PUBLIC_URL, PUSHER_CLUSTER, PUSHER_HOST, REDIS_URL, SMTP_URL,
        TRUSTED_PROXIES, VALIDATOR_CALLBACK_SECRET, VALIDATOR_SECRET, VALIDATOR_TLS, VALIDATOR_URL,
        VESTIBULE_SECRET,
    },
};
use crate::config::origin;
use url::Url;

/// What stands before practice mode's own key in its file, so that it is never taken for a key of
/// an operator's. Versions before this one wrote the key alone.
pub const KEY_MARK: &str = "practice:";

/// Whether practice mode runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Practice {
    /// It runs.
    On,
    /// It does not run.
    Off {
        /// Whether its user is removed from a database that was used in practice mode by mistake.
        forget: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    On,
    Off,
    Forget,
}

impl Practice {
    /// Reads the settings. Practice mode runs where it is asked for, or where there is no validator
    /// and none of the other settings that only a server in use has. An application's
    /// `own_validator` is for either: by it alone no one can tell whether it is in use.
    ///
    /// # Errors
    /// [`SettingError`] if a server in use lacks its validator, or has one and practice mode is
    /// asked for.
    pub fn read(given: &RawSettings, own_validator: bool) -> Result<Self, SettingError> {
        let asked = given.read(&PRACTICE, |text| match text {
            "on" | "true" | "1" => Ok(Asked::On),
            "off" | "false" | "0" => Ok(Asked::Off),
            "forget" => Ok(Asked::Forget),
            _ => Err("neither on, off nor forget"),
        })?;
        let off = Self::Off {
            forget: asked == Some(Asked::Forget),
        };
        if own_validator {
            let in_use = match asked {
                Some(Asked::On) => false,
                Some(Asked::Off | Asked::Forget) => true,
                None => sign_of_use(given).is_some(),
            };
            return Ok(if in_use { off } else { Self::On });
        }
        match (given.text(&VALIDATOR_URL), asked) {
            (Some(_), Some(Asked::On)) => {
                Err(PRACTICE
                    .wrong("practice mode has a validator of its own; leave VALIDATOR_URL out"))
            }
            (Some(_), _) => Ok(off),
            (None, Some(Asked::On)) => Ok(Self::On),
            (None, Some(_)) => Err(missing(
                given,
                "PRACTICE says that this is not practice mode",
            )),
            (None, None) => match sign_of_use(given) {
                Some(setting) => Err(missing(
                    given,
                    &format!(
                        "{} is set, and practice mode, in which everybody can sign in, does not run beside it; set \
                         VALIDATOR_URL, or PRACTICE=on if practice mode is meant",
                        setting.key
                    ),
                )),
                None => Ok(Self::On),
            },
        }
    }
}

fn missing(given: &RawSettings, why: &str) -> SettingError {
    let state = if given.is_blank(&VALIDATOR_URL) {
        "set, but empty"
    } else {
        "missing"
    };
    VALIDATOR_URL.wrong(format!("{state}; {why}"))
}

/// A setting that only a server in use has.
fn sign_of_use(given: &RawSettings) -> Option<&'static Setting> {
    let signs = [
        &VESTIBULE_SECRET,
        &VALIDATOR_SECRET,
        &VALIDATOR_CALLBACK_SECRET,
        &VALIDATOR_TLS,
        &PUBLIC_URL,
        &DATABASE_URL,
        &REDIS_URL,
        &SMTP_URL,
        &PUSHER_HOST,
        &PUSHER_CLUSTER,
        &TRUSTED_PROXIES,
    ];
    // An invalid address is refused elsewhere, under its own setting.
    signs.into_iter().find(|setting| match given.text(setting) {
        Some(text) if setting.key == PUBLIC_URL.key => {
            origin::public(text).is_ok_and(|(origin, _)| origin.is_secure())
        }
        Some(text) if setting.key == DATABASE_URL.key => {
            Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"))
        }
        text => text.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFF: Practice = Practice::Off { forget: false };

    fn read(settings: &[(&str, &str)]) -> Result<Practice, String> {
        read_beside(settings, false)
    }

    fn read_beside(settings: &[(&str, &str)], own_validator: bool) -> Result<Practice, String> {
        let find = |setting: &Setting| {
            settings
                .iter()
                .find(|(key, _)| *key == setting.key)
                .map(|(_, value)| (*value).to_owned())
        };
        Practice::read(&RawSettings::from_lookup(find), own_validator)
            .map_err(|error| error.to_string())
    }

    const SIGNS: [(&str, &str); 14] = [
        (
            "VESTIBULE_SECRET",
            "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=",
        ),
        ("VALIDATOR_SECRET", "hush"),
        ("VALIDATOR_CALLBACK_SECRET", "whsec_hush"),
        ("VALIDATOR_TLS", "none"),
        ("PUBLIC_URL", "https://sign-in.example"),
        ("PUBLIC_URL", "HTTPS://localhost"),
        ("PUBLIC_URL", "https://app.example/auth"),
        ("DATABASE_URL", "postgres://localhost/sign_in"),
        ("DATABASE_URL", "PostgreSQL:///sign_in?host=/run/postgresql"),
        ("REDIS_URL", "redis://localhost"),
        ("SMTP_URL", "smtp://localhost"),
        ("PUSHER_HOST", "soketi.internal"),
        ("PUSHER_CLUSTER", "eu"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ];

    #[test]
    fn practice_mode_never_runs_by_omission_beside_what_a_server_in_use_has() {
        for sign in SIGNS {
            for (validator, state) in [
                (None, "missing"),
                (Some(""), "set, but empty"),
                (Some("\t "), "set, but empty"),
            ] {
                let validator = validator.map(|validator| ("VALIDATOR_URL", validator));
                let line =
                    read(&[sign].into_iter().chain(validator).collect::<Vec<_>>()).unwrap_err();
                let begins = format!("VALIDATOR_URL: {state}; {} is set", sign.0);
                assert!(
                    line.starts_with(&begins) && line.contains("PRACTICE=on"),
                    "{line}"
                );
                assert!(
                    !line.contains('\n') && !line.contains("hush") && !line.contains("Y1Zt"),
                    "{line}"
                );
            }
            assert_eq!(read(&[sign, ("PRACTICE", "on")]), Ok(Practice::On));
            assert_eq!(
                read(&[sign, ("VALIDATOR_URL", "https://v.example/")]),
                Ok(OFF)
            );
        }
    }

    #[test]
    fn practice_mode_runs_where_nothing_is_set_or_only_what_it_can_use() {
        for settings in [
            &[][..],
            &[("VALIDATOR_URL", "")],
            &[("PUBLIC_URL", "http://localhost:8080"), ("SMTP_URL", " ")],
            &[
                ("DATABASE_URL", "sqlite:practice.db"),
                ("SESSION_STORE", "memory"),
            ],
            &[
                ("PUSHER_APP_ID", "1"),
                ("PUSHER_KEY", "key"),
                ("PUSHER_SECRET", "of the embedded broker"),
            ],
            &[("PRACTICE", "on"), ("VALIDATOR_URL", "")],
        ] {
            assert_eq!(read(settings), Ok(Practice::On), "{settings:?}");
        }
    }

    #[test]
    fn an_applications_own_validator_is_in_use_where_another_setting_says_so() {
        for (settings, expected) in [
            (&[][..], Practice::On),
            (
                &[("PUBLIC_URL", "http://127.0.0.1:3000/auth")],
                Practice::On,
            ),
            (&[("PRACTICE", "off")], OFF),
            (&[("PRACTICE", "forget")], Practice::Off { forget: true }),
        ] {
            assert_eq!(read_beside(settings, true), Ok(expected), "{settings:?}");
        }
        for sign in SIGNS {
            assert_eq!(read_beside(&[sign], true), Ok(OFF), "{sign:?}");
            assert_eq!(
                read_beside(&[sign, ("PRACTICE", "on")], true),
                Ok(Practice::On)
            );
        }
    }

    #[test]
    fn what_is_asked_for_is_not_contradicted_in_silence() {
        for off in ["off", "forget"] {
            assert!(
                read(&[("PRACTICE", off)])
                    .unwrap_err()
                    .starts_with("VALIDATOR_URL: missing; PRACTICE says")
            );
        }
        assert!(
            read(&[("PRACTICE", "on"), ("VALIDATOR_URL", "https://v.example/")])
                .unwrap_err()
                .starts_with("PRACTICE: ")
        );
        let validator = ("VALIDATOR_URL", "https://v.example/");
        assert_eq!(read(&[("PRACTICE", "off"), validator]), Ok(OFF));
        assert_eq!(
            read(&[("PRACTICE", "forget"), validator]),
            Ok(Practice::Off { forget: true })
        );
        assert!(
            read(&[("PRACTICE", "perhaps")])
                .unwrap_err()
                .starts_with("PRACTICE: neither")
        );
    }
}
