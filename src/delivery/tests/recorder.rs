//! A service that records its requests, over any protocol.

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

/// Requests in the order in which their bodies ended; `None` for an incomplete body.
type RecordedRequests = Vec<(Version, Option<Bytes>)>;

/// Responds 200, by default at once.
#[derive(Debug, Default)]
pub(super) struct RequestRecorder {
    requests: Mutex<RecordedRequests>,
    number: watch::Sender<usize>,
    /// How many requests must arrive before it responds to any.
    pub(super) wait_for: Mutex<usize>,
}

impl RequestRecorder {
    pub(super) fn requests(&self) -> RecordedRequests {
        self.requests.lock().expect("not poisoned").clone()
    }

    pub(super) async fn respond(
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
        let wait_for = *self.wait_for.lock().expect("not poisoned");
        let mut number = self.number.subscribe();
        let enough = number.wait_for(|number| *number >= wait_for).await;
        drop(enough.expect("the recorder exists"));
        Ok(http::Response::new(String::new()))
    }
}

/// A recorder that speaks HTTP/2 with prior knowledge.
pub(super) async fn http2_recorder() -> (Target, Arc<RequestRecorder>) {
    let (listener, target) = listen().await;
    let recorder = Arc::new(RequestRecorder::default());
    let recording = Arc::clone(&recorder);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let recorder = Arc::clone(&recording);
            tokio::spawn(async move {
                let respond = |request| Arc::clone(&recorder).respond(request);
                let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service_fn(respond));
                drop(serving.await);
            });
        }
    });
    (target, recorder)
}
