//! TLS: which certificates the sender trusts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::sync::OnceCell;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TlsSettings {
    /// A PEM file with CAs to trust in addition to the system's.
    pub cacert: Option<PathBuf>,
    /// Trust every certificate. The connection is encrypted, but the receiver's identity is unknown.
    pub insecure: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacertError {
    #[error("can't read the certificates in {}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{} contains no certificate: expected a PEM file", .0.display())]
    Empty(PathBuf),
    #[error("a certificate in {} can't be used as a CA: {reason}", path.display())]
    Unusable { path: PathBuf, reason: String },
}

/// The TLS configuration of a client. The system's CAs are loaded when first needed, since that
/// reads hundreds of files and runs against loopback rarely need them.
#[derive(Debug)]
pub(crate) struct Tls {
    extra: RootCertStore,
    insecure: bool,
    /// The configuration of all handshakes, which offers no protocols yet.
    config: OnceCell<Result<ClientConfig, rustls::Error>>,
}

impl Tls {
    /// Reads `--cacert` now, so that mistakes are reported early.
    pub(crate) fn new(settings: &TlsSettings) -> Result<Self, CacertError> {
        let extra = match &settings.cacert {
            Some(path) => read_cas(path)?,
            None => RootCertStore::empty(),
        };
        Ok(Self {
            extra,
            insecure: settings.insecure,
            config: OnceCell::new(),
        })
    }

    /// The configuration for a handshake that offers these protocols with ALPN.
    pub(crate) async fn config(
        &self,
        protocols: &[&[u8]],
    ) -> Result<Arc<ClientConfig>, rustls::Error> {
        let mut config = self.config.get_or_init(|| self.load()).await.clone()?;
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }

    async fn load(&self) -> Result<ClientConfig, rustls::Error> {
        let mut roots = self.extra.clone();
        if !self.insecure {
            let system = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs);
            // If the system's CAs can't be read, only those of `--cacert` are trusted, and the
            // handshake reports an unknown CA.
            if let Ok(system) = system.await {
                roots.add_parsable_certificates(system.certs);
            }
        }
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        Ok(if self.insecure {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(TrustAnyCertificate(
                    provider.signature_verification_algorithms,
                )))
                .with_no_client_auth()
        } else {
            builder.with_root_certificates(roots).with_no_client_auth()
        })
    }
}

/// Reads the CAs in a PEM file; at least one.
fn read_cas(path: &Path) -> Result<RootCertStore, CacertError> {
    let unreadable = |error: rustls::pki_types::pem::Error| CacertError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        let certificate = certificate.map_err(unreadable)?;
        store
            .add(certificate)
            .map_err(|error| CacertError::Unusable {
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
    }
    if store.is_empty() {
        return Err(CacertError::Empty(path.to_owned()));
    }
    Ok(store)
}

/// Implements `--insecure`: checks that the peer has its certificate's key, but not its identity.
#[derive(Debug)]
struct TrustAnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for TrustAnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
