//! TLS to other services. The cryptography is named for each connection: the process-wide choice of
//! rustls belongs to the program, which may be an application of someone else's.

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::sync::Arc;

/// The authorities that this machine trusts. What cannot be read or understood of them is left out,
/// as other programs do.
#[must_use]
pub fn machine_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// A client that trusts the authorities in `roots`, and speaks HTTP/1.1 where it speaks HTTP.
///
/// # Panics
/// Never: ring speaks the versions of TLS that are asked for.
#[must_use]
pub fn client_config(roots: RootCertStore) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // The crate `pusher` brings an HTTP/2 with open advisories: it is never offered, so never
    // spoken.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}
