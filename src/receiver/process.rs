//! The life of the receiver's process, which a simulated restart ends.

use tokio::sync::{RwLock, watch};

/// The work of the process. A restart ends all of it at once, like a killed process.
#[derive(Debug, Default)]
pub(super) struct Process {
    restarts: watch::Sender<u64>,
    /// Held for reading by all work.
    working: RwLock<()>,
}

impl Process {
    /// Does work; `None` if a restart ended it.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let _working = self.working.read().await;
        let mut restarts = self.restarts.subscribe();
        tokio::select! {
            biased;
            done = work => Some(done),
            _ = restarts.changed() => None,
        }
    }

    /// Ends all work. Returns once nothing of it runs any more.
    pub(super) async fn restart(&self) {
        self.restarts.send_modify(|number| *number += 1);
        drop(self.working.write().await);
    }
}
