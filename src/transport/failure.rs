//! Why an attempt got no complete response: messages for people and classes for retries.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustls::AlertDescription;

use super::wire_fault::SenderAbort;
use crate::policy::DurationText;

/// Why there is no complete response. `Display` describes it; [`Failure::hint`] says what may help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// The host name did not resolve.
    #[error("the name {host} could not be resolved: {reason}")]
    NameNotResolved {
        /// The name.
        host: String,
        /// The resolver's error.
        reason: String,
    },
    /// A loopback name resolved to another machine.
    #[error("{host} resolves to {address}, which is not this machine")]
    NotLoopback {
        /// The name.
        host: String,
        /// An address that may not be connected to.
        address: SocketAddr,
    },
    /// Nothing listens on the port.
    #[error("{address} refused the connection")]
    Refused {
        /// The address that was tried last.
        address: SocketAddr,
    },
    /// The network could not reach the address.
    #[error("{address} could not be reached: {reason}")]
    Unreachable {
        /// The address that was tried last.
        address: SocketAddr,
        /// What the system says.
        reason: String,
    },
    /// This machine cannot open more connections; nothing was sent.
    #[error("this machine could not open another connection: {reason}")]
    LocalLimit {
        /// What the system says.
        reason: String,
    },
    /// No connection, including the TLS handshake, was established in time.
    #[error("the connection was not established within {}", DurationText(*after))]
    ConnectTimeout {
        /// The time limit.
        after: Duration,
    },
    /// The response was not complete in time.
    #[error(
        "{} within {}",
        if *response_began { "the response was not complete" } else { "there was no response" },
        DurationText(*after),
    )]
    Timeout {
        /// The time limit of the whole attempt.
        after: Duration,
        /// Whether the head of the response arrived.
        response_began: bool,
    },
    /// The receiver reset the connection or, on HTTP/2, the stream.
    #[error("the receiver reset the connection before the response was complete")]
    Reset,
    /// The receiver closed the connection too early.
    #[error("the receiver closed the connection before the response was complete")]
    ClosedEarly,
    /// The certificate is not trusted, not currently valid, or issued for another host.
    #[error("the receiver's certificate is not trusted: {reason}")]
    UntrustedCertificate {
        /// What is wrong with it.
        reason: String,
    },
    /// TLS failed for another reason.
    #[error("TLS failed: {reason}")]
    Tls {
        /// What went wrong.
        reason: String,
    },
    /// The receiver does not offer the requested HTTP version.
    #[error("the receiver does not offer the requested HTTP version")]
    VersionNotOffered,
    /// The response is not HTTP.
    #[error("the response is not valid HTTP: {reason}")]
    InvalidResponse {
        /// What is wrong with it.
        reason: String,
    },
    /// The sender aborted the exchange on purpose, to inject a fault.
    #[error(transparent)]
    Aborted(#[from] SenderAbort),
}

/// The classes of failure that a retry policy distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FailureClass {
    /// The attempt timed out.
    Timeout,
    /// There was no connection, it broke, or the response was invalid.
    Connection,
}

impl Failure {
    /// The class that a retry policy sees.
    pub(crate) fn class(&self) -> FailureClass {
        match self {
            Self::ConnectTimeout { .. }
            | Self::Timeout { .. }
            | Self::Aborted(SenderAbort::Abandoned { .. }) => FailureClass::Timeout,
            _ => FailureClass::Connection,
        }
    }

    /// Whether the receiver ended the connection without a response.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Reset | Self::ClosedEarly)
    }

    /// Whether nothing was sent, so that the receiver can't have seen the request.
    pub(crate) fn is_before_request(&self) -> bool {
        match self {
            Self::NameNotResolved { .. }
            | Self::NotLoopback { .. }
            | Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::ConnectTimeout { .. }
            | Self::LocalLimit { .. }
            | Self::UntrustedCertificate { .. }
            | Self::Tls { .. }
            | Self::VersionNotOffered
            | Self::Aborted(SenderAbort::RequestLost) => true,
            Self::Timeout { .. }
            | Self::Reset
            | Self::ClosedEarly
            | Self::InvalidResponse { .. }
            | Self::Aborted(_) => false,
        }
    }

    /// Whether the message of a failure with this name ends with one of the system or of a library.
    pub(crate) fn quotes_another_message(name: &str) -> bool {
        matches!(
            name,
            "name_not_resolved"
                | "unreachable"
                | "local_limit"
                | "untrusted_certificate"
                | "tls"
                | "invalid_response"
        )
    }

    /// The name of [`Self::Refused`] in every report.
    pub(crate) const REFUSED: &'static str = "refused";

    /// The name used in every report.
    pub(crate) fn name(&self) -> &'static str {
        self.name_and_hint().0
    }

    /// What the user can check or change.
    pub(crate) fn hint(&self) -> &'static str {
        self.name_and_hint().1
    }

    fn name_and_hint(&self) -> (&'static str, &'static str) {
        let crash = "look for a crash in the receiver's log";
        match self {
            Self::NameNotResolved { .. } => (
                "name_not_resolved",
                "check the spelling of the host in the target",
            ),
            Self::NotLoopback { .. } => (
                "not_loopback",
                "check the hosts file; if you mean that machine, allow its host with `--allow-host`",
            ),
            Self::Refused { .. } => (
                Self::REFUSED,
                "check that the receiver runs and listens on this port",
            ),
            Self::Unreachable { .. } => (
                "unreachable",
                "check the network, and the VPN if the host needs one",
            ),
            Self::ConnectTimeout { .. } => (
                "connect_timeout",
                "check the host, the port and any firewall in between",
            ),
            Self::Timeout { .. } => (
                "timeout",
                "find out what the receiver is waiting for, or raise `timeout` in the retry policy",
            ),
            Self::Reset => ("reset", crash),
            Self::ClosedEarly => ("closed_early", crash),
            Self::LocalLimit { .. } => (
                "local_limit",
                "allow more open files (`ulimit -n`), or send fewer deliveries at the same time",
            ),
            Self::UntrustedCertificate { .. } => (
                "untrusted_certificate",
                "trust its CA with `--cacert FILE`, or disable the check with `--insecure`",
            ),
            Self::Tls { .. } => ("tls", "check that the receiver speaks HTTPS on this port"),
            Self::VersionNotOffered => (
                "version_not_offered",
                "use the HTTP version that the receiver speaks; Aghanim's example uses HTTP/1.1",
            ),
            Self::InvalidResponse { .. } => (
                "invalid_response",
                "check that the port speaks HTTP; if it is encrypted, use `https://`",
            ),
            Self::Aborted(abort) => (
                abort.name(),
                "nothing to fix: the step's fault caused this; see the next attempt",
            ),
        }
    }

    /// The failure to open a connection.
    pub(crate) fn from_connect_error(address: SocketAddr, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            return Self::Refused { address };
        }
        let reason = error.to_string();
        if is_local_limit(error) {
            return Self::LocalLimit { reason };
        }
        Self::Unreachable { address, reason }
    }

    /// The failure of a TLS handshake.
    pub(crate) fn from_handshake_error(error: &io::Error) -> Self {
        let inner = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(rustls::Error::InvalidCertificate(reason)) => Self::UntrustedCertificate {
                reason: certificate_problem(reason),
            },
            Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
                Self::VersionNotOffered
            }
            Some(error) => Self::Tls {
                reason: error.to_string(),
            },
            None if Self::from_io_error(error).is_some() => Self::Tls {
                reason: "the connection was closed during the handshake".to_owned(),
            },
            None => Self::Tls {
                reason: error.to_string(),
            },
        }
    }

    /// The failure of an exchange on an open connection.
    pub(crate) fn from_hyper_error(error: &hyper::Error) -> Self {
        let mut source = Error::source(error);
        while let Some(cause) = source {
            if let Some(io) = cause.downcast_ref::<io::Error>()
                && let Some(failure) = Self::from_io_error(io)
            {
                return failure;
            }
            if let Some(http2) = cause.downcast_ref::<h2::Error>() {
                if let Some(failure) = http2.get_io().and_then(Self::from_io_error) {
                    return failure;
                }
                if http2.is_remote() {
                    return Self::Reset;
                }
            }
            source = cause.source();
        }
        if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            return Self::ClosedEarly;
        }
        // Include the cause, such as "invalid HTTP version parsed".
        let cause = Error::source(error).map(|cause| format!(": {cause}"));
        let reason = format!("{error}{}", cause.unwrap_or_default());
        Self::InvalidResponse { reason }
    }

    /// The failure of an exchange that uses HTTP/2 directly.
    pub(crate) fn from_http2_error(error: &h2::Error) -> Self {
        if let Some(failure) = error.get_io().and_then(Self::from_io_error) {
            return failure;
        }
        if error.is_remote() {
            return Self::Reset;
        }
        Self::InvalidResponse {
            reason: error.to_string(),
        }
    }

    /// The failure to read or write a stream directly.
    pub(crate) fn from_stream_error(error: &io::Error) -> Self {
        Self::from_io_error(error).unwrap_or_else(|| Self::InvalidResponse {
            reason: error.to_string(),
        })
    }

    /// The failure for an I/O error that says how the connection ended.
    fn from_io_error(error: &io::Error) -> Option<Self> {
        use io::ErrorKind;
        match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
                Some(Self::Reset)
            }
            ErrorKind::UnexpectedEof => Some(Self::ClosedEarly),
            _ => None,
        }
    }
}

/// What is wrong with a certificate, in plain words.
fn certificate_problem(error: &rustls::CertificateError) -> String {
    use rustls::CertificateError as Problem;
    let plain = match error {
        Problem::UnknownIssuer => "it is signed by an unknown CA",
        Problem::Expired | Problem::ExpiredContext { .. } => "it has expired",
        Problem::NotValidYet | Problem::NotValidYetContext { .. } => "it is not valid yet",
        Problem::Revoked => "it has been revoked",
        Problem::NotValidForName | Problem::NotValidForNameContext { .. } => {
            "it is for another host"
        }
        other => return other.to_string(),
    };
    plain.to_owned()
}

/// Whether this machine has run out of sockets, ports or buffers.
fn is_local_limit(error: &io::Error) -> bool {
    // EMFILE, ENFILE and ENOBUFS of Linux and of macOS; WSAEMFILE and WSAENOBUFS.
    #[cfg(unix)]
    const CODES: [i32; 4] = [24, 23, 105, 55];
    #[cfg(windows)]
    const CODES: [i32; 2] = [10024, 10055];
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error
            .raw_os_error()
            .is_some_and(|code| CODES.contains(&code))
}
