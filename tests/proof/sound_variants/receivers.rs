//! Built-in receivers with variants in this process, with or without TLS.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use aghook::internals::protocol::Secret;
use aghook::internals::receiver::{Receiver, ReceiverSettings, Variant};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

pub(crate) const SECRET: &str = "whsec_of_sound_variants";

/// A running receiver and what its profile needs. It stops with its runtime.
pub(crate) struct Started {
    /// The URL for deliveries.
    pub(crate) target: String,
    /// The base URL of the `/debug` endpoints, always without TLS.
    pub(crate) debug: String,
    /// The certificate to trust.
    pub(crate) certificate: Option<PathBuf>,
    /// Contains the profile and the certificate.
    pub(crate) folder: TempDir,
}

/// Starts the built-in receiver with these variants, behind TLS if `protocols` is not empty.
pub(crate) fn start(runtime: &Runtime, variants: &[Variant], protocols: &[&[u8]]) -> Started {
    let folder = TempDir::new().expect("a folder");
    runtime.block_on(async {
        let mut settings = ReceiverSettings::new(Secret::new(SECRET).expect("not empty"));
        settings.variants = variants.iter().copied().collect();
        let receiver = Receiver::bind(settings).await.expect("starts");
        let plain = receiver.address();
        tokio::spawn(receiver.serve(std::future::pending()));
        let path = ReceiverSettings::DEFAULT_PATH;
        let debug = format!("http://{plain}/debug");
        if protocols.is_empty() {
            return Started {
                target: format!("http://{plain}{path}"),
                debug,
                certificate: None,
                folder,
            };
        }
        let (encrypted, pem) = encrypt(plain, protocols).await;
        let certificate = folder.path().join("certificate.pem");
        std::fs::write(&certificate, pem).expect("written");
        Started {
            target: format!("https://{encrypted}{path}"),
            debug,
            certificate: Some(certificate),
            folder,
        }
    })
}

/// Starts a proxy that terminates TLS and forwards the bytes, for any HTTP version.
async fn encrypt(plain: SocketAddr, protocols: &[&[u8]]) -> (SocketAddr, String) {
    let issued =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(issued.signing_key.serialize_der()).expect("a key");
    let mut config =
        rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![issued.cert.der().clone()], key)
            .expect("a configuration");
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(forward(stream, acceptor.clone(), plain));
        }
    });
    (address, issued.cert.pem())
}

async fn forward(stream: TcpStream, acceptor: TlsAcceptor, plain: SocketAddr) {
    // If one connection breaks, the other one is closed too.
    let _ = stream.set_nodelay(true);
    let Ok(mut near) = acceptor.accept(stream).await else {
        return;
    };
    let Ok(mut far) = TcpStream::connect(plain).await else {
        return;
    };
    let _ = far.set_nodelay(true);
    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
}
