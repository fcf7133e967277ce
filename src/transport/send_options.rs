//! How one request is sent.

use std::time::Duration;

use tokio::sync::oneshot;

use super::last_byte_barrier::LastByteBarrier;
use super::wire_fault::WireFault;
use crate::policy::ConnectionChoice;

/// Whether an idle connection may be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ConnectionUse {
    /// Use an idle connection if there is one, and keep it for the next request.
    #[default]
    Reuse,
    /// Open a connection for this request only, and close it afterwards.
    New,
}

impl From<ConnectionChoice> for ConnectionUse {
    fn from(choice: ConnectionChoice) -> Self {
        match choice {
            ConnectionChoice::Reuse => Self::Reuse,
            ConnectionChoice::New => Self::New,
        }
    }
}

/// How one request is sent.
#[derive(Debug)]
pub struct SendOptions {
    /// How long the whole exchange may take, from connecting to the end of the response. Once the
    /// barrier has opened, the wait at it does not count.
    pub timeout: Duration,
    /// Whether an idle connection may be used.
    pub connection: ConnectionUse,
    /// Holds back the last byte. Ignored if the body is cut or dripped.
    pub barrier: Option<LastByteBarrier>,
    /// The fault to inject, if any.
    pub fault: Option<WireFault>,
    /// Notified once the whole request has been sent.
    pub sent: Option<oneshot::Sender<()>>,
}

impl SendOptions {
    /// Options with this timeout, on any connection, without a barrier.
    pub fn within(timeout: Duration) -> Self {
        Self {
            timeout,
            connection: ConnectionUse::Reuse,
            barrier: None,
            fault: None,
            sent: None,
        }
    }
}
