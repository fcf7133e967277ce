//! A receiver that records what it gets, and whose statuses a test chooses.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use aghook::internals::protocol::{Secret, Signer};
use serde_json::Value;

use crate::support::{Peer, PeerRequest, PeerResponse};

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<PeerRequest>>,
    changed: Condvar,
}

pub(crate) struct Recorder {
    peer: Peer,
    shared: Arc<Shared>,
}

impl Recorder {
    /// Responds 200.
    pub(crate) fn start() -> Self {
        Self::answering(|_| 200)
    }

    /// Responds to the n-th request, counted from 1, with the result of `status`.
    pub(crate) fn answering(status: impl Fn(usize) -> u16 + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let recording = Arc::clone(&shared);
        let peer = Peer::answering(move |request| {
            let mut requests = recording.requests.lock().expect("not poisoned");
            requests.push(request.clone());
            recording.changed.notify_all();
            PeerResponse::new(status(requests.len()))
        });
        Self { peer, shared }
    }

    pub(crate) fn url(&self) -> String {
        self.peer.url()
    }

    pub(crate) fn requests(&self) -> Vec<PeerRequest> {
        self.shared.requests.lock().expect("not poisoned").clone()
    }

    /// Waits until it has got this many requests, and returns them.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<PeerRequest> {
        let requests = self.shared.requests.lock().expect("not poisoned");
        let waiting = |requests: &mut Vec<PeerRequest>| requests.len() < count;
        let waited = self
            .shared
            .changed
            .wait_timeout_while(requests, PATIENCE, waiting);
        let (requests, timeout) = waited.expect("not poisoned");
        assert!(
            !timeout.timed_out(),
            "only {} of {count} requests",
            requests.len()
        );
        requests.clone()
    }
}

/// Whether a request is signed with this secret.
pub(crate) fn is_signed(request: &PeerRequest, secret: &Value) -> bool {
    let secret = Secret::new(secret.as_str().expect("a secret")).expect("not empty");
    let header = |name: &str| request.header(name).expect("a header").as_bytes();
    let (timestamp, signature) = (
        header("X-Aghanim-Signature-Timestamp"),
        header("X-Aghanim-Signature"),
    );
    Signer::new(&secret)
        .verify(timestamp, &request.body, signature)
        .is_ok()
}
