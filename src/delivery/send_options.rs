//! How one request is sent.

use std::time::Duration;

use tokio::sync::oneshot;

use super::gate::Gate;
use super::wire_fault::WireFault;
use crate::scenario::ConnectionChoice;

/// Whether an idle connection may be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ConnectionUse {
    /// An idle connection is used where there is one, and kept for the next request.
    #[default]
    Reuse,
    /// A connection is opened for this request alone and closed after it.
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
    /// How long the whole exchange may take, from connecting to the end of the answer. Time at
    /// the gate does not count once the gate has opened.
    pub timeout: Duration,
    /// Whether an idle connection may be used.
    pub connection: ConnectionUse,
    /// A place at a gate that holds the last byte back. Without effect on a body that leaves in
    /// part or in drips.
    pub gate: Option<Gate>,
    /// What goes wrong on purpose.
    pub fault: Option<WireFault>,
    /// Told once the whole request has left. Never told if it does not.
    pub sent: Option<oneshot::Sender<()>>,
}

impl SendOptions {
    /// Within this time, on any connection, without a gate.
    pub fn within(timeout: Duration) -> Self {
        Self {
            timeout,
            connection: ConnectionUse::Reuse,
            gate: None,
            fault: None,
            sent: None,
        }
    }
}
