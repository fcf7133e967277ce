//! Notices that the target stopped during the run, so that the run need not fail every scenario after
//! that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::run_context::RunContext;
use super::run_event::{ResponseRecord, RunEvent};
use crate::transport::Failure;

/// How long a receiver may take to be restarted by what supervises it.
const RESTART: Duration = Duration::from_secs(3);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(crate) struct TargetWatch {
    responded: AtomicBool,
    /// Whether the last delivery was refused, although an earlier one got a response.
    refuses: AtomicBool,
    stopped: AtomicBool,
}

impl TargetWatch {
    pub(crate) fn observe(&self, event: &RunEvent) {
        let RunEvent::AttemptEnded(attempt) = event else {
            return;
        };
        // Other requests may go to other servers.
        if attempt.event_name.is_none() {
            return;
        }
        match &attempt.response {
            ResponseRecord::Response { .. } => {
                self.responded.store(true, Ordering::Relaxed);
                self.refuses.store(false, Ordering::Relaxed);
            }
            ResponseRecord::Failure { name, .. } if *name == Failure::REFUSED => {
                let responded = self.responded.load(Ordering::Relaxed);
                self.refuses.store(responded, Ordering::Relaxed);
            }
            ResponseRecord::Failure { .. } => {}
        }
    }

    /// Whether the target has stopped. Waits for one that refuses connections to come back.
    pub(crate) async fn has_stopped(&self, context: &RunContext) -> bool {
        let started = Instant::now();
        while self.refuses.load(Ordering::Relaxed) && !self.stopped() {
            let reached = context.client.probe_connection(&context.target).await;
            if reached.is_ok() {
                self.refuses.store(false, Ordering::Relaxed);
            } else if started.elapsed() >= RESTART {
                self.stopped.store(true, Ordering::Relaxed);
            } else {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        }
        self.stopped()
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
