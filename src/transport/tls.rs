//! TLS: which certificates the sender trusts.

mod client_certificate;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio::sync::OnceCell;

use self::client_certificate::{ClientCertificate, key_path, pem_problem};
use super::failure::Failure;
use crate::files;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TlsSettings {
    /// A PEM file with CAs to trust in addition to the system's.
    pub cacert: Option<PathBuf>,
    /// Trust every certificate. The connection is encrypted, but the receiver's identity is unknown.
    pub insecure: bool,
    /// A PEM file with the certificate, and its chain, that identifies aghook.
    pub client_cert: Option<PathBuf>,
    /// A PEM file with its key; by default, the same file.
    pub client_key: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFileError {
    #[error("can't read the certificates in {}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{} contains no certificate: expected a PEM file", .0.display())]
    Empty(PathBuf),
    #[error("a certificate in {} can't be used as a CA: {reason}", path.display())]
    Unusable { path: PathBuf, reason: String },
    #[error("the client certificate can't be used: {}: {reason}", path.display())]
    ClientCertificate { path: PathBuf, reason: String },
    #[error("the key in {} does not belong to the client certificate in {}", key.display(), certificate.display())]
    OtherKey { certificate: PathBuf, key: PathBuf },
    #[error("there is a client key, but no client certificate")]
    KeyWithoutCertificate,
}

impl TlsFileError {
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::Empty(_) | Self::Unusable { .. } => {
                "pass a PEM file with certificates to `--cacert`"
            }
            Self::ClientCertificate { .. } | Self::OtherKey { .. } => {
                "`client_cert` needs a certificate in PEM, and `client_key` its unencrypted key; \
                 `openssl pkey` decrypts a key"
            }
            Self::KeyWithoutCertificate => {
                "add `client_cert` to the profile, or use `--client-cert`"
            }
        }
    }
}

/// The TLS configuration of a client. The system's CAs are loaded when first needed, since that
/// reads hundreds of files and runs against loopback rarely need them.
#[derive(Debug)]
pub(crate) struct Tls {
    extra: RootCertStore,
    /// The certificates of `--cacert`, which are trusted even if they are not a CA's.
    listed: Vec<CertificateDer<'static>>,
    insecure: bool,
    client: Arc<ClientCertificate>,
    /// The configuration of all handshakes, which offers no protocols yet.
    config: OnceCell<Result<ClientConfig, rustls::Error>>,
}

impl Tls {
    /// Reads `--cacert` now, so that mistakes are reported early.
    pub(crate) fn new(settings: &TlsSettings) -> Result<Self, TlsFileError> {
        let (extra, listed) = match &settings.cacert {
            Some(path) => read_cas(path)?,
            None => (RootCertStore::empty(), Vec::new()),
        };
        let client = match (&settings.client_cert, &settings.client_key) {
            (Some(certificate), key) => {
                let key = key_path(certificate, key.as_ref());
                ClientCertificate::read(certificate, &key, &ring::default_provider())?
            }
            (None, Some(_)) => return Err(TlsFileError::KeyWithoutCertificate),
            (None, None) => ClientCertificate::none(),
        };
        Ok(Self {
            extra,
            listed,
            client: Arc::new(client),
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
        let builder = if self.insecure {
            let trust = TrustAnyCertificate(provider.signature_verification_algorithms);
            let builder = builder.dangerous();
            builder.with_custom_certificate_verifier(Arc::new(trust))
        } else if self.listed.is_empty() {
            builder.with_root_certificates(roots)
        } else {
            let by_ca = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
            let by_ca = by_ca
                .build()
                .map_err(|error| rustls::Error::General(error.to_string()))?;
            let listed = self.listed.clone();
            let builder = builder.dangerous();
            builder.with_custom_certificate_verifier(Arc::new(TrustListed { by_ca, listed }))
        };
        Ok(builder.with_client_cert_resolver(Arc::<ClientCertificate>::clone(&self.client)))
    }

    /// Whether a receiver has asked for a client certificate. It may refuse the given one, or demand
    /// one, only after the handshake.
    pub(crate) fn client_certificate_is_requested(&self) -> bool {
        self.client.is_requested()
    }

    /// A better explanation of a failed handshake, if the receiver has asked for a certificate that
    /// there is not.
    pub(crate) fn explained(&self, failure: Failure) -> Failure {
        let is_unclear = matches!(
            failure,
            Failure::Tls { .. } | Failure::ClientCertificate { .. }
        );
        if is_unclear && self.client.is_missing() {
            return Failure::ClientCertificate {
                reason: "the receiver demands a client certificate".to_owned(),
            };
        }
        failure
    }
}

/// The maximum size of a file with certificates or a key in bytes.
const PEM_LIMIT: u64 = 16 * 1024 * 1024;

type Listed = Vec<CertificateDer<'static>>;

/// Reads the certificates in a PEM file; at least one.
fn read_cas(path: &Path) -> Result<(RootCertStore, Listed), TlsFileError> {
    let unreadable = |reason: String| TlsFileError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let (mut store, mut listed) = (RootCertStore::empty(), Vec::new());
    let pem = files::read(path, PEM_LIMIT).map_err(|error| unreadable(error.to_string()))?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate =
            certificate.map_err(|error| unreadable(pem_problem(&error, "certificate")))?;
        store
            .add(certificate.clone())
            .map_err(|_| TlsFileError::Unusable {
                path: path.to_owned(),
                reason: "it is malformed".to_owned(),
            })?;
        listed.push(certificate);
    }
    if store.is_empty() {
        return Err(TlsFileError::Empty(path.to_owned()));
    }
    Ok((store, listed))
}

/// Trusts CAs, and exactly the listed certificates, as curl and Node.js do. A self-signed certificate
/// often says that it is a CA's, and would otherwise be refused.
#[derive(Debug)]
struct TrustListed {
    by_ca: Arc<WebPkiServerVerifier>,
    listed: Listed,
}

impl ServerCertVerifier for TrustListed {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let by_ca = self
            .by_ca
            .verify_server_cert(certificate, intermediates, name, ocsp, now);
        // The dates are checked before the issuer, so these errors mean that the dates are right.
        let is_about_issuer = matches!(
            by_ca,
            Err(rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::Other(_)
            ))
        );
        if !is_about_issuer || !self.listed.contains(certificate) {
            return by_ca;
        }
        verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.by_ca
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.by_ca
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_ca.supported_verify_schemes()
    }
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
