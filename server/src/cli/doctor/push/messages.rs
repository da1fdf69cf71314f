//! The messages of a failed test: the problem, the setting to look at, and the server's own
//! message.

use super::AuthorisationProof;
use crate::cli::doctor::socket::{SocketError, SocketMessage};
use vestibule::publisher::{ConnectError, PusherApp, PusherError};

/// The most that a server's own words may take.
const MAX_SAID: usize = 200;

/// What was published did not arrive.
pub const LOST: &str = "it was taken and did not arrive: PUSHER_APP_ID may be another app's, or publisher and browsers have two servers";

/// The address of the HTTP API.
pub fn api(app: &PusherApp) -> String {
    format!(
        "{}://{}",
        if app.tls.is_some() { "https" } else { "http" },
        app.host
    )
}

/// Why there is no socket.
pub fn no_socket(address: &str, why: &SocketError) -> String {
    match why {
        SocketError::Unreachable(why) => unreachable(address, why),
        SocketError::Status(status) => format!(
            "{address} answers {status} to a WebSocket: no Pusher server is there, it has another path, or a proxy in \
             front of it passes no WebSockets on"
        ),
        SocketError::Garbage => {
            format!("{address} speaks no WebSocket; is TLS missing, or too much?")
        }
        SocketError::Silent => {
            format!("{address} accepts connections and says nothing; is TLS missing?")
        }
    }
}

/// Why a socket was not greeted.
pub fn no_greeting(heard: &SocketMessage, key: &str, from: &str, origin: &str) -> String {
    let (code, said) = match heard {
        SocketMessage::Refused(code, said) => (*code, said.as_str()),
        _ => return "the server does not greet, as a Pusher server would".into(),
    };
    let problem = match code {
        Some(4001) => format!("the server has no app with the key {key}; {from} is wrong"),
        Some(4003) => "the app is disabled".into(),
        Some(4004 | 4100) => "the server takes no more sockets".into(),
        Some(4009) => format!("the server lets in no pages of {origin}"),
        Some(code) => format!("the server closes the socket with {code}"),
        None => "the server closes the socket".into(),
    };
    problem + &quoted(said)
}

/// Why a subscription was not taken.
pub fn no_subscription(heard: &SocketMessage, from: &str) -> String {
    match heard {
        SocketMessage::Refused(_, said) => format!(
            "the server refuses a subscription; {from} is wrong{}",
            quoted(said)
        ),
        _ => format!("the server does not answer a subscription; {from} may be wrong"),
    }
}

/// Why nothing was published.
pub fn trouble(trouble: &PusherError, app: &PusherApp, proved: AuthorisationProof) -> String {
    let (status, said) = match trouble {
        PusherError::Unreachable(why) => return unreachable(&api(app), why),
        PusherError::Refused { status, said } => (*status, said),
        other => return other.to_string(),
    };
    let has = |word: &str| said.to_lowercase().contains(word);
    let problem = match (status, proved) {
        // A complaint about a signature may quote the time that was signed.
        (401 | 403, _) if has("timestamp") && !has("signature") => {
            "this machine's clock is off".into()
        }
        (401 | 403, AuthorisationProof::Secret) => format!(
            "the server takes the key and the secret, but no announcement: {} may be another app's id (PUSHER_APP_ID), or \
             this machine's clock is off",
            app.id
        ),
        (401 | 403, AuthorisationProof::Key) => {
            "the server takes the key, but not the signature; PUSHER_SECRET is wrong".into()
        }
        (401 | 403, AuthorisationProof::Nothing) => {
            "the server refuses PUSHER_KEY, PUSHER_SECRET or this machine's clock".into()
        }
        (404, _) if has("app") => format!(
            "the server has no app with the id {} (PUSHER_APP_ID)",
            app.id
        ),
        (404 | 405, _) => {
            format!(
                "{}/apps is no Pusher server's; its path may be another (PUSHER_PATH)",
                api(app)
            )
        }
        _ => trouble.to_string(),
    };
    problem + &quoted(said)
}

fn unreachable(address: &str, why: &ConnectError) -> String {
    let look = match why {
        ConnectError::Certificate(_) => "; a private authority is named by PUSHER_CA",
        ConnectError::NoTls => "; if it is meant to be without, PUSHER_SCHEME is http",
        _ => "",
    };
    format!("{address} cannot be reached: {why}{look}")
}

/// What a server says, on one line and not for long.
fn quoted(said: &str) -> String {
    let line: String = said
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(MAX_SAID)
        .collect();
    if line.is_empty() {
        line
    } else {
        format!(". It says {line:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_stays_on_its_line() {
        assert_eq!(
            quoted("no\r\n\tsuch \u{1b}[2Japp\n"),
            ". It says \"no such \\u{1b}[2Japp\""
        );
        assert_eq!(quoted(" \n"), "");
        assert!(quoted(&"x".repeat(10_000)).len() < 300);
    }
}
