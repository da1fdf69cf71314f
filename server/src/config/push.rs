//! Which Pusher server is used, and how browsers reach it.

use super::{
    Given, WrongSetting,
    setting::{
        PUSHER_APP_ID, PUSHER_HOST, PUSHER_KEY, PUSHER_PORT, PUSHER_PUBLIC_HOST, PUSHER_PUBLIC_PATH,
        PUSHER_PUBLIC_PORT, PUSHER_PUBLIC_SCHEME, PUSHER_SCHEME, PUSHER_SECRET,
    },
};
use vestibule::{
    path::LocalPath,
    publisher::{PusherApp, PusherSecret},
};

/// Which Pusher server is used.
#[derive(Clone, Debug)]
pub enum PushConfig {
    /// The embedded broker, under these credentials or derived ones.
    Embedded(Option<(String, String, PusherSecret)>),
    /// Somebody else's.
    Server {
        /// Where to publish.
        app: PusherApp,
        /// Where browsers connect, such as `wss://push.example:443`.
        socket: String,
    },
}

impl PushConfig {
    /// Reads the settings of push.
    ///
    /// # Errors
    /// [`WrongSetting`] names the first one that is wrong or missing.
    pub fn read(given: &Given) -> Result<Self, WrongSetting> {
        let text = |setting| given.text(setting).map(str::to_owned);
        let credentials = match (text(&PUSHER_APP_ID), text(&PUSHER_KEY), text(&PUSHER_SECRET)) {
            (None, None, None) => None,
            (Some(id), Some(key), Some(secret)) => Some((id, key, PusherSecret::new(secret))),
            (None, ..) => return Err(PUSHER_APP_ID.wrong("missing; id, key and secret belong together")),
            (_, None, _) => return Err(PUSHER_KEY.wrong("missing; id, key and secret belong together")),
            (.., None) => return Err(PUSHER_SECRET.wrong("missing; id, key and secret belong together")),
        };
        if let Some((id, key, _)) = &credentials {
            let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            for (setting, text) in [(&PUSHER_APP_ID, id), (&PUSHER_KEY, key)] {
                if !plain(text) {
                    return Err(setting.wrong("not only letters, digits, - and _"));
                }
            }
        }
        let Some(host) = given.read(&PUSHER_HOST, host)? else { return Ok(Self::Embedded(credentials)) };
        let Some((id, key, secret)) = credentials else {
            return Err(PUSHER_APP_ID.wrong("missing; a Pusher server wants id, key and secret"));
        };
        let scheme = given.read(&PUSHER_SCHEME, scheme)?;
        if scheme != Some("http") {
            return Err(PUSHER_SCHEME.wrong("only http can be spoken to a Pusher server yet"));
        }
        let port = given.read(&PUSHER_PORT, port)?.unwrap_or(80);
        let socket = public_socket(given, &host, port)?;
        Ok(Self::Server { app: PusherApp { id, key, secret, host: format!("{host}:{port}"), tls: None }, socket })
    }
}

fn public_socket(given: &Given, host: &str, port: u16) -> Result<String, WrongSetting> {
    let scheme = match given.read(&PUSHER_PUBLIC_SCHEME, scheme)? {
        Some("https") => "wss",
        _ => "ws",
    };
    let port = given.read(&PUSHER_PUBLIC_PORT, self::port)?.unwrap_or(port);
    let host = given.read(&PUSHER_PUBLIC_HOST, self::host)?.unwrap_or_else(|| host.to_owned());
    let path = given.read(&PUSHER_PUBLIC_PATH, |text| {
        let path: LocalPath = text.parse().map_err(|_| "not a path that begins with one /")?;
        Ok::<_, &str>(path.as_str().trim_end_matches('/').to_owned())
    })?;
    Ok(format!("{scheme}://{host}:{port}{}", path.unwrap_or_default()))
}

fn host(text: &str) -> Result<String, &'static str> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte));
    if plain { Ok(text.to_owned()) } else { Err("not the name of a host, without scheme, port and path") }
}

fn scheme(text: &str) -> Result<&'static str, &'static str> {
    match text {
        "http" => Ok("http"),
        "https" => Ok("https"),
        _ => Err("neither http nor https"),
    }
}

fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().ok().filter(|port| *port > 0).ok_or("not a port number")
}
