//! The origins that are ours.

use crate::config::{Config, origin::Origin};

/// The public origin, for links outside of responses.
pub fn origin(config: &Config) -> Origin {
    origins(config).swap_remove(0)
}

/// The origins that are ours, the public one first. A server on loopback is reached under each of
/// loopback's names.
pub fn origins(config: &Config) -> Vec<Origin> {
    let port = config.addr.port();
    let own = Origin::parse(&format!("http://{}", config.addr)).ok();
    let names = ["localhost", "127.0.0.1", "[::1]"]
        .map(|name| Origin::parse(&format!("http://{name}:{port}")).ok());
    match &config.public {
        Some(public) if public.is_secure() => vec![public.clone()],
        public => public
            .clone()
            .into_iter()
            .chain(own)
            .chain(names.into_iter().flatten())
            .collect(),
    }
}
