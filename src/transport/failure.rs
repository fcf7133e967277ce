//! Why an attempt got no complete response: messages for people and classes for retries.

mod tls_failure;

use std::error::Error;
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

pub(super) use self::tls_failure::tls_failure;
use self::tls_failure::{EXPIRED, OTHER_HOST, tls_failure_within};
use super::response_limit::TooLong;
use super::wire_fault::SenderAbort;
use crate::policy::DurationText;

/// Why there is no complete response. `Display` describes it; [`Failure::hint`] says what may help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the name {host} could not be resolved: {reason}")]
    NameNotResolved { host: String, reason: String },
    #[error("{host} resolves to {address}, which is not this machine")]
    NotLoopback { host: String, address: SocketAddr },
    #[error("{address} refused the connection")]
    Refused { address: String },
    #[error("nobody listens on the Unix socket {path}")]
    NoSocket { path: String },
    #[error("{address} could not be reached: {reason}")]
    Unreachable { address: String, reason: String },
    #[error("this machine could not open another connection: {reason}")]
    LocalLimit { reason: String },
    #[error("the connection was not established within {}", DurationText(*after))]
    ConnectTimeout { after: Duration },
    #[error(
        "{} within {}",
        if *response_began { "the response was not complete" } else { "there was no response" },
        DurationText(*after),
    )]
    Timeout {
        after: Duration,
        response_began: bool,
    },
    #[error("the receiver reset the connection before the response was complete")]
    Reset,
    #[error(
        "the receiver {} before the response was complete: {reason:?}",
        if *of_connection { "ended the HTTP/2 connection" } else { "reset the HTTP/2 stream" },
    )]
    Http2Reset {
        reason: h2::Reason,
        of_connection: bool,
    },
    #[error("the receiver closed the connection before the response was complete")]
    ClosedEarly,
    #[error("the receiver's certificate is not trusted: {reason}")]
    UntrustedCertificate { reason: String },
    #[error("TLS failed: {reason}")]
    Tls { reason: String },
    #[error("{reason}")]
    ClientCertificate { reason: String },
    #[error("this port speaks plain HTTP; use http://")]
    PlainHttp,
    #[error("this port speaks TLS; use https://")]
    SpeaksTls,
    #[error("the receiver does not offer the requested HTTP version")]
    VersionNotOffered,
    #[error("the response is too long: {0}")]
    TooLong(#[from] TooLong),
    #[error("the response is not valid HTTP: {reason}")]
    InvalidResponse { reason: String },
    #[error(transparent)]
    Aborted(#[from] SenderAbort),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FailureClass {
    Timeout,
    Connection,
}

impl Failure {
    pub(crate) fn class(&self) -> FailureClass {
        match self {
            Self::ConnectTimeout { .. }
            | Self::Timeout { .. }
            | Self::Aborted(SenderAbort::Abandoned { .. }) => FailureClass::Timeout,
            _ => FailureClass::Connection,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Reset | Self::ClosedEarly)
    }

    /// Whether a receiver over HTTP/2 says that it has not processed the request, for example because
    /// it ends connections after a while.
    pub(crate) fn is_unprocessed(&self) -> bool {
        matches!(
            self,
            Self::Http2Reset {
                reason: h2::Reason::REFUSED_STREAM,
                of_connection: false,
            } | Self::Http2Reset {
                reason: h2::Reason::NO_ERROR,
                of_connection: true,
            }
        )
    }

    /// Whether nothing was sent, so that the receiver can't have seen the request.
    pub(crate) fn is_before_request(&self) -> bool {
        matches!(
            self,
            Self::NameNotResolved { .. }
                | Self::NotLoopback { .. }
                | Self::Refused { .. }
                | Self::NoSocket { .. }
                | Self::Unreachable { .. }
                | Self::ConnectTimeout { .. }
                | Self::LocalLimit { .. }
                | Self::UntrustedCertificate { .. }
                | Self::Tls { .. }
                | Self::ClientCertificate { .. }
                | Self::PlainHttp
                | Self::SpeaksTls
                | Self::VersionNotOffered
                | Self::Aborted(SenderAbort::RequestLost)
        )
    }

    /// Whether a receiver that is still starting can fail like this.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(
            self,
            Self::NotLoopback { .. }
                | Self::UntrustedCertificate { .. }
                | Self::ClientCertificate { .. }
                | Self::PlainHttp
                | Self::VersionNotOffered
        )
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

    pub(crate) const REFUSED: &'static str = "refused";

    /// The names of [`Self::Reset`] and [`Self::ClosedEarly`].
    pub(crate) const CLOSED: [&'static str; 2] = ["reset", "closed_early"];

    pub(crate) fn name(&self) -> &'static str {
        self.name_and_hint().0
    }

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
            Self::NoSocket { .. } => (
                Self::REFUSED,
                "check that the receiver runs and listens on this socket",
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
            Self::Reset => (
                Self::CLOSED[0],
                "look for a crash in the receiver's log; if there is none and requests came at the same \
                 time, let its server queue more connections (the `backlog` of `listen`)",
            ),
            Self::Http2Reset { reason, .. } => (Self::CLOSED[0], http2_hint(*reason, crash)),
            Self::ClosedEarly => (Self::CLOSED[1], crash),
            Self::LocalLimit { .. } => (
                "local_limit",
                "allow more open files (`ulimit -n`), or send fewer deliveries at the same time",
            ),
            Self::UntrustedCertificate { reason } if reason == OTHER_HOST => (
                "untrusted_certificate",
                "use a host in the certificate as the target's, and `connect_to` for the address",
            ),
            Self::UntrustedCertificate { reason } if reason == EXPIRED => (
                "untrusted_certificate",
                "renew the certificate, or disable the check with `--insecure`",
            ),
            Self::UntrustedCertificate { .. } => (
                "untrusted_certificate",
                "trust its CA with `--cacert FILE`, or disable the check with `--insecure`",
            ),
            Self::Tls { .. } => ("tls", "check that the receiver speaks HTTPS on this port"),
            Self::ClientCertificate { .. } => (
                "client_certificate",
                "set `client_cert` and `client_key` in the profile, or `--client-cert` and \
                 `--client-key`",
            ),
            Self::PlainHttp | Self::SpeaksTls => {
                ("wrong_scheme", "change the scheme of the target's URL")
            }
            Self::VersionNotOffered => (
                "version_not_offered",
                "use the HTTP version that the receiver speaks; Aghanim's example uses HTTP/1.1",
            ),
            Self::InvalidResponse { .. } => (
                "invalid_response",
                "check that the port speaks HTTP; if it is encrypted, use `https://`",
            ),
            Self::TooLong(_) => (
                "response_too_long",
                "let the handler send a short response that ends",
            ),
            Self::Aborted(abort) => (
                abort.name(),
                "nothing to fix: the step's fault caused this; see the next attempt",
            ),
        }
    }

    pub(crate) fn from_connect_error(address: &impl ToString, error: &io::Error) -> Self {
        let address = address.to_string();
        if error.kind() == io::ErrorKind::ConnectionRefused {
            return Self::Refused { address };
        }
        let reason = error.to_string();
        if is_local_limit(error) {
            let reason = match error.raw_os_error() {
                Some(code) if NO_DESCRIPTORS.contains(&code) => NO_FREE_DESCRIPTORS.to_owned(),
                _ => reason,
            };
            return Self::LocalLimit { reason };
        }
        Self::Unreachable { address, reason }
    }

    pub(crate) fn from_handshake_error(error: &io::Error) -> Self {
        tls_failure_within(error)
            .unwrap_or_else(|| Self::tls("the connection was closed during the handshake"))
    }

    /// A better explanation, if the first byte of the response is not of the expected protocol.
    pub(crate) fn with_first_byte(self, first: Option<u8>) -> Self {
        /// The type of a TLS record with an alert. Its letter is no beginning of HTTP.
        const TLS_ALERT: u8 = 0x15;
        match (self, first) {
            // `HTTP/1.1 400`, or the page of a server that answers without a head.
            (Self::Tls { .. }, Some(b'H' | b'<')) => Self::PlainHttp,
            (Self::InvalidResponse { .. } | Self::Reset | Self::ClosedEarly, Some(TLS_ALERT)) => {
                Self::SpeaksTls
            }
            (failure, _) => failure,
        }
    }

    pub(crate) fn tls(reason: impl Display) -> Self {
        Self::Tls {
            reason: reason.to_string(),
        }
    }

    /// The failure to read or write a stream directly.
    pub(crate) fn from_stream_error(error: &io::Error) -> Self {
        let failure = tls_failure_within(error).or_else(|| Self::from_io_error(error));
        failure.unwrap_or_else(|| invalid_response(error))
    }

    /// The failure for an HTTP/2 error that says how the connection or the stream ended.
    fn from_http2_end(error: &h2::Error) -> Option<Self> {
        if error.is_library() && error.to_string().contains(MANY_CONTINUATIONS) {
            return Some(TooLong::Continuations.into());
        }
        let io = error.get_io();
        let failure = io.and_then(|io| tls_failure_within(io).or_else(|| Self::from_io_error(io)));
        failure.or_else(|| {
            let reason = error.reason().filter(|_| error.is_remote())?;
            let of_connection = error.is_go_away();
            Some(Self::Http2Reset {
                reason,
                of_connection,
            })
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

/// How `h2` names its own limit.
const MANY_CONTINUATIONS: &str = "too_many_continuations";

/// What to do about a reset with this code.
fn http2_hint(reason: h2::Reason, crash: &'static str) -> &'static str {
    match reason {
        h2::Reason::HTTP_1_1_REQUIRED => "use HTTP/1.1: `--http-version 1.1`",
        h2::Reason::ENHANCE_YOUR_CALM | h2::Reason::REFUSED_STREAM => {
            "the receiver or a proxy limits requests: set `max_rate` in the profile"
        }
        h2::Reason::PROTOCOL_ERROR
        | h2::Reason::FLOW_CONTROL_ERROR
        | h2::Reason::FRAME_SIZE_ERROR
        | h2::Reason::COMPRESSION_ERROR => {
            "look in the log of the receiver or its proxy, and compare with `--http-version 1.1`"
        }
        _ => crash,
    }
}

pub(crate) fn invalid_response(reason: impl Display) -> Failure {
    Failure::InvalidResponse {
        reason: reason.to_string(),
    }
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        let mut source = error.source();
        while let Some(cause) = source {
            let io = cause.downcast_ref();
            let io = io.and_then(|io| tls_failure_within(io).or_else(|| Self::from_io_error(io)));
            let http2 = cause.downcast_ref().and_then(Self::from_http2_end);
            if let Some(failure) = io.or(http2) {
                return failure;
            }
            source = cause.source();
        }
        if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            return Self::ClosedEarly;
        }
        match error.source() {
            // Such as "invalid HTTP version parsed".
            Some(cause) => invalid_response(format!("{error}: {cause}")),
            None => invalid_response(error),
        }
    }
}

impl From<h2::Error> for Failure {
    fn from(error: h2::Error) -> Self {
        Self::from_http2_end(&error).unwrap_or_else(|| invalid_response(error))
    }
}

const NO_FREE_DESCRIPTORS: &str = "it has no free file descriptors";

/// EMFILE and ENFILE; WSAEMFILE.
const NO_DESCRIPTORS: &[i32] = if cfg!(windows) { &[10024] } else { &[24, 23] };
/// ENOBUFS of Linux and of macOS; WSAENOBUFS.
const NO_BUFFERS: &[i32] = if cfg!(windows) { &[10055] } else { &[105, 55] };

/// Whether this machine has run out of sockets, ports or buffers.
fn is_local_limit(error: &io::Error) -> bool {
    let is_code = |code| NO_DESCRIPTORS.contains(&code) || NO_BUFFERS.contains(&code);
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error().is_some_and(is_code)
}
