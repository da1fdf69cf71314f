//! Where a Pusher server is, from one side.

use url::Host;
use vestibule::path::LocalPath;

/// Where a Pusher server is.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub secure: bool,
    pub host: String,
    pub port: u16,
    /// Before `/app` and `/apps`; without a slash at its end, and empty for none.
    pub path: String,
}

impl Endpoint {
    /// By https, on its port.
    pub const fn secure(host: String) -> Self {
        Self {
            secure: true,
            host,
            port: port_of(true),
            path: String::new(),
        }
    }

    /// Without the scheme, as the publisher takes it.
    pub fn api(&self) -> String {
        format!("{}:{}{}", self.host, self.port, self.path)
    }

    /// As a browser's WebSocket takes it, without the server's own path.
    pub fn socket(&self) -> String {
        format!(
            "{}://{}",
            if self.secure { "wss" } else { "ws" },
            self.api()
        )
    }

    /// Whether it is this machine, to which browsers connect from a page of https too.
    pub fn is_loopback(&self) -> bool {
        match Host::parse(&self.host) {
            Ok(Host::Domain(name)) => name == "localhost",
            Ok(Host::Ipv4(ip)) => ip.is_loopback(),
            Ok(Host::Ipv6(ip)) => ip.is_loopback(),
            Err(_) => false,
        }
    }
}

pub const fn port_of(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

pub fn cluster(text: &str) -> Result<String, &'static str> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if plain {
        Ok(text.to_owned())
    } else {
        Err("not the name of a cluster")
    }
}

pub fn host(text: &str) -> Result<String, &'static str> {
    let host =
        Host::parse(text).map_err(|_| "not the name of a host, without scheme, port and path")?;
    Ok(host.to_string())
}

pub fn is_secure(text: &str) -> Result<bool, &'static str> {
    match text {
        "https" => Ok(true),
        "http" => Ok(false),
        _ => Err("neither http nor https"),
    }
}

pub fn port(text: &str) -> Result<u16, &'static str> {
    text.parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or("not a port number")
}

pub fn path(text: &str) -> Result<String, &'static str> {
    let path: LocalPath = text
        .parse()
        .map_err(|_| "not a path that begins with one /")?;
    let path = path.as_str().trim_end_matches('/');
    if path.contains(['?', '#', ' ']) {
        Err("more than a path")
    } else {
        Ok(path.to_owned())
    }
}
