//! The certificate with which aghook identifies itself to a receiver that demands one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::sign::CertifiedKey;

use super::{PEM_LIMIT, TlsFileError};
use crate::files;

/// The certificate, if there is one, and whether a receiver has asked for it.
pub(super) struct ClientCertificate {
    key: Option<Arc<CertifiedKey>>,
    requested: AtomicBool,
}

impl ClientCertificate {
    pub(super) fn none() -> Self {
        Self {
            key: None,
            requested: AtomicBool::new(false),
        }
    }

    /// Reads the certificate, with its chain, and its key.
    pub(super) fn read(
        certificate: &Path,
        key: &Path,
        provider: &CryptoProvider,
    ) -> Result<Self, TlsFileError> {
        let unusable = |path: &Path, reason: &str| TlsFileError::ClientCertificate {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        let read = |path: &Path| {
            let pem = files::read(path, PEM_LIMIT);
            pem.map_err(|error| unusable(path, &error.to_string()))
        };
        let chain = CertificateDer::pem_slice_iter(&read(certificate)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unusable(certificate, &pem_problem(&error, "certificate")))?;
        if chain.is_empty() {
            return Err(unusable(certificate, "it contains no certificate in PEM"));
        }
        let private = PrivateKeyDer::from_pem_slice(&read(key)?)
            .map_err(|error| unusable(key, &pem_problem(&error, "unencrypted private key")))?;
        let certified = CertifiedKey::from_der(chain, private, provider);
        let certified = certified.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsFileError::OtherKey {
                certificate: certificate.to_owned(),
                key: key.to_owned(),
            },
            rustls::Error::InvalidCertificate(_) => unusable(certificate, "it is malformed"),
            _ => unusable(
                key,
                "expected a key for RSA, for ECDSA (P-256, P-384) or for Ed25519",
            ),
        })?;
        Ok(Self {
            key: Some(Arc::new(certified)),
            requested: AtomicBool::new(false),
        })
    }

    /// Whether a receiver has asked for a certificate.
    pub(super) fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    /// Whether a receiver has asked for a certificate, and there is none.
    pub(super) fn is_missing(&self) -> bool {
        self.key.is_none() && self.is_requested()
    }
}

/// Why a PEM file can't be used. `expected` is what it should contain.
pub(super) fn pem_problem(error: &pem::Error, expected: &str) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => format!("it contains no {expected} in PEM"),
        _ => "it is not valid PEM".to_owned(),
    }
}

impl ResolvesClientCert for ClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.requested.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        self.key.is_some()
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ClientCertificate({})", self.key.is_some())
    }
}

/// Where the key is: in its own file, or in that of the certificate.
pub(super) fn key_path(certificate: &Path, key: Option<&PathBuf>) -> PathBuf {
    key.cloned().unwrap_or_else(|| certificate.to_owned())
}
