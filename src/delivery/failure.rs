//! Why an attempt brought no whole answer, in words for people and in classes for retries.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustls::AlertDescription;

use super::wire_fault::BreakOff;
use crate::scenario::DurationText;

/// Why there is no whole answer. `Display` is a sentence; [`Failure::hint`] says what may help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The host's name stands for no address.
    #[error("the name {host} could not be resolved: {reason}")]
    NameNotResolved {
        /// The name.
        host: String,
        /// What the resolver says.
        reason: String,
    },
    /// A loopback name that stands for another machine.
    #[error("{host} leads to {address}, which is not this machine")]
    NotLoopback {
        /// The name.
        host: String,
        /// An address that was refused.
        address: SocketAddr,
    },
    /// Nothing listens there.
    #[error("{address} refused the connection")]
    Refused {
        /// The address that was tried last.
        address: SocketAddr,
    },
    /// There is no way there.
    #[error("{address} could not be reached: {reason}")]
    Unreachable {
        /// The address that was tried last.
        address: SocketAddr,
        /// What the system says.
        reason: String,
    },
    /// This machine has no more connections to give: nothing was sent.
    #[error("this machine could not open another connection: {reason}")]
    LocalLimit {
        /// What the system says.
        reason: String,
    },
    /// No connection in time, the TLS handshake included.
    #[error("there was no connection within {}", DurationText(*after))]
    ConnectTimeout {
        /// The time that it had.
        after: Duration,
    },
    /// No whole answer in time.
    #[error(
        "{} within {}",
        if *answer_began { "the answer was not complete" } else { "there was no answer" },
        DurationText(*after),
    )]
    Timeout {
        /// The time that the whole attempt had.
        after: Duration,
        /// The head of the answer was there, only its end was not.
        answer_began: bool,
    },
    /// The receiver reset the connection or, on HTTP/2, the stream.
    #[error("the receiver reset the connection before the answer was complete")]
    Reset,
    /// The receiver closed the connection too soon.
    #[error("the receiver closed the connection before the answer was complete")]
    ClosedEarly,
    /// The certificate is not trusted, not valid now, or of another host.
    #[error("the receiver's certificate is not trusted: {reason}")]
    UntrustedCertificate {
        /// What is wrong with it.
        reason: String,
    },
    /// TLS failed otherwise.
    #[error("TLS failed: {reason}")]
    Tls {
        /// What went wrong.
        reason: String,
    },
    /// The receiver does not offer the HTTP version that was asked for.
    #[error("the receiver does not offer the HTTP version that was asked for")]
    VersionNotOffered,
    /// What came back is not HTTP.
    #[error("the answer is not valid HTTP: {reason}")]
    InvalidResponse {
        /// What is wrong with it.
        reason: String,
    },
    /// The sender itself broke off, because a fault asked for it. Not the receiver's doing.
    #[error(transparent)]
    BrokenOff(#[from] BreakOff),
}

/// What a retry policy tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// Time ran out.
    Timeout,
    /// There was no connection, or it broke or made no sense.
    Connection,
}

impl Failure {
    /// What a retry policy sees in it.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::ConnectTimeout { .. }
            | Self::Timeout { .. }
            | Self::BrokenOff(BreakOff::GaveUp { .. }) => FailureClass::Timeout,
            _ => FailureClass::Connection,
        }
    }

    /// Whether the receiver ended the connection without an answer.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Reset | Self::ClosedEarly)
    }

    /// Whether no connection was made, or nothing was sent on it, so that the receiver can't have seen anything.
    pub fn is_before_request(&self) -> bool {
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
            | Self::BrokenOff(BreakOff::RequestLost) => true,
            Self::Timeout { .. }
            | Self::Reset
            | Self::ClosedEarly
            | Self::InvalidResponse { .. }
            | Self::BrokenOff(_) => false,
        }
    }

    /// A short word for it, the same in every report.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NameNotResolved { .. } => "name_not_resolved",
            Self::NotLoopback { .. } => "not_loopback",
            Self::Refused { .. } => "refused",
            Self::Unreachable { .. } => "unreachable",
            Self::ConnectTimeout { .. } => "connect_timeout",
            Self::Timeout { .. } => "timeout",
            Self::Reset => "reset",
            Self::ClosedEarly => "closed_early",
            Self::LocalLimit { .. } => "local_limit",
            Self::UntrustedCertificate { .. } => "untrusted_certificate",
            Self::Tls { .. } => "tls",
            Self::VersionNotOffered => "version_not_offered",
            Self::InvalidResponse { .. } => "invalid_response",
            Self::BrokenOff(broken_off) => broken_off.name(),
        }
    }

    /// What the user can look at or change.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NameNotResolved { .. } => "check the spelling of the host in the target",
            Self::NotLoopback { .. } => {
                "check the hosts file; if that machine is meant, name its host with `--allow-host`"
            }
            Self::Refused { .. } => "check that the receiver runs and listens on this port",
            Self::Unreachable { .. } => "check the network, or a VPN that the host needs",
            Self::ConnectTimeout { .. } => {
                "check the host and port, and that no firewall drops the connection"
            }
            Self::Timeout { .. } => {
                "find out what the receiver waits for, or raise `timeout` in the retry policy"
            }
            Self::Reset | Self::ClosedEarly => "look for a crash in the receiver's log",
            Self::LocalLimit { .. } => {
                "allow more open files (`ulimit -n`), or send fewer deliveries at the same moment"
            }
            Self::UntrustedCertificate { .. } => {
                "give the authority that signed it with `--cacert FILE`, or turn the check off with \
                 `--insecure`"
            }
            Self::Tls { .. } => "check that the receiver speaks HTTPS on this port",
            Self::VersionNotOffered => {
                "deliver over the version that the receiver speaks: Aghanim's example is HTTP/1.1"
            }
            Self::InvalidResponse { .. } => {
                "check that the port speaks HTTP, and `https://` if it is encrypted"
            }
            Self::BrokenOff(_) => {
                "nothing: the fault of this step asked for it; look at the attempt after this one"
            }
        }
    }

    /// Of a connection that could not be opened.
    pub(super) fn connecting(address: SocketAddr, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            return Self::Refused { address };
        }
        let reason = error.to_string();
        if is_local_limit(error) {
            return Self::LocalLimit { reason };
        }
        Self::Unreachable { address, reason }
    }

    /// Of a TLS handshake.
    pub(super) fn handshake(error: &io::Error) -> Self {
        let inner = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(rustls::Error::InvalidCertificate(reason)) => Self::UntrustedCertificate {
                reason: certificate_fault(reason),
            },
            Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
                Self::VersionNotOffered
            }
            Some(error) => Self::Tls {
                reason: error.to_string(),
            },
            None if Self::of_io(error).is_some() => Self::Tls {
                reason: "the connection was closed before it was encrypted".to_owned(),
            },
            None => Self::Tls {
                reason: error.to_string(),
            },
        }
    }

    /// Of an exchange on an open connection.
    pub(super) fn exchanging(error: &hyper::Error) -> Self {
        let mut source = Error::source(error);
        while let Some(cause) = source {
            if let Some(io) = cause.downcast_ref::<io::Error>()
                && let Some(failure) = Self::of_io(io)
            {
                return failure;
            }
            if let Some(http2) = cause.downcast_ref::<h2::Error>() {
                if let Some(failure) = http2.get_io().and_then(Self::of_io) {
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
        // The words of the error itself and of what caused it: "invalid HTTP version parsed".
        let cause = Error::source(error).map(|cause| format!(": {cause}"));
        let reason = format!("{error}{}", cause.unwrap_or_default());
        Self::InvalidResponse { reason }
    }

    /// Of a stream that is read or written directly.
    pub(super) fn of_stream(error: &io::Error) -> Self {
        Self::of_io(error).unwrap_or_else(|| Self::InvalidResponse {
            reason: error.to_string(),
        })
    }

    /// Of an input or output error that says how the connection ended.
    fn of_io(error: &io::Error) -> Option<Self> {
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

/// What is wrong with a certificate, in words that need no knowledge of the library.
fn certificate_fault(error: &rustls::CertificateError) -> String {
    use rustls::CertificateError as Fault;
    let plain = match error {
        Fault::UnknownIssuer => "it is signed by an authority that this machine does not know",
        Fault::Expired | Fault::ExpiredContext { .. } => "it has expired",
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => "it is not valid yet",
        Fault::Revoked => "it has been revoked",
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => "it is of another host",
        other => return other.to_string(),
    };
    plain.to_owned()
}

/// Whether this machine, and not the way to the other, is out of sockets, ports or buffers.
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
