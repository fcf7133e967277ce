//! Errors that stop the receiver, with help on how to fix them.

use std::io;
use std::net::SocketAddr;

use super::flaw::Flaw;
use super::ledger::LedgerError;
use super::variant::Variant;

/// Why the receiver could not start or continue.
#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    /// Other machines can reach the address.
    #[error("other machines can reach {0}, and the /debug endpoints require no password")]
    RemoteAddress(SocketAddr),
    /// Listening on the address failed.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The operating system's error.
        source: io::Error,
    },
    /// The webhook path is invalid or reserved.
    #[error("invalid webhook path {0:?}")]
    Path(String),
    /// A scripted status is out of range.
    #[error("invalid scripted status {0}")]
    ScriptedStatus(u16),
    /// Two flaws replace the same step.
    #[error("the flaws {0} and {1} can't be combined")]
    ConflictingFlaws(Flaw, Flaw),
    /// Two variants change the same behavior.
    #[error("the variants {0} and {1} can't be combined")]
    ConflictingVariants(Variant, Variant),
    /// The flaw needs the expired secret, which is missing.
    #[error("the flaw {flaw} needs the expired secret", flaw = Flaw::ExpiredSecretAccepted)]
    NoExpiredSecret,
    /// The ledger could not be opened or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl ReceiverError {
    /// How to fix it, if known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::RemoteAddress(address) => Some(format!(
                "listen on 127.0.0.1:{}, or allow remote access if you trust the whole network",
                address.port()
            )),
            Self::Listen { address, source } => match source.kind() {
                io::ErrorKind::AddrInUse => Some(format!(
                    "stop the program that uses port {}, or use another port (0 picks a free one)",
                    address.port()
                )),
                io::ErrorKind::PermissionDenied => {
                    Some("use port 1024 or higher (0 picks a free one)".to_owned())
                }
                io::ErrorKind::AddrNotAvailable => {
                    Some("use an address of this machine, such as 127.0.0.1".to_owned())
                }
                _ => None,
            },
            Self::Path(_) => Some(
                "start the path with `/` and use no `?`, `#` or space; /health and /debug are \
                 reserved"
                    .to_owned(),
            ),
            Self::ScriptedStatus(_) => Some("use a status from 200 to 599".to_owned()),
            Self::ConflictingFlaws(..) | Self::ConflictingVariants(..) => {
                Some("choose one of them".to_owned())
            }
            Self::NoExpiredSecret => Some("also provide the previous secret".to_owned()),
            Self::Ledger(error) => error.help(),
        }
    }
}
