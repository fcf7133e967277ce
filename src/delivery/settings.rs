//! What a client can be told once, for all of its requests.

use std::time::Duration;

use super::tls::{CacertError, TlsSettings};

/// Which HTTP version to speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum HttpVersion {
    /// HTTP/1.1, as the source's example is. `[S]`
    #[default]
    Http1,
    /// HTTP/2: on http without asking (prior knowledge), on https as ALPN agrees.
    Http2,
    /// On https what ALPN agrees on, HTTP/2 first; HTTP/1.1 on http.
    Auto,
}

/// The settings of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// Which HTTP version to speak.
    pub http_version: HttpVersion,
    /// Whose certificates to trust.
    pub tls: TlsSettings,
    /// How long connecting may take, the TLS handshake included.
    pub connect_timeout: Duration,
    /// How many bytes of an answer's body are kept. The rest is read and counted, up to 16 MiB.
    pub response_body_limit: usize,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            http_version: HttpVersion::default(),
            tls: TlsSettings::default(),
            connect_timeout: Duration::from_secs(5),
            response_body_limit: 256 * 1024,
        }
    }
}

/// Why there can be no such client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The file of `--cacert` can't be used.
    #[error(transparent)]
    Cacert(#[from] CacertError),
}
