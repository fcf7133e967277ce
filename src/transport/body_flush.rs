//! Waits until the bytes of a request have been flushed to the connection.

use std::sync::Arc;

use tokio::sync::watch;

use super::io_meter::{FlushPoint, IoMeter};

/// Completes once everything that will be sent of a body has been handed to the connection and flushed.
#[derive(Debug, Default)]
pub(crate) struct BodyFlush(watch::Sender<Option<HandedOut>>);

/// What has been handed to the connection. It is flushed once the meter has reached all points.
#[derive(Debug, Clone)]
pub(crate) struct HandedOut {
    pub(crate) meter: Arc<IoMeter>,
    pub(crate) points: Vec<FlushPoint>,
    /// Whether it includes the body's last byte.
    pub(crate) whole: bool,
}

impl BodyFlush {
    /// Records that everything that will be sent has been handed out.
    pub(crate) fn handed_out(&self, handed_out: HandedOut) {
        self.0.send_replace(Some(handed_out));
    }

    /// Whether the body's last byte has been handed to the connection.
    pub(crate) fn is_whole(&self) -> bool {
        let handed_out = self.0.borrow();
        handed_out.as_ref().is_some_and(|handed| handed.whole)
    }

    /// Waits until everything has been flushed.
    pub(crate) async fn flushed(&self) {
        let mut changes = self.0.subscribe();
        // The sender exists as long as this value.
        let handed_out = changes.wait_for(Option::is_some).await;
        let handed_out = handed_out.ok().and_then(|handed_out| handed_out.clone());
        if let Some(HandedOut { meter, points, .. }) = handed_out {
            for point in points {
                meter.reached(point).await;
            }
        }
    }
}
