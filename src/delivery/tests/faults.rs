//! What each fault does on the wire, and how the delivery continues.

use bytes::Bytes;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::witness::{ConnectionEnd, Witness, WitnessAction};
use super::*;
use crate::generate::{Generator, Seed, StartTime};
use crate::policy::{
    DurationText, Fault, LateRetry, Lost, RetryOn, RetryPolicy, SlowBody, TimeoutOverlap,
};
use crate::protocol::{Secret, Signer};

pub(super) const NOW: u64 = 1_725_548_450;
pub(super) const BODY: &str = r#"{"event_id":"whevt_first","idempotency_key":"idmpt_1","n":1}"#;

/// Makes a delivery with a fixed clock, so that offsets contain only the waits.
pub(super) async fn delivered_by(
    client: &Client,
    target: &Target,
    policy: &RetryPolicy,
    change: impl FnOnce(&mut DeliveryPlan<'_>),
) -> Delivery {
    let signer = Signer::new(&Secret::new("whsec_test_1").expect("not empty"));
    let clock = Clock::fixed(NOW);
    let sender = Sender {
        client,
        clock: &clock,
        signer: &signer,
        expired: None,
        timestamps: &TimestampAllocator::default(),
        headers: &ExtraHeaders::default(),
        rate_limit: None,
    };
    let start = StartTime::from_system_time(std::time::UNIX_EPOCH + Duration::from_secs(NOW));
    let mut plan = DeliveryPlan {
        event_ids: Some(Generator::new(Seed::new(1), start)),
        ..DeliveryPlan::new(target, Bytes::from_static(BODY.as_bytes()), policy)
    };
    change(&mut plan);
    let mut observed = Vec::new();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let observe = |attempt: &Attempt| observed.push(attempt.number);
    let delivery = deliver(sender, plan, &mut rng, observe).await;
    let numbers: Vec<_> = (1..).take(delivery.attempts.len()).collect();
    assert_eq!(observed, numbers, "each attempt is observed once, in order");
    let recorded = delivery.attempts.iter().map(|attempt| attempt.number);
    assert_eq!(recorded.collect::<Vec<_>>(), numbers);
    delivery
}

async fn delivered(target: &Target, fault: Fault) -> Delivery {
    let policy = RetryPolicy::default();
    delivered_by(&client(), target, &policy, |plan| plan.fault = Some(fault)).await
}

/// The name of each attempt's failure, or its status.
pub(super) fn results(delivery: &Delivery) -> Vec<String> {
    let result = |attempt: &Attempt| match &attempt.exchange.result {
        Ok(response) => response.status.to_string(),
        Err(failure) => failure.name().to_owned(),
    };
    delivery.attempts.iter().map(result).collect()
}

/// The fault of each attempt.
fn faults(delivery: &Delivery) -> Vec<Option<&'static str>> {
    let attempts = delivery.attempts.iter();
    attempts
        .map(|attempt| attempt.fault.map(Fault::name))
        .collect()
}

pub(super) fn offsets(delivery: &Delivery) -> Vec<u64> {
    let attempts = delivery.attempts.iter();
    attempts
        .map(|attempt| attempt.virtual_offset.as_secs())
        .collect()
}

fn discarded_status(attempt: &Attempt) -> Option<u16> {
    let discarded = attempt.exchange.discarded.as_ref()?;
    discarded.as_ref().ok().map(|response| response.status)
}

#[tokio::test]
async fn a_lost_ack_is_discarded_and_retried() {
    let mut witness =
        Witness::with([WitnessAction::Respond(201), WitnessAction::Respond(200)]).await;
    let delivery = delivered(&witness.target, Fault::LostAck).await;
    assert_eq!(results(&delivery), ["answer_lost", "200"]);
    assert_eq!(delivery.outcome, Outcome::Delivered);
    assert_eq!(offsets(&delivery), [0, 1]);
    assert_eq!(faults(&delivery), [Some("lost_ack"), None]);
    assert_eq!(discarded_status(&delivery.attempts[0]), Some(201));
    assert_eq!(discarded_status(&delivery.attempts[1]), None);

    let [first, retry] = witness.seen().await;
    assert_eq!((first.body(), retry.body()), (BODY.into(), BODY.into()));
    assert_eq!(first.end, ConnectionEnd::Fin);
    let sent = &delivery.attempts[0].exchange.request;
    assert_eq!(sent.body, BODY, "the request is recorded as usual");
}

#[tokio::test]
async fn a_missing_response_is_not_a_lost_ack() {
    let witness = Witness::with([WitnessAction::Close, WitnessAction::Respond(200)]).await;
    let delivery = delivered(&witness.target, Fault::LostAck).await;
    assert_eq!(results(&delivery), ["closed_early", "200"]);
    assert_eq!(discarded_status(&delivery.attempts[0]), None);

    let policy = RetryPolicy {
        timeout: DurationText(Duration::from_millis(50)),
        ..RetryPolicy::default()
    };
    for fault in [Fault::LostAck, Fault::OutOfOrder] {
        let witness = Witness::with([WitnessAction::Silence, WitnessAction::Respond(200)]).await;
        let (barrier, reached) = RetryBarrier::new();
        drop(reached);
        let delivery = delivered_by(&client(), &witness.target, &policy, |plan| {
            plan.fault = Some(fault);
            plan.retry_barrier = Some(barrier);
        })
        .await;
        assert_eq!(results(&delivery), ["timeout", "200"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_body_is_half_a_body_and_a_reset() {
    for _ in 0..20 {
        let mut witness = Witness::with([WitnessAction::Respond(200)]).await;
        let delivery = delivered(&witness.target, Fault::CutBody).await;
        assert_eq!(results(&delivery), ["body_cut", "200"]);
        assert_eq!(faults(&delivery), [Some("cut_body"), None]);

        let [cut, retry] = witness.seen().await;
        assert_eq!(cut.body(), BODY[..BODY.len() / 2]);
        assert_eq!(cut.header("Content-Length"), BODY.len().to_string());
        assert_eq!(
            (cut.end, retry.end),
            (ConnectionEnd::Reset, ConnectionEnd::Fin)
        );
        assert_eq!(retry.body(), BODY);
    }
}

#[tokio::test]
async fn a_body_of_at_most_one_byte_is_cut_after_the_head() {
    for body in ["x", ""] {
        let mut witness = Witness::with([WitnessAction::Respond(200)]).await;
        let delivery = delivered_by(
            &client(),
            &witness.target,
            &RetryPolicy::default(),
            |plan| {
                plan.fault = Some(Fault::CutBody);
                plan.body = Bytes::copy_from_slice(body.as_bytes());
            },
        )
        .await;
        assert_eq!(delivery.attempts.len(), 2);
        let [cut, retry] = witness.seen().await;
        assert_eq!((cut.body(), cut.end), (String::new(), ConnectionEnd::Reset));
        assert!(cut.bytes.ends_with(b"\r\n\r\n"), "the head is complete");
        assert_eq!(retry.body(), body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_follows_the_whole_request() {
    for length in [BODY.len(), 100_000] {
        for _ in 0..20 {
            let body = "x".repeat(length);
            let mut witness =
                Witness::with([WitnessAction::Silence, WitnessAction::Respond(200)]).await;
            let delivery = delivered_by(
                &client(),
                &witness.target,
                &RetryPolicy::default(),
                |plan| {
                    plan.fault = Some(Fault::Reset);
                    plan.body = body.clone().into();
                },
            )
            .await;
            assert_eq!(results(&delivery), ["reset_by_sender", "200"]);
            let [reset, retry] = witness.seen().await;
            assert_eq!(reset.end, ConnectionEnd::Reset);
            // Some systems drop unread bytes when a reset arrives; Linux does not.
            if cfg!(target_os = "linux") && length == BODY.len() {
                assert_eq!(reset.body(), body);
            }
            assert_eq!((retry.body(), retry.end), (body, ConnectionEnd::Fin));
        }
    }
}

#[tokio::test]
async fn a_slow_body_arrives_one_byte_at_a_time() {
    let hours = SlowBody {
        per_byte: DurationText(Duration::from_hours(1)),
    };
    // A receiver that responds 408 has timed out, so the delivery is retried as usual.
    let early = WitnessAction::RespondEarly {
        bytes: 1,
        status: 408,
    };
    let mut witness = Witness::with([early, WitnessAction::Respond(200)]).await;
    let delivery = delivered(&witness.target, Fault::SlowBody(hours)).await;
    assert_eq!(results(&delivery), ["408", "200"]);
    assert_eq!(faults(&delivery), [Some("slow_body"), None]);
    let [slow, retry] = witness.seen().await;
    assert_eq!(slow.body(), BODY[..1], "the next byte is sent much later");
    assert_eq!(retry.body(), BODY);

    let impatient = RetryPolicy {
        timeout: DurationText(Duration::from_millis(50)),
        ..RetryPolicy::default()
    };
    let mut witness = Witness::with([WitnessAction::Respond(200)]).await;
    let delivery = delivered_by(&client(), &witness.target, &impatient, |plan| {
        plan.fault = Some(Fault::SlowBody(hours));
    })
    .await;
    assert_eq!(results(&delivery), ["timeout", "200"]);
    let [slow, _] = witness.seen().await;
    assert_eq!(slow.body(), BODY[..1]);
}

#[tokio::test]
async fn a_receiver_that_accepts_a_slow_body_gets_no_retry() {
    let no_delay = SlowBody {
        per_byte: DurationText(Duration::ZERO),
    };
    let short_delay = SlowBody {
        per_byte: DurationText(Duration::from_micros(10)),
    };
    for slow in [no_delay, short_delay] {
        let mut witness = Witness::with([WitnessAction::Respond(200)]).await;
        let delivery = delivered(&witness.target, Fault::SlowBody(slow)).await;
        assert_eq!(results(&delivery), ["200"]);
        let [seen] = witness.seen().await;
        assert_eq!(seen.body(), BODY);
    }
    let witness = Witness::with([WitnessAction::RespondEarly {
        bytes: 1,
        status: 400,
    }])
    .await;
    let hours = DurationText(Duration::from_hours(1));
    let delivery = delivered(
        &witness.target,
        Fault::SlowBody(SlowBody { per_byte: hours }),
    )
    .await;
    assert_eq!(delivery.outcome, Outcome::Refused);
}

#[tokio::test]
async fn an_overlapping_retry_arrives_while_the_first_is_processed() {
    for after in [Duration::ZERO, Duration::from_millis(5)] {
        // The witness responds only once both have arrived, so a sender that waits would hang.
        let both = |status| WitnessAction::RespondAfter {
            requests: 2,
            status,
        };
        let mut witness = Witness::with([both(201), both(200)]).await;
        let after = DurationText(after);
        let overlap = Fault::TimeoutOverlap(TimeoutOverlap { after });
        let delivery = delivered(&witness.target, overlap).await;
        assert_eq!(results(&delivery), ["gave_up", "200"]);
        assert_eq!(delivery.outcome, Outcome::Delivered);
        assert_eq!(discarded_status(&delivery.attempts[0]), Some(201));
        assert_eq!(faults(&delivery), [Some("timeout_overlap"), None]);
        // The default policy's timeout and first delay.
        assert_eq!(offsets(&delivery), [0, 11]);
        let [first, retry] = witness.seen().await;
        assert_eq!((first.body(), retry.body()), (BODY.into(), BODY.into()));
        assert_eq!(
            (first.end, retry.end),
            (ConnectionEnd::Fin, ConnectionEnd::Fin)
        );
    }
}

#[tokio::test]
async fn an_overlapping_retry_can_fail() {
    let both = |status| WitnessAction::RespondAfter {
        requests: 2,
        status,
    };
    let witness = Witness::with([both(200), both(503), WitnessAction::Respond(200)]).await;
    let overlap = Fault::TimeoutOverlap(TimeoutOverlap::default());
    let delivery = delivered(&witness.target, overlap).await;
    assert_eq!(results(&delivery), ["gave_up", "503", "200"]);
    assert_eq!(offsets(&delivery), [0, 11, 16]);

    // A failed attempt is not abandoned, and an abandoned one is only retried if the policy says so.
    let witness = Witness::with([WitnessAction::Close, WitnessAction::Respond(200)]).await;
    let delivery = delivered(&witness.target, overlap).await;
    assert!(results(&delivery).contains(&"200".to_owned()));

    for policy in [
        RetryPolicy {
            attempts: 1,
            ..RetryPolicy::default()
        },
        RetryPolicy {
            retry_on: vec![RetryOn::Connection],
            ..RetryPolicy::default()
        },
    ] {
        let witness = Witness::with([WitnessAction::Respond(200)]).await;
        let delivery = delivered_by(&client(), &witness.target, &policy, |plan| {
            plan.fault = Some(overlap);
        })
        .await;
        assert_eq!(results(&delivery), ["gave_up"]);
        assert_eq!(discarded_status(&delivery.attempts[0]), Some(200));
        assert_eq!(delivery.outcome, Outcome::Exhausted);
    }
    let target = super::server::unused_target().await;
    let delivery = delivered(&target, overlap).await;
    assert_eq!(results(&delivery), ["refused"; 5]);
}

#[tokio::test]
async fn a_late_retry_has_an_old_timestamp() {
    const SPAN: u64 = 1 + 5 + 30 + 300;
    let signer = Signer::new(&Secret::new("whsec_test_1").expect("not empty"));
    for (lost, first_timestamp) in [(Lost::Response, NOW), (Lost::Request, NOW - SPAN)] {
        let mut witness = Witness::with([WitnessAction::Respond(200)]).await;
        let late = Fault::LateRetry(LateRetry { lost });
        let delivery = delivered(&witness.target, late).await;
        assert_eq!(delivery.outcome, Outcome::Delivered);
        assert_eq!(faults(&delivery), [Some("late_retry"); 2]);
        assert_eq!(offsets(&delivery), [0, SPAN]);
        let timestamps: Vec<_> = delivery
            .attempts
            .iter()
            .map(|attempt| attempt.signed_timestamp)
            .collect();
        assert_eq!(timestamps, [first_timestamp, NOW - SPAN]);

        let [first, retry] = witness.seen().await;
        match lost {
            Lost::Response => {
                assert_eq!(results(&delivery), ["answer_lost", "200"]);
                assert_eq!(
                    first.header("X-Aghanim-Signature-Timestamp"),
                    NOW.to_string()
                );
            }
            Lost::Request => {
                assert_eq!(results(&delivery), ["request_lost", "200"]);
                assert_eq!((first.bytes, first.end), (Vec::new(), ConnectionEnd::Fin));
                let sent = |attempt: &Attempt| attempt.exchange.request.headers.clone();
                assert_eq!(sent(&delivery.attempts[0]), sent(&delivery.attempts[1]));
            }
        }
        let old = NOW - SPAN;
        assert_eq!(
            retry.header("X-Aghanim-Signature-Timestamp"),
            old.to_string()
        );
        let signature = signer.sign(old, BODY.as_bytes()).to_string();
        assert_eq!(retry.header("X-Aghanim-Signature"), signature);
    }
}

#[tokio::test]
async fn a_late_retry_is_the_last_attempt() {
    let witness = Witness::with([WitnessAction::Respond(503)]).await;
    let late = Fault::LateRetry(LateRetry::default());
    let delivery = delivered(&witness.target, late).await;
    assert_eq!(results(&delivery), ["answer_lost", "503"]);
    assert_eq!(delivery.outcome, Outcome::Exhausted);

    let once = RetryPolicy {
        attempts: 1,
        ..RetryPolicy::default()
    };
    let delivery = delivered_by(&client(), &witness.target, &once, |plan| {
        plan.fault = Some(late);
    })
    .await;
    assert_eq!(delivery.attempts.len(), 1);
}

#[tokio::test]
async fn other_deliveries_run_between_a_lost_response_and_its_retry() {
    let witness = Witness::with([WitnessAction::Respond(200)]).await;
    let (barrier, reached) = RetryBarrier::new();
    let policy = RetryPolicy::default();
    let client = client();
    let first = delivered_by(&client, &witness.target, &policy, |plan| {
        plan.fault = Some(Fault::OutOfOrder);
        plan.retry_barrier = Some(barrier);
    });
    let order = std::sync::Mutex::new(Vec::new());
    let between = async {
        let release = reached.await.expect("an attempt");
        order.lock().expect("not poisoned").push("others");
        drop(release);
    };
    let first = async {
        let delivery = first.await;
        order.lock().expect("not poisoned").push("retry");
        delivery
    };
    let (delivery, ()) = tokio::join!(first, between);
    assert_eq!(results(&delivery), ["answer_lost", "200"]);
    assert_eq!(*order.lock().expect("not poisoned"), ["others", "retry"]);
    assert_eq!(faults(&delivery), [Some("out_of_order"); 2]);

    // Without a retry barrier, the delivery is an ordinary one.
    let other = delivered(&witness.target, Fault::OutOfOrder).await;
    assert_eq!(results(&other), ["200"]);
}

#[tokio::test]
async fn a_fault_does_not_affect_idle_connections() {
    let mut witness = Witness::with([WitnessAction::Respond(200)]).await;
    let client = client();
    assert_eq!(send(&client, &witness.target).await.status(), Some(200));
    let policy = RetryPolicy::default();
    let lost = |plan: &mut DeliveryPlan<'_>| plan.fault = Some(Fault::Reset);
    delivered_by(&client, &witness.target, &policy, lost).await;
    drop(client);
    let [kept, broken] = witness.seen().await;
    assert_eq!(
        (kept.end, broken.end),
        (ConnectionEnd::Fin, ConnectionEnd::Reset)
    );
    let requests = String::from_utf8_lossy(&kept.bytes)
        .matches("POST ")
        .count();
    assert_eq!(requests, 2, "the retry reuses the idle connection");
}
