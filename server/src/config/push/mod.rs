//! Which Pusher server is used, and how browsers reach it.

mod endpoint;

use super::{
    RawSettings, Setting, SettingError,
    setting::{
        PUSHER_APP_ID, PUSHER_CA, PUSHER_CLUSTER, PUSHER_HOST, PUSHER_KEY, PUSHER_PATH,
        PUSHER_PORT, PUSHER_PUBLIC_HOST, PUSHER_PUBLIC_PATH, PUSHER_PUBLIC_PORT,
        PUSHER_PUBLIC_SCHEME, PUSHER_SCHEME, PUSHER_SECRET,
    },
};
use crate::config::origin::is_loopback;
use endpoint::Endpoint;
use std::fs;
use url::Url;
use vestibule::publisher::{PusherApp, PusherSecret, Trust};

/// Which Pusher server is used.
#[derive(Clone, Debug)]
pub enum PushConfig {
    /// The embedded broker, under these credentials or derived ones.
    Embedded(Option<(String, String, PusherSecret)>),
    /// Another server.
    Server {
        /// Where to publish.
        app: PusherApp,
        /// Where browsers connect, such as `wss://push.example:443`.
        socket: String,
    },
}

impl PushConfig {
    /// Reads the settings of push, for pages that browsers get by https or not.
    pub fn read(given: &RawSettings, pages_are_secure: bool) -> Result<Self, SettingError> {
        let credentials = credentials(given)?;
        let cluster = given.read(&PUSHER_CLUSTER, endpoint::cluster)?;
        let host = given.read(&PUSHER_HOST, endpoint::host)?;
        let (api, socket) = match (cluster, host) {
            (Some(_), Some(_)) => {
                return Err(PUSHER_CLUSTER
                    .wrong("a cluster is Pusher's own, and PUSHER_HOST names another server"));
            }
            (None, None) => {
                unused(
                    given,
                    &ELSEWHERE,
                    "of no use without PUSHER_HOST or PUSHER_CLUSTER",
                )?;
                return Ok(Self::Embedded(credentials));
            }
            (Some(cluster), None) => (
                hosted(given, "api", &cluster)?,
                hosted(given, "ws", &cluster)?,
            ),
            (None, Some(host)) => {
                let place = own(given, host)?;
                (place.clone(), place)
            }
        };
        let Some((id, key, secret)) = credentials else {
            return Err(PUSHER_APP_ID.wrong("missing; a Pusher server wants id, key and secret"));
        };
        let socket = public(given, socket, pages_are_secure)?.socket();
        let app = PusherApp {
            id,
            key,
            secret,
            host: api.api(),
            tls: trust(given, &api)?,
        };
        Ok(Self::Server { app, socket })
    }
}

impl PushConfig {
    /// Whether what is published goes to another machine unencrypted. It can be read there, but
    /// never signs anyone in.
    pub fn is_unencrypted_elsewhere(&self) -> bool {
        match self {
            Self::Server { app, .. } if app.tls.is_none() => {
                Url::parse(&format!("http://{}", app.host)).is_ok_and(|url| !is_loopback(&url))
            }
            _ => false,
        }
    }
}

/// What says how another server is reached, and nothing about the embedded broker.
static ELSEWHERE: [&Setting; 8] = [
    &PUSHER_PORT,
    &PUSHER_SCHEME,
    &PUSHER_PATH,
    &PUSHER_CA,
    &PUSHER_PUBLIC_HOST,
    &PUSHER_PUBLIC_PORT,
    &PUSHER_PUBLIC_SCHEME,
    &PUSHER_PUBLIC_PATH,
];

fn unused(
    given: &RawSettings,
    settings: &[&'static Setting],
    why: &str,
) -> Result<(), SettingError> {
    settings
        .iter()
        .find(|setting| given.text(setting).is_some())
        .map_or(Ok(()), |setting| Err(setting.wrong(why)))
}

fn credentials(
    given: &RawSettings,
) -> Result<Option<(String, String, PusherSecret)>, SettingError> {
    let text = |setting| given.text(setting).map(str::to_owned);
    let together = "missing; id, key and secret belong together";
    let (id, key, secret) = match (
        text(&PUSHER_APP_ID),
        text(&PUSHER_KEY),
        text(&PUSHER_SECRET),
    ) {
        (None, None, None) => return Ok(None),
        (Some(id), Some(key), Some(secret)) => (id, key, PusherSecret::new(secret)),
        (None, ..) => return Err(PUSHER_APP_ID.wrong(together)),
        (_, None, _) => return Err(PUSHER_KEY.wrong(together)),
        (.., None) => return Err(PUSHER_SECRET.wrong(together)),
    };
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    for (setting, text) in [(&PUSHER_APP_ID, &id), (&PUSHER_KEY, &key)] {
        if !plain(text) {
            return Err(setting.wrong("not only letters, digits, - and _"));
        }
    }
    Ok(Some((id, key, secret)))
}

/// Pusher's own servers: their addresses are known, and settings that repeat them have to agree.
fn hosted(given: &RawSettings, service: &str, cluster: &str) -> Result<Endpoint, SettingError> {
    if given.read(&PUSHER_SCHEME, endpoint::is_secure)? == Some(false) {
        return Err(PUSHER_SCHEME.leave_out("a cluster of Pusher's is spoken to by https"));
    }
    if given
        .read(&PUSHER_PORT, endpoint::port)?
        .is_some_and(|port| port != 443)
    {
        return Err(PUSHER_PORT.leave_out("a cluster of Pusher's has port 443"));
    }
    unused(
        given,
        &[&PUSHER_PATH, &PUSHER_CA],
        "of no use with PUSHER_CLUSTER",
    )?;
    Ok(Endpoint::secure(format!("{service}-{cluster}.pusher.com")))
}

/// A server of the operator's own.
fn own(given: &RawSettings, host: String) -> Result<Endpoint, SettingError> {
    let secure = given
        .read(&PUSHER_SCHEME, endpoint::is_secure)?
        .unwrap_or(true);
    let port = given
        .read(&PUSHER_PORT, endpoint::port)?
        .unwrap_or(endpoint::port_of(secure));
    let path = given
        .read(&PUSHER_PATH, endpoint::path)?
        .unwrap_or_default();
    Ok(Endpoint {
        secure,
        host,
        port,
        path,
    })
}

/// The same as browsers see it.
fn public(
    given: &RawSettings,
    seen_from_here: Endpoint,
    pages_are_secure: bool,
) -> Result<Endpoint, SettingError> {
    let secure = given
        .read(&PUSHER_PUBLIC_SCHEME, endpoint::is_secure)?
        .unwrap_or(seen_from_here.secure);
    let same = if secure == seen_from_here.secure {
        seen_from_here.port
    } else {
        endpoint::port_of(secure)
    };
    let port = given
        .read(&PUSHER_PUBLIC_PORT, endpoint::port)?
        .unwrap_or(same);
    let host = given
        .read(&PUSHER_PUBLIC_HOST, endpoint::host)?
        .unwrap_or(seen_from_here.host);
    let path = given
        .read(&PUSHER_PUBLIC_PATH, endpoint::path)?
        .unwrap_or(seen_from_here.path);
    let place = Endpoint {
        secure,
        host,
        port,
        path,
    };
    if place.host.starts_with('[') {
        return Err(PUSHER_PUBLIC_HOST
            .wrong("an IPv6 address, which a page's policy cannot name; browsers need a name"));
    }
    if pages_are_secure && !secure && !place.is_loopback() {
        return Err(PUSHER_PUBLIC_SCHEME
            .wrong("http, but PUBLIC_URL is https: browsers would refuse to connect"));
    }
    Ok(place)
}

/// Whose certificates are taken for the server's.
fn trust(given: &RawSettings, api: &Endpoint) -> Result<Option<Trust>, SettingError> {
    if !api.secure {
        unused(given, &[&PUSHER_CA], "of no use with PUSHER_SCHEME=http")?;
        return Ok(None);
    }
    let given = given.read(&PUSHER_CA, |file| {
        let pem = fs::read(file).map_err(|error| format!("{file} cannot be read: {error}"))?;
        Trust::with(&pem).map_err(|error| format!("{file} is {error}"))
    })?;
    match given {
        Some(trust) => Ok(Some(trust)),
        None => Trust::of_machine()
            .map(Some)
            .map_err(|error| PUSHER_CA.wrong(format!("missing; {error}"))),
    }
}

#[cfg(test)]
mod tests;
