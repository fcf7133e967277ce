//! What happens to the receiver while it processes the first attempt of a delivery.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

/// Interrupts the receiver, such as by a restart.
pub(crate) trait Interrupt: Send + Sync {
    fn interrupt(&self) -> BoxFuture<'_, ()>;
}

/// When the receiver is interrupted, and how.
#[derive(Clone, Copy)]
pub(crate) struct Interruption<'a> {
    /// How long after the request, in real time.
    pub(crate) after: Duration,
    pub(crate) by: &'a dyn Interrupt,
}

impl fmt::Debug for Interruption<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Interruption(after {:?})", self.after)
    }
}
