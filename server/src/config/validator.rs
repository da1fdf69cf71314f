//! The service that judges tokens.

use super::{
    RawSettings, SettingError,
    setting::{VALIDATOR_CALLBACK_SECRET, VALIDATOR_SECRET, VALIDATOR_TLS, VALIDATOR_URL},
};
use crate::config::origin::is_loopback;
use std::fmt;
use url::Url;
use vestibule::secret::{InvalidWebhookKey, WebhookKeys};

/// The service that judges tokens.
pub struct ValidatorService {
    /// Its address.
    pub url: String,
    /// The bearer token that this server sends to it.
    pub secret: Option<String>,
    /// The keys with which it signs its callbacks, if it may call back.
    pub callback_keys: Option<WebhookKeys>,
}

impl fmt::Debug for ValidatorService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValidatorService(…)")
    }
}

impl ValidatorService {
    /// Reads the settings of the validator, if there is one. An unencrypted connection to another
    /// machine is refused unless the operator asks for it: an attacker in between could answer
    /// `valid` for any token.
    pub fn read(given: &RawSettings) -> Result<Option<Self>, SettingError> {
        let unencrypted = given.read(&VALIDATOR_TLS, |text| match text {
            "required" => Ok(false),
            "none" => Ok(true),
            _ => Err("neither required nor none"),
        })?;
        let unencrypted = unencrypted.unwrap_or(false);
        let url = given.read(&VALIDATOR_URL, |text| {
            let url: Url = text.parse().map_err(|_| NONE)?;
            match url.scheme() {
                "https" if url.has_host() => Ok(text.to_owned()),
                "http" if is_loopback(&url) || (unencrypted && url.has_host()) => {
                    Ok(text.to_owned())
                }
                "http" => Err(PLAIN),
                _ => Err(NONE),
            }
        })?;
        let secret = given.text(&VALIDATOR_SECRET).map(str::to_owned);
        let callback_keys = given.read(&VALIDATOR_CALLBACK_SECRET, |text| {
            if text.split(',').any(|key| Some(key.trim()) == secret.as_deref()) {
                return Err("the same as VALIDATOR_SECRET, which is sent to the validator; make another one".to_owned());
            }
            text.parse()
                .map_err(|error: InvalidWebhookKey| error.to_string())
        })?;
        Ok(url.map(|url| Self {
            url,
            secret,
            callback_keys,
        }))
    }
}

const NONE: &str = "not an http:// or https:// address";
const PLAIN: &str = "http:// to another machine, so anyone in between can call any token valid; use https://, or set \
                     VALIDATOR_TLS=none if the network in between is yours";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, tls: &str) -> Result<String, String> {
        let given = RawSettings::from_lookup(|setting| match setting.key {
            "VALIDATOR_URL" => Some(url.to_owned()),
            "VALIDATOR_TLS" => Some(tls.to_owned()),
            _ => None,
        });
        ValidatorService::read(&given)
            .map(|service| service.unwrap().url)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_verdict_is_taken_from_another_machine_by_https_alone_unless_asked_for() {
        for url in [
            "http://v.example/",
            "http://10.0.0.7:8080/judge?key=hush",
            "http://localhost.example/",
            "http://127.0.0.1.example/",
            "http://127.0.0.1@v.example/",
            "http://[2001:db8::1]/",
            "HTTP://v.example/",
            "http://0.0.0.0/",
        ] {
            for tls in ["", "required"] {
                let line = read(url, tls).unwrap_err();
                assert!(
                    line.starts_with("VALIDATOR_URL: http:// to another machine"),
                    "{url}: {line}"
                );
                assert!(
                    line.contains("VALIDATOR_TLS=none") && !line.contains("hush"),
                    "{line}"
                );
            }
            assert_eq!(read(url, "none").as_deref(), Ok(url));
        }
        for url in [
            "https://v.example/",
            "http://localhost:1/",
            "http://127.0.0.1/x",
            "http://127.9.9.9/",
            "http://[::1]:1/",
        ] {
            assert_eq!(read(url, "").as_deref(), Ok(url));
        }
    }

    #[test]
    fn the_key_of_callbacks_is_no_secret_that_others_are_told() {
        let read = |key: &str| {
            let given = RawSettings::from_lookup(|setting| match setting.key {
                "VALIDATOR_URL" => Some("https://v.example/".to_owned()),
                "VALIDATOR_SECRET" => Some("whsec_plJ3nmyCDGBKInavdOK15jsl2qfyVgrs".to_owned()),
                "VALIDATOR_CALLBACK_SECRET" => Some(key.to_owned()),
                _ => None,
            });
            ValidatorService::read(&given).map_err(|error| error.to_string())
        };
        let own = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        assert!(read(own).is_ok());
        for (key, line) in [
            (
                "whsec_plJ3nmyCDGBKInavdOK15jsl2qfyVgrs",
                "the same as VALIDATOR_SECRET",
            ),
            (
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "a key is not random",
            ),
            ("C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "a key is whsec_"),
        ] {
            for keys in [key.to_owned(), format!("{own}, {key}")] {
                let said = read(&keys).unwrap_err();
                let start = format!("VALIDATOR_CALLBACK_SECRET: {line}");
                assert!(said.starts_with(&start), "{said}");
                assert!(!said.contains(&key[6..]) && !said.contains('\n'), "{said}");
            }
        }
    }

    #[test]
    fn what_is_no_address_is_one_line() {
        for url in [
            "v.example",
            "ftp://v.example/",
            "https://",
            "http:/",
            "//v.example",
        ] {
            assert!(
                read(url, "none")
                    .unwrap_err()
                    .starts_with("VALIDATOR_URL: not an http"),
                "{url}"
            );
        }
        assert!(
            read("https://v.example/", "some")
                .unwrap_err()
                .starts_with("VALIDATOR_TLS: neither")
        );
    }
}
