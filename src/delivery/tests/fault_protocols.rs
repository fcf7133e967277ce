//! Faults over TLS and over HTTP/2.

use std::sync::Arc;

use http::Version;

use super::encrypted::{BOTH, Encrypted, encrypted, trusting};
use super::faults::{BODY, delivered_by, results};
use super::recorder::{Recorder, http2_recorder};
use super::*;
use crate::scenario::{
    DurationText, Fault, LateRetry, Lost, RetryPolicy, SlowBody, TimeoutOverlap,
};

/// A receiver, and a client that speaks to it in its own way.
struct Way {
    name: &'static str,
    client: Client,
    target: Target,
    recorder: Arc<Recorder>,
    version: Version,
    _certificate: Option<Encrypted>,
}

async fn over_tls(name: &'static str, asked: HttpVersion, version: Version) -> Way {
    let server = encrypted(&["127.0.0.1"], &BOTH).await;
    Way {
        name,
        client: trusting(&server, asked),
        target: server.target.clone(),
        recorder: Arc::clone(&server.recorder),
        version,
        _certificate: Some(server),
    }
}

/// HTTP/1.1 over TLS, and HTTP/2 with and without it.
async fn ways() -> [Way; 3] {
    let (target, recorder) = http2_recorder().await;
    let http2 = Way {
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

async fn delivered(way: &Way, fault: Fault) -> Delivery {
    let policy = RetryPolicy::default();
    let change = |plan: &mut DeliveryPlan<'_>| plan.fault = Some(fault);
    delivered_by(&way.client, &way.target, &policy, change).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_every_protocol() {
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
        for way in ways().await {
            let both_at_once = if fault == overlap { 2 } else { 0 };
            *way.recorder.together.lock().expect("not poisoned") = both_at_once;
            let delivery = delivered(&way, fault).await;
            assert_eq!(results(&delivery), expected, "{fault} over {}", way.name);
            assert_eq!(delivery.outcome, Outcome::Delivered);
            let whole = (way.version, Some(BODY.as_bytes().into()));
            assert_eq!(way.recorder.requests(), vec![whole; requests], "{fault}");
            for attempt in &delivery.attempts {
                let used = attempt.exchange.connection.expect("a connection");
                assert_eq!(used.version, way.version, "{fault} over {}", way.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_speaks_http1_where_tls_lets_it_choose() {
    for asked in [HttpVersion::Http1, HttpVersion::Auto] {
        for (fault, result) in [
            (Fault::CutBody, "body_cut"),
            (Fault::Reset, "reset_by_sender"),
        ] {
            let way = over_tls("TLS", asked, Version::HTTP_11).await;
            let delivery = delivered(&way, fault).await;
            assert_eq!(results(&delivery), [result, "200"]);
            let broken = delivery.attempts[0].exchange.connection;
            assert_eq!(broken.map(|used| used.version), Some(Version::HTTP_11));
            let retry = delivery.attempts[1].exchange.connection;
            let chosen = match asked {
                HttpVersion::Auto => Version::HTTP_2,
                HttpVersion::Http1 | HttpVersion::Http2 => Version::HTTP_11,
            };
            assert_eq!(retry.map(|used| used.version), Some(chosen));
            let whole = (chosen, Some(BODY.as_bytes().into()));
            assert!(way.recorder.requests().contains(&whole));
        }
    }
}
