//! Errors that stop the receiver, with help on how to fix them.

use std::io;
use std::net::SocketAddr;

use super::flaw::Flaw;
use super::ledger::LedgerError;
use super::variant::Variant;

#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    #[error("other machines can reach {0}, and the /debug endpoints require no password")]
    RemoteAddress(SocketAddr),
    #[error("can't listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("invalid webhook path {0:?}")]
    Path(String),
    #[error("invalid scripted status {0}")]
    ScriptedStatus(u16),
    #[error("the flaws {0} and {1} can't be combined")]
    ConflictingFlaws(Flaw, Flaw),
    #[error("the variants {0} and {1} can't be combined")]
    ConflictingVariants(Variant, Variant),
    #[error("the flaw {flaw} needs the expired secret", flaw = Flaw::ExpiredSecretAccepted)]
    NoExpiredSecret,
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl ReceiverError {
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
            Self::Ledger(error) => error.help().map(str::to_owned),
        }
    }
}
