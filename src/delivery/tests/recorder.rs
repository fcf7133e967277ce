//! A service that remembers the requests it was asked, over whichever protocol.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Version;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::watch;

use super::Target;
use super::server::listen;

/// Requests in the order in which their bodies ended; no body where it broke off.
type Requests = Vec<(Version, Option<Bytes>)>;

/// Answers 200, by default at once.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    requests: Mutex<Requests>,
    number: watch::Sender<usize>,
    /// How many requests must have come before any is answered.
    pub(super) together: Mutex<usize>,
}

impl Recorder {
    pub(super) fn requests(&self) -> Requests {
        self.requests.lock().expect("not poisoned").clone()
    }

    pub(super) async fn answer(
        self: Arc<Self>,
        request: http::Request<Incoming>,
    ) -> Result<http::Response<String>, Infallible> {
        let version = request.version();
        let body = request.into_body().collect().await;
        let body = body.ok().map(http_body_util::Collected::to_bytes);
        self.requests
            .lock()
            .expect("not poisoned")
            .push((version, body));
        self.number.send_modify(|number| *number += 1);
        let together = *self.together.lock().expect("not poisoned");
        let mut number = self.number.subscribe();
        let enough = number.wait_for(|number| *number >= together).await;
        drop(enough.expect("the recorder is there"));
        Ok(http::Response::new(String::new()))
    }
}

/// A recorder that speaks HTTP/2 without being asked.
pub(super) async fn http2_recorder() -> (Target, Arc<Recorder>) {
    let (listener, target) = listen().await;
    let recorder = Arc::new(Recorder::default());
    let recording = Arc::clone(&recorder);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let recorder = Arc::clone(&recording);
            tokio::spawn(async move {
                let answer = |request| Arc::clone(&recorder).answer(request);
                let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service_fn(answer));
                drop(serving.await);
            });
        }
    });
    (target, recorder)
}
