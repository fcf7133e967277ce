//! Why the receiver could not start or go on, and what to do about it.

use std::io;
use std::net::SocketAddr;

use super::flaws::Flaw;
use super::ledger::LedgerError;
use super::variants::Variant;

/// Why the receiver could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    /// The address is one that other machines reach.
    #[error("{0} can be reached from other machines, and the /debug endpoints ask for no password")]
    RemoteAddress(SocketAddr),
    /// The address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// The webhook path can't be one.
    #[error("{0:?} can't be the path that takes deliveries")]
    Path(String),
    /// A scripted status can't be answered with.
    #[error("{0} can't be a scripted status")]
    ScriptedStatus(u16),
    /// Two flaws that are different answers to one question.
    #[error("the flaws {0} and {1} exclude each other")]
    FlawsExclude(Flaw, Flaw),
    /// Two variants that are different answers to one question.
    #[error("the variants {0} and {1} exclude each other")]
    VariantsExclude(Variant, Variant),
    /// A flaw that needs the secret before the present one.
    #[error("the flaw {flaw} needs the expired secret", flaw = Flaw::ExpiredSecretAccepted)]
    NoExpiredSecret,
    /// The ledger could not be opened or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl ReceiverError {
    /// What to do about it, where that can be said.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::RemoteAddress(address) => Some(format!(
                "listen on 127.0.0.1:{}, or allow remote access if the network is yours alone",
                address.port()
            )),
            Self::Listen { address, source } => match source.kind() {
                io::ErrorKind::AddrInUse => Some(format!(
                    "stop what listens on port {}, or listen on another port (0 takes a free one)",
                    address.port()
                )),
                io::ErrorKind::PermissionDenied => {
                    Some("take a port from 1024 upwards (0 takes a free one)".to_owned())
                }
                io::ErrorKind::AddrNotAvailable => {
                    Some("listen on an address of this machine, such as 127.0.0.1".to_owned())
                }
                _ => None,
            },
            Self::Path(_) => Some(
                "a path starts with / and has no ?, # or space in it; /health and /debug are taken"
                    .to_owned(),
            ),
            Self::ScriptedStatus(_) => Some("a scripted status is one from 200 to 599".to_owned()),
            Self::FlawsExclude(..) | Self::VariantsExclude(..) => {
                Some("show one of them at a time".to_owned())
            }
            Self::NoExpiredSecret => Some("give the secret before the present one".to_owned()),
            Self::Ledger(error) => error.help(),
        }
    }
}
