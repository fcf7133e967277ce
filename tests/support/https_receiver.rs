//! A receiver on loopback that speaks HTTPS with a self-signed certificate.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use http::{HeaderMap, Version};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{CertificateParams, KeyPair};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

type Requests = Arc<Mutex<Vec<(Version, HeaderMap)>>>;

/// Answers every request with 200, over the HTTP version that ALPN selects.
pub(crate) struct HttpsReceiver {
    pub(crate) address: SocketAddr,
    /// The self-signed certificate in PEM.
    pub(crate) certificate: String,
    requests: Requests,
}

impl HttpsReceiver {
    /// Serves with a certificate for this host name and offers these ALPN protocols.
    pub(crate) fn new(name: &str, protocols: &[&[u8]]) -> Self {
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        Self::with(&params, protocols, None)
    }

    /// Serves with a self-signed certificate of these properties, and demands a certificate of this
    /// client.
    pub(crate) fn with(
        params: &CertificateParams,
        protocols: &[&[u8]],
        client: Option<&rcgen::Certificate>,
    ) -> Self {
        let signing_key = KeyPair::generate().expect("a key");
        let issued = params.self_signed(&signing_key).expect("a certificate");
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(ring::default_provider());
        let verifier = match client {
            None => WebPkiClientVerifier::no_client_auth(),
            Some(client) => {
                let mut roots = RootCertStore::empty();
                roots.add(client.der().clone()).expect("a certificate");
                let roots = Arc::new(roots);
                let builder =
                    WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
                builder.build().expect("a verifier")
            }
        };
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![issued.der().clone()], key)
            .expect("a configuration");
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("not blocking");
        let requests = Requests::default();
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&seen)));
                }
            });
        });
        Self {
            address,
            certificate: issued.pem(),
            requests,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}/hook", self.address)
    }

    /// The HTTP versions of all requests so far.
    pub(crate) fn versions(&self) -> Vec<Version> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().map(|(version, _)| *version).collect()
    }

    /// The HTTP version of each request so far, and its value of a header.
    pub(crate) fn values(&self, name: &str) -> Vec<(Version, String)> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let value = |headers: &HeaderMap| {
            let value = headers.get(name).map(http::HeaderValue::as_bytes);
            String::from_utf8_lossy(value.unwrap_or(b"none")).into_owned()
        };
        requests
            .iter()
            .map(|(version, headers)| (*version, value(headers)))
            .collect()
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, seen: Requests) {
    let stream = match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => stream,
        Err((_, mut plain)) => {
            // Unread bytes would make the system send a reset instead of the TLS alert.
            let _ = plain.shutdown().await;
            let _ = tokio::io::copy(&mut plain, &mut tokio::io::sink()).await;
            return;
        }
    };
    let respond = |request: http::Request<hyper::body::Incoming>| {
        let mut requests = seen.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push((request.version(), request.headers().clone()));
        async { Ok::<_, Infallible>(http::Response::new(r#"{"status":"ok"}"#.to_owned())) }
    };
    let serving = auto::Builder::new(TokioExecutor::new());
    let _ = serving
        .serve_connection(TokioIo::new(stream), service_fn(respond))
        .await;
}
