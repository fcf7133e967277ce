//! Faults over TLS and over HTTP/2.

use std::sync::Arc;

use http::Version;

use super::encrypted::{BOTH, EncryptedReceiver, encrypted, trusting};
use super::faults::{BODY, delivered_by, results};
use super::recorder::{RequestRecorder, http2_recorder};
use super::*;
use crate::policy::{DurationText, Fault, LateRetry, Lost, RetryPolicy, SlowBody, TimeoutOverlap};

/// A receiver and a client that use the same protocol.
struct ProtocolSetup {
    name: &'static str,
    client: Client,
    target: Target,
    recorder: Arc<RequestRecorder>,
    version: Version,
    _certificate: Option<EncryptedReceiver>,
}

async fn over_tls(name: &'static str, requested: HttpVersion, version: Version) -> ProtocolSetup {
    let server = encrypted(&["127.0.0.1"], &BOTH).await;
    ProtocolSetup {
        name,
        client: trusting(&server, requested),
        target: server.target.clone(),
        recorder: Arc::clone(&server.recorder),
        version,
        _certificate: Some(server),
    }
}

/// HTTP/1.1 over TLS, and HTTP/2 with and without it.
async fn setups() -> [ProtocolSetup; 3] {
    let (target, recorder) = http2_recorder().await;
    let http2 = ProtocolSetup {
        name: "HTTP/2",
        client: client_with(|settings| settings.http_version = HttpVersion::Http2),
        target,
        recorder,
        version: Version::HTTP_2,
        _certificate: None,
    };
    let (one, two) = (HttpVersion::Http1, HttpVersion::Http2);
    [
        over_tls("TLS", one, Version::HTTP_11).await,
        over_tls("HTTP/2 over TLS", two, Version::HTTP_2).await,
        http2,
    ]
}

async fn delivered(setup: &ProtocolSetup, fault: Fault) -> Delivery {
    let policy = RetryPolicy::default();
    let change = |plan: &mut DeliveryPlan<'_>| plan.fault = Some(fault);
    delivered_by(&setup.client, &setup.target, &policy, change).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_work_over_every_protocol() {
    let late = |lost| Fault::LateRetry(LateRetry { lost });
    let slow = SlowBody {
        per_byte: DurationText(Duration::ZERO),
    };
    let overlap = Fault::TimeoutOverlap(TimeoutOverlap::default());
    for (fault, expected, requests) in [
        (Fault::LostAck, &["answer_lost", "200"][..], 2),
        (late(Lost::Response), &["answer_lost", "200"], 2),
        (late(Lost::Request), &["request_lost", "200"], 1),
        (Fault::SlowBody(slow), &["200"], 1),
        (overlap, &["gave_up", "200"], 2),
    ] {
        for setup in setups().await {
            let simultaneous = if fault == overlap { 2 } else { 0 };
            *setup.recorder.wait_for.lock().expect("not poisoned") = simultaneous;
            let delivery = delivered(&setup, fault).await;
            assert_eq!(results(&delivery), expected, "{fault} over {}", setup.name);
            assert_eq!(delivery.outcome, Outcome::Delivered);
            let whole = (setup.version, Some(BODY.as_bytes().into()));
            assert_eq!(setup.recorder.requests(), vec![whole; requests], "{fault}");
            for attempt in &delivery.attempts {
                let used = attempt.exchange.connection.expect("a connection");
                assert_eq!(used.version, setup.version, "{fault} over {}", setup.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_that_break_the_connection_use_http1_if_tls_can_choose() {
    for requested in [HttpVersion::Http1, HttpVersion::Auto] {
        for (fault, result) in [
            (Fault::CutBody, "body_cut"),
            (Fault::Reset, "reset_by_sender"),
        ] {
            let setup = over_tls("TLS", requested, Version::HTTP_11).await;
            let delivery = delivered(&setup, fault).await;
            assert_eq!(results(&delivery), [result, "200"]);
            let broken = delivery.attempts[0].exchange.connection;
            assert_eq!(broken.map(|used| used.version), Some(Version::HTTP_11));
            let retry = delivery.attempts[1].exchange.connection;
            let chosen = match requested {
                HttpVersion::Auto => Version::HTTP_2,
                HttpVersion::Http1 | HttpVersion::Http2 => Version::HTTP_11,
            };
            assert_eq!(retry.map(|used| used.version), Some(chosen));
            let whole = (chosen, Some(BODY.as_bytes().into()));
            assert!(setup.recorder.requests().contains(&whole));
        }
    }
}
