//! Deliveries with several attempts.

use bytes::Bytes;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::server::{Server, ServerAction, unused_target};
use super::*;
use crate::policy::{DurationText, Forgery, RetryOn, RetryPolicy};
use crate::protocol::{Secret, Signer};

const SECRET: &str = "hunter2hunter2";

/// Makes a delivery with a fixed clock, so that offsets contain only the waits.
async fn delivered(target: &Target, policy: &RetryPolicy, forgery: Option<Forgery>) -> Delivery {
    let signer = Signer::new(&Secret::new(SECRET).expect("not empty"));
    let (client, clock) = (client(), Clock::fixed(1_725_548_450));
    let sender = Sender {
        client: &client,
        clock: &clock,
        signer: &signer,
        expired: Some(&signer),
        timestamps: &TimestampAllocator::default(),
        headers: &ExtraHeaders::default(),
        rate_limit: None,
    };
    let plan = DeliveryPlan {
        forgery,
        ..DeliveryPlan::new(target, Bytes::from_static(b"{}"), policy)
    };
    assert!(!format!("{sender:?} {plan:?}").contains(SECRET));
    let mut observed = Vec::new();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let observe = |attempt: &Attempt| observed.push(attempt.number);
    let delivery = deliver(sender, plan, &mut rng, observe).await;
    let numbers: Vec<_> = delivery
        .attempts
        .iter()
        .map(|attempt| attempt.number)
        .collect();
    assert_eq!(observed, numbers, "each attempt is observed once");
    assert!(!format!("{delivery:?}").contains(SECRET));
    delivery
}

fn offsets(delivery: &Delivery) -> Vec<u64> {
    let attempts = delivery.attempts.iter();
    attempts
        .map(|attempt| attempt.virtual_offset.as_secs())
        .collect()
}

#[tokio::test]
async fn a_delivery_is_retried_until_it_succeeds() {
    let server = Server::with_actions([503, 429, 200].map(ServerAction::status)).await;
    let delivery = delivered(&server.target, &RetryPolicy::default(), None).await;
    assert_eq!(delivery.outcome, Outcome::Delivered);
    assert_eq!(offsets(&delivery), [0, 1, 6]);
    let last = delivery.attempts.last().expect("an attempt");
    assert_eq!(
        (last.number, last.delay_before),
        (3, Duration::from_secs(5))
    );
    assert_eq!(server.connections(), [0, 0, 0]);
}

#[tokio::test]
async fn a_refused_delivery_is_not_retried() {
    for status in [400, 403, 404, 302] {
        let server = Server::with_actions([ServerAction::status(status)]).await;
        let delivery = delivered(&server.target, &RetryPolicy::default(), None).await;
        assert_eq!(delivery.outcome, Outcome::Refused, "{status}");
        assert_eq!(delivery.attempts.len(), 1);
    }
}

#[tokio::test]
async fn waits_of_minutes_are_skipped_and_recorded() {
    let server = Server::with_actions([ServerAction::status(500)]).await;
    let delivery = delivered(&server.target, &RetryPolicy::default(), None).await;
    assert_eq!(delivery.outcome, Outcome::Exhausted);
    assert_eq!(offsets(&delivery), [0, 1, 6, 36, 336]);
}

#[tokio::test]
async fn failures_are_retried_as_the_policy_says() {
    let silent = Server::with_actions([
        ServerAction::Silence,
        ServerAction::Reset,
        ServerAction::status(200),
    ])
    .await;
    let policy = RetryPolicy {
        timeout: DurationText(Duration::from_millis(100)),
        ..RetryPolicy::default()
    };
    let delivery = delivered(&silent.target, &policy, None).await;
    assert_eq!(delivery.outcome, Outcome::Delivered);
    let failures: Vec<_> = delivery
        .attempts
        .iter()
        .filter_map(|attempt| attempt.exchange.result.as_ref().err().map(Failure::name))
        .collect();
    assert_eq!(failures, ["timeout", "reset"]);

    let policy = RetryPolicy {
        retry_on: vec![RetryOn::Timeout],
        ..RetryPolicy::default()
    };
    let delivery = delivered(&unused_target().await, &policy, None).await;
    assert_eq!(delivery.outcome, Outcome::Exhausted);
    assert_eq!(delivery.attempts.len(), 1);
}

#[tokio::test]
async fn a_retry_is_signed_again_or_repeats_the_first_signature() {
    for resign in [true, false] {
        let server = Server::with_actions([ServerAction::status(500)]).await;
        let policy = RetryPolicy {
            attempts: 3,
            resign,
            ..RetryPolicy::default()
        };
        // Each signature uses a random secret, so that signing again is visible with a fixed clock.
        let delivery = delivered(&server.target, &policy, Some(Forgery::WrongSecret)).await;
        assert!(
            delivery
                .attempts
                .iter()
                .all(|attempt| attempt.forgery == Some(Forgery::WrongSecret))
        );
        let mut requests = server.texts();
        requests.dedup();
        assert_eq!(requests.len(), if resign { 3 } else { 1 });
    }
}

#[tokio::test]
async fn a_success_is_not_retried_even_if_the_policy_lists_it() {
    let server = Server::with_actions([ServerAction::status(204)]).await;
    let policy = RetryPolicy {
        retry_on: vec!["2xx".parse().expect("a pattern")],
        ..RetryPolicy::default()
    };
    let delivery = delivered(&server.target, &policy, None).await;
    assert_eq!(delivery.outcome, Outcome::Delivered);
    assert_eq!(delivery.attempts.len(), 1);
}

#[tokio::test]
async fn a_delivery_can_run_in_a_spawned_task() {
    let server = Server::with_actions([ServerAction::status(200)]).await;
    let target = server.target.clone();
    let task = tokio::spawn(async move {
        delivered(&target, &RetryPolicy::default(), None)
            .await
            .outcome
    });
    assert_eq!(task.await.expect("no panic"), Outcome::Delivered);
}
