//! The settings of a client, which apply to all of its requests.

use std::time::Duration;

use super::tls::TlsSettings;
use crate::policy::HttpVersion;

/// The settings of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientSettings {
    /// Which HTTP version to speak.
    pub http_version: HttpVersion,
    /// Which certificates to trust.
    pub tls: TlsSettings,
    /// How long connecting may take, including the TLS handshake.
    pub connect_timeout: Duration,
    /// How many bytes of a response's body to keep. The rest is read and counted, up to 16 MiB.
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
