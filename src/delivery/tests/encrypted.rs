//! HTTPS with a certificate that the test generates.

use std::path::PathBuf;
use std::sync::Arc;

use http::Version;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use super::recorder::RequestRecorder;
use super::server::{Server, ServerAction, listen};
use super::*;

/// A receiver that responds 200 over HTTPS, and the PEM file of its certificate.
pub(super) struct EncryptedReceiver {
    pub(super) target: Target,
    pub(super) recorder: Arc<RequestRecorder>,
    cacert: PathBuf,
    _folder: tempfile::TempDir,
}

/// Starts a receiver with a certificate for these names. It offers these protocols.
pub(super) async fn encrypted(names: &[&str], protocols: &[&[u8]]) -> EncryptedReceiver {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let issued = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let cacert = folder.path().join("authority.pem");
    std::fs::write(&cacert, issued.cert.pem()).expect("written");

    let key = PrivateKeyDer::try_from(issued.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key)
        .expect("a configuration");
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));

    let (listener, plain) = listen().await;
    let recorder = Arc::new(RequestRecorder::default());
    let recording = Arc::clone(&recorder);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let (acceptor, recorder) = (acceptor.clone(), Arc::clone(&recording));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let respond = |request| Arc::clone(&recorder).respond(request);
                let serving = auto::Builder::new(TokioExecutor::new());
                let serving = serving.serve_connection(TokioIo::new(stream), service_fn(respond));
                let _ = serving.await;
            });
        }
    });
    EncryptedReceiver {
        target: target(&plain.as_str().replace("http:", "https:")),
        recorder,
        cacert,
        _folder: folder,
    }
}

/// A client that trusts the receiver's certificate.
pub(super) fn trusting(server: &EncryptedReceiver, version: HttpVersion) -> Client {
    client_with(|settings| {
        settings.http_version = version;
        settings.tls.cacert = Some(server.cacert.clone());
    })
}

pub(super) const BOTH: [&[u8]; 2] = [b"h2", b"http/1.1"];

#[tokio::test]
async fn a_certificate_in_the_cacert_file_is_trusted() {
    let server = encrypted(&["127.0.0.1"], &BOTH).await;
    let client = trusting(&server, HttpVersion::Http1);
    assert_eq!(client.probe_connection(&server.target).await, Ok(()));
    for again in [false, true] {
        let exchange = send(&client, &server.target).await;
        assert_eq!(exchange.status(), Some(200), "{:?}", exchange.result);
        let used = exchange.connection.expect("a connection");
        assert_eq!((used.version, used.reused), (Version::HTTP_11, again));
    }
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_with_a_hint() {
    let server = encrypted(&["127.0.0.1"], &BOTH).await;
    let failure = client().probe_connection(&server.target).await;
    let failure = failure.expect_err("not trusted");
    assert_eq!(failure.name(), "untrusted_certificate", "{failure}");
    assert!(failure.is_before_request());
    let hint = failure.hint();
    assert!(hint.contains("--cacert") && hint.contains("--insecure"));
    assert_eq!(send(&client(), &server.target).await.result, Err(failure));
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let server = encrypted(&["game.example"], &BOTH).await;
    let client = trusting(&server, HttpVersion::Http1);
    let failure = client.probe_connection(&server.target).await;
    let reason = "it is for another host".to_owned();
    assert_eq!(failure, Err(Failure::UntrustedCertificate { reason }));
}

#[tokio::test]
async fn insecure_trusts_every_certificate() {
    let server = encrypted(&["game.example"], &BOTH).await;
    let client = client_with(|settings| settings.tls.insecure = true);
    assert_eq!(send(&client, &server.target).await.status(), Some(200));
}

#[tokio::test]
async fn the_http_version_is_negotiated() {
    let http1: [&[u8]; 1] = [b"http/1.1"];
    for (offered, requested, expected) in [
        (&BOTH[..], HttpVersion::Http1, Some(Version::HTTP_11)),
        (&BOTH[..], HttpVersion::Http2, Some(Version::HTTP_2)),
        (&BOTH[..], HttpVersion::Auto, Some(Version::HTTP_2)),
        (&http1[..], HttpVersion::Auto, Some(Version::HTTP_11)),
        (&[][..], HttpVersion::Auto, Some(Version::HTTP_11)),
        (&http1[..], HttpVersion::Http2, None),
        (&BOTH[..1], HttpVersion::Http1, None),
        (&[][..], HttpVersion::Http2, None),
    ] {
        let server = encrypted(&["127.0.0.1"], offered).await;
        let exchange = send(&trusting(&server, requested), &server.target).await;
        let version = exchange.connection.map(|used| used.version);
        assert_eq!(version, expected, "{offered:?} {requested:?}");
        match expected {
            Some(_) => assert_eq!(exchange.status(), Some(200)),
            None => assert_eq!(exchange.result, Err(Failure::VersionNotOffered)),
        }
    }
}

#[tokio::test]
async fn https_to_a_receiver_without_tls_is_the_wrong_scheme() {
    let bytes = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    let (listener, plain) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let written = tokio::io::AsyncWriteExt::write_all(&mut stream, &bytes);
        written.await.expect("written");
        std::future::pending::<()>().await;
    });
    let target = target(&plain.as_str().replace("http:", "https:"));
    let failure = client().probe_connection(&target).await;
    let failure = failure.expect_err("no TLS");
    assert_eq!(failure, Failure::PlainHttp);
}

#[tokio::test]
async fn http_to_a_receiver_with_tls_is_the_wrong_scheme() {
    let server = Server::with_actions([ServerAction::RespondAndClose(
        b"\x15\x03\x03\0\x02\x02\x46".to_vec(),
    )])
    .await;
    let failure = send(&client(), &server.target).await.result;
    assert_eq!(failure.expect_err("no HTTP"), Failure::SpeaksTls);
}

#[test]
fn a_file_without_a_certificate_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("authority.pem");
    let error_for = |path: &std::path::Path| {
        let tls = TlsSettings {
            cacert: Some(path.to_owned()),
            ..TlsSettings::default()
        };
        let settings = ClientSettings {
            tls,
            ..ClientSettings::default()
        };
        Client::new(settings).expect_err("no certificate")
    };
    assert!(matches!(error_for(&path), TlsFileError::Unreadable { .. }));
    std::fs::write(&path, "nothing").expect("written");
    assert_eq!(error_for(&path), TlsFileError::Empty(path.clone()));
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(&path, pem).expect("written");
    assert!(matches!(error_for(&path), TlsFileError::Unusable { .. }));
}
