//! Deliveries that follow their policy, and the same deliveries with one deviation.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Version};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::policy::schedule;
use crate::policy::{
    ConnectionChoice, Delays, DurationText, EventIdOnRetry, Exponential, Jitter, LateRetry,
    RetryAfter, SlowBody, TimeoutOverlap,
};
use crate::transport::{
    ConnectionInfo, Exchange, Failure, Response, SenderAbort, SentRequest, Timings,
};

/// The result of an attempt: the status and `Retry-After`, or a failure.
type StatusOrFailure = Result<(u16, Option<u64>), Failure>;

#[expect(
    clippy::unnecessary_wraps,
    reason = "lists hold both responses and failures"
)]
fn status(status: u16) -> StatusOrFailure {
    Ok((status, None))
}

fn body(event_id: &str) -> Bytes {
    format!(r#"{{"event_id":"{event_id}","idempotency_key":"k"}}"#).into()
}

fn attempt(number: u32, result: &StatusOrFailure) -> Attempt {
    let response = |(status, retry_after): &(u16, Option<u64>)| Response {
        status: *status,
        headers: retry_after
            .iter()
            .map(|asked| ("retry-after".to_owned(), asked.to_string().into_bytes()))
            .collect(),
        body: Bytes::new(),
        body_length: 0,
        truncated: false,
        complete: true,
    };
    let signature = ("X-Aghanim-Signature".to_owned(), HeaderValue::from(5));
    let info = ConnectionInfo {
        reused: false,
        version: Version::HTTP_11,
        remote: ([127, 0, 0, 1], 80).into(),
        replaces: None,
    };
    Attempt {
        number,
        started_at: jiff::Timestamp::UNIX_EPOCH,
        virtual_offset: Duration::ZERO,
        delay_before: Duration::ZERO,
        exchange: Exchange {
            request: SentRequest {
                method: Method::POST,
                url: "http://127.0.0.1/".to_owned(),
                headers: vec![signature],
                body: body("first"),
            },
            result: result.as_ref().map(response).map_err(Clone::clone),
            discarded: None,
            timings: Timings::default(),
            connection: Some(info),
        },
        signed_timestamp: 7,
        forgery: None,
        fault: None,
        ended_at: 9,
    }
}

/// A delivery with these results, one per attempt, and these waits between them.
fn delivery(outcome: Outcome, results: &[StatusOrFailure], waits: &[Duration]) -> Delivery {
    let mut offset = Duration::ZERO;
    let attempts = (1..).zip(results).map(|(number, result)| {
        let mut attempt = attempt(number, result);
        if number > 1 {
            let wait = waits[number as usize - 2];
            offset = offset.saturating_add(wait);
            attempt.delay_before = wait;
        }
        attempt.virtual_offset = offset;
        attempt
    });
    Delivery {
        attempts: attempts.collect(),
        outcome,
    }
}

fn seconds<const N: usize>(seconds: [u64; N]) -> [Duration; N] {
    seconds.map(Duration::from_secs)
}

/// Two 503 responses and then a success, with the waits of the default policy.
fn compliant() -> Delivery {
    let results = [status(503), status(503), status(200)];
    delivery(Outcome::Delivered, &results, &seconds([1, 5]))
}

fn found(policy: &RetryPolicy, delivery: &Delivery) -> String {
    policy_deviations(policy, delivery).join("; ")
}

#[test]
fn a_compliant_delivery_has_no_deviations() {
    let policy = RetryPolicy::default();
    assert_eq!(found(&policy, &compliant()), "");
    assert_eq!(check_retry_policy(&policy, &compliant()), None);
    let all = vec![Err(Failure::Reset); 5];
    let exhausted = delivery(Outcome::Exhausted, &all, &seconds([1, 5, 30, 300]));
    assert_eq!(found(&policy, &exhausted), "");
    let refused = delivery(Outcome::Refused, &[status(400)], &[]);
    assert_eq!(found(&policy, &refused), "");
}

#[test]
fn each_deviation_is_found_and_makes_the_check_broken() {
    type Change = fn(&mut Delivery);
    let changes: [(Change, &str); 14] = [
        (|it| it.attempts.clear(), "no attempt was made"),
        (|it| it.attempts[1].number = 3, "attempt 2 has the number 3"),
        (
            |it| it.outcome = Outcome::Refused,
            "is Delivered, but was reported as Refused",
        ),
        (
            |it| {
                it.attempts.pop();
            },
            "attempt 2 was not retried",
        ),
        (
            |it| it.attempts[0] = attempt(1, &status(204)),
            "attempt 1 was delivered, but another followed",
        ),
        (
            |it| it.attempts[0] = attempt(1, &status(403)),
            "attempt 1 was refused, but another followed",
        ),
        (
            |it| {
                let last = it.attempts[2].clone();
                it.attempts.extend([last.clone(), last.clone(), last]);
            },
            "6 attempts were made, but only 5 are allowed",
        ),
        (
            |it| it.attempts[0].delay_before = Duration::from_secs(1),
            "attempt 1 came after a wait of 1s",
        ),
        (
            |it| it.attempts[1].delay_before = Duration::from_millis(999),
            "attempt 2 came after 999ms instead of 1 s to 1 s",
        ),
        (
            |it| it.attempts[2].delay_before = Duration::from_secs(6),
            "attempt 3 came after 6s",
        ),
        (
            |it| it.attempts[2].virtual_offset = Duration::from_millis(5_999),
            "attempt 3 started before its wait of 5s was over",
        ),
        (
            |it| it.attempts[1].exchange.request.body = body("other"),
            "attempt 2 has a different body than the first",
        ),
        (
            |it| it.attempts[2].exchange.request.body = Bytes::new(),
            "attempt 3 has a different body than the first",
        ),
        (
            |it| it.attempts[0].fault = Some(Fault::LateRetry(LateRetry::default())),
            "3 attempts were made, but only 2 are allowed",
        ),
    ];
    let policy = RetryPolicy::default();
    for (change, expected) in changes {
        let mut wrong = compliant();
        change(&mut wrong);
        let found = found(&policy, &wrong);
        assert!(found.contains(expected), "{expected}: {found}");
        let check = check_retry_policy(&policy, &wrong).expect("a check");
        assert_eq!(check.verdict, crate::verify::verdict::Verdict::Broken);
    }
}

#[test]
fn the_first_signature_is_repeated_if_the_policy_says_so() {
    let policy = RetryPolicy {
        resign: false,
        ..RetryPolicy::default()
    };
    assert_eq!(found(&policy, &compliant()), "");
    let mut changed = compliant();
    changed.attempts[1].signed_timestamp += 1;
    changed.attempts[2].exchange.request.headers[0].1 = HeaderValue::from(6);
    assert_eq!(found(&RetryPolicy::default(), &changed), "");
    let found = found(&policy, &changed);
    assert_eq!(
        found,
        "attempt 2 has a different timestamp; attempt 3 has a different signature"
    );
}

#[test]
fn event_ids_and_connections_are_fresh_if_the_policy_says_so() {
    let policy = RetryPolicy {
        event_id: EventIdOnRetry::Fresh,
        connection: ConnectionChoice::New,
        ..RetryPolicy::default()
    };
    let mut fresh = compliant();
    fresh.attempts[1].exchange.request.body = body("second");
    fresh.attempts[2].exchange.request.body = body("third");
    assert_eq!(found(&policy, &fresh), "");

    let deviations = found(&policy, &compliant());
    assert!(
        deviations.contains("attempt 2 has no fresh event ID"),
        "{deviations}"
    );
    fresh.attempts[2].exchange.request.body = body("second");
    let deviations = found(&policy, &fresh);
    assert_eq!(deviations, "attempt 3 has no fresh event ID");
    let other_key = r#"{"event_id":"third","idempotency_key":"l"}"#;
    fresh.attempts[2].exchange.request.body = other_key.into();
    let deviations = found(&policy, &fresh);
    assert!(deviations.contains("differs from the first in more than the event ID"));

    let mut old = compliant();
    old.attempts[1].exchange.request.body = body("second");
    old.attempts[2].exchange.request.body = body("third");
    if let Some(used) = &mut old.attempts[1].exchange.connection {
        used.reused = true;
    }
    assert_eq!(found(&policy, &old), "attempt 2 reused a connection");
}

#[test]
fn a_wait_follows_retry_after_if_the_policy_says_so() {
    let policy = RetryPolicy {
        retry_after: RetryAfter::UpTo(DurationText(Duration::from_secs(20))),
        ..RetryPolicy::default()
    };
    let results = [Ok((503, Some(10))), Ok((503, Some(60))), status(200)];
    let honoured = delivery(Outcome::Delivered, &results, &seconds([10, 20]));
    assert_eq!(found(&policy, &honoured), "");
    assert_ne!(found(&RetryPolicy::default(), &honoured), "");
    let ignored = delivery(Outcome::Delivered, &results, &seconds([1, 5]));
    assert_ne!(found(&policy, &ignored), "");
    assert_eq!(found(&RetryPolicy::default(), &ignored), "");
}

#[test]
fn faults_change_waits() {
    let policy = RetryPolicy::default();
    let after = policy.timeout.0;
    let abandoned = Err(Failure::Aborted(SenderAbort::Abandoned { after }));
    let results = [abandoned, status(200)];
    let mut overlap = delivery(Outcome::Delivered, &results, &seconds([1]));
    overlap.attempts[0].fault = Some(Fault::TimeoutOverlap(TimeoutOverlap::default()));
    assert_ne!(
        found(&policy, &overlap),
        "",
        "the timeout counts as waiting"
    );
    overlap.attempts[1].virtual_offset = Duration::from_secs(11);
    assert_eq!(found(&policy, &overlap), "");

    let lost = Err(Failure::Aborted(SenderAbort::ResponseLost));
    let late = |wait, timestamp| {
        let results = [lost.clone(), status(503)];
        let mut late = delivery(Outcome::Exhausted, &results, &seconds([wait]));
        late.attempts[0].fault = Some(Fault::LateRetry(LateRetry::default()));
        late.attempts[1].signed_timestamp = timestamp;
        found(&policy, &late)
    };
    assert_eq!(late(336, 1), "");
    assert!(late(335, 1).contains("attempt 2 came after 5m35s"));
    assert!(late(336, 8).contains("signed later than the first"));

    let mut slow = delivery(
        Outcome::Delivered,
        &[status(408), status(200)],
        &seconds([1]),
    );
    assert_ne!(found(&policy, &slow), "", "a refusal");
    slow.attempts[0].fault = Some(Fault::SlowBody(SlowBody::default()));
    assert_eq!(found(&policy, &slow), "");
}

prop_compose! {
    fn policies()(
        attempts in 1_u32..8,
        list in prop::collection::vec(0..10_u64.pow(15), 1..6),
        factor in 1.0..50.0_f64,
        exponential: bool,
        millionths in 0_u32..=1_000_000,
    ) -> RetryPolicy {
        let of = |nanoseconds: u64| DurationText(Duration::from_nanos(nanoseconds));
        let delays = match list[..] {
            [first, max, ..] if exponential => {
                Delays::Exponential(Exponential { first: of(first), factor, max: of(max) })
            }
            _ => Delays::List(list.into_iter().map(of).collect()),
        };
        let jitter = Jitter::from_fraction(f64::from(millionths) / 1e6).expect("a share");
        RetryPolicy { attempts, delays, jitter, ..RetryPolicy::default() }
    }
}

proptest! {
    #[test]
    fn every_generated_schedule_passes(
        policy in policies(),
        failures in 0_usize..8,
        seed: u64,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let waits: Vec<_> = schedule(&policy, &mut rng).collect();
        let mut results = vec![status(503); failures.min(policy.attempts as usize)];
        let outcome = if results.len() < policy.attempts as usize {
            results.push(status(200));
            Outcome::Delivered
        } else {
            Outcome::Exhausted
        };
        let delivery = delivery(outcome, &results, &waits);
        prop_assert_eq!(found(&policy, &delivery), "");
    }

    #[test]
    fn a_wait_outside_its_bounds_is_found(
        policy in policies(),
        seed: u64,
        index in 0_usize..7,
        shorter: bool,
    ) {
        prop_assume!(policy.attempts > 1);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut waits: Vec<_> = schedule(&policy, &mut rng).collect();
        let index = index % waits.len();
        let plain = RetryPolicy { jitter: Jitter::NONE, ..policy.clone() };
        let delay = schedule(&plain, &mut rng).nth(index).expect("a wait");
        let bound = delay.mul_f64(f64::from(policy.jitter.millionths()) / 1e6);
        let beyond = Duration::from_secs(1) + delay.mul_f64(0.001);
        let least = delay.saturating_sub(bound);
        let too_short = least.checked_sub(beyond).filter(|_| shorter);
        waits[index] = too_short.unwrap_or(delay + bound + beyond);
        let results = vec![status(503); policy.attempts as usize];
        let delivery = delivery(Outcome::Exhausted, &results, &waits);
        let found = found(&policy, &delivery);
        let expected = format!("attempt {} came after", index + 2);
        prop_assert!(found.contains(&expected), "{}", found);
    }
}
