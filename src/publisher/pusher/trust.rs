//! Which certificate authorities are trusted for a Pusher server: those that the machine trusts, as
//! everywhere else in Vestibule, and one more, for a server with a private authority.

use crate::tls::{client_config, machine_roots};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::{fmt, sync::Arc};

/// The trusted authorities. Cheap to clone.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

/// There is no authority to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The machine knows no authority at all.
    #[error("this machine has no certificates of authorities; install ca-certificates")]
    NoCertificates,
    /// The text is no PEM with certificates.
    #[error("no PEM with a certificate of an authority")]
    Unreadable,
}

impl Trust {
    /// Those that the machine trusts.
    ///
    /// # Errors
    /// [`TrustError::NoCertificates`] if these are none.
    pub fn of_machine() -> Result<Self, TrustError> {
        let roots = machine_roots();
        if roots.is_empty() {
            Err(TrustError::NoCertificates)
        } else {
            Ok(Self::in_roots(roots))
        }
    }

    /// Those that the machine trusts, and the authorities in `pem`.
    ///
    /// # Errors
    /// [`TrustError::Unreadable`] if there is none in it.
    pub fn with(pem: &[u8]) -> Result<Self, TrustError> {
        let mut roots = machine_roots();
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| TrustError::Unreadable)?;
            roots.add(certificate).map_err(|_| TrustError::Unreadable)?;
        }
        if roots.len() == before {
            Err(TrustError::Unreadable)
        } else {
            Ok(Self::in_roots(roots))
        }
    }

    fn in_roots(roots: RootCertStore) -> Self {
        Self(Arc::new(client_config(roots)))
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust(…)")
    }
}
