//! Deliveries with random policies and receivers, checked against the policy by an independent
//! calculation.

use proptest::prelude::*;

use super::faults::delivered_by;
use super::server::{Server, ServerAction};
use super::*;
use crate::policy::{
    Delays, DurationText, Exponential, Fault, LateRetry, Lost, Percent, RetryAfter, RetryOn,
    RetryPolicy, SlowBody,
};

/// All deviations of a delivery from its policy:
///
/// - the number of attempts: the delivery ends with a success, with a response or a failure that is
///   not retried, or when all attempts are used up;
/// - each wait: within the jitter of its delay or as long as `Retry-After` asks, and consistent
///   with the virtual clock.
fn deviations(policy: &RetryPolicy, delivery: &Delivery) -> Vec<String> {
    let mut deviations = Vec::new();
    number_of_attempts(policy, delivery, &mut deviations);
    check_waits(policy, delivery, &mut deviations);
    deviations
}

/// How the delivery ends after an attempt; `None` if the policy retries it.
fn outcome_after(policy: &RetryPolicy, attempt: &Attempt) -> Option<Outcome> {
    let retries = |on: RetryOn| policy.retry_on.contains(&on);
    match &attempt.exchange.result {
        Ok(response) if (200..300).contains(&response.status) => Some(Outcome::Delivered),
        Ok(response) if policy.retries_status(response.status) => None,
        Ok(response) => {
            let slow = matches!(attempt.fault, Some(Fault::SlowBody(_)));
            if !slow || response.status != 408 {
                return Some(Outcome::Refused);
            }
            (!retries(RetryOn::Timeout)).then_some(Outcome::Exhausted)
        }
        Err(failure) => {
            let on = match failure.class() {
                FailureClass::Timeout => RetryOn::Timeout,
                FailureClass::Connection => RetryOn::Connection,
            };
            (!retries(on)).then_some(Outcome::Exhausted)
        }
    }
}

/// The maximum number of attempts of a delivery. With a late retry, it is two.
fn max_attempts(policy: &RetryPolicy, delivery: &Delivery) -> u32 {
    if is_late(delivery) {
        policy.attempts.min(2)
    } else {
        policy.attempts
    }
}

fn is_late(delivery: &Delivery) -> bool {
    let first = delivery.attempts.first();
    matches!(
        first.and_then(|first| first.fault),
        Some(Fault::LateRetry(_))
    )
}

fn number_of_attempts(policy: &RetryPolicy, delivery: &Delivery, deviations: &mut Vec<String>) {
    let Some((last, before)) = delivery.attempts.split_last() else {
        return deviations.push("no attempt was made".to_owned());
    };
    for (number, attempt) in (1..).zip(&delivery.attempts) {
        if attempt.number != number {
            let other = attempt.number;
            deviations.push(format!("attempt {number} has the number {other}"));
        }
    }
    let max = max_attempts(policy, delivery);
    let count = delivery.attempts.len();
    if count > max as usize {
        deviations.push(format!(
            "{count} attempts were made, but only {max} are allowed"
        ));
    }
    for attempt in before {
        if let Some(outcome) = outcome_after(policy, attempt) {
            let number = attempt.number;
            let outcome = format!("{outcome:?}").to_lowercase();
            deviations.push(format!(
                "attempt {number} was {outcome}, but another followed"
            ));
        }
    }
    let expected = outcome_after(policy, last);
    if expected.is_none() && count < max as usize {
        deviations.push(format!("attempt {} was not retried", last.number));
    }
    let expected = expected.unwrap_or(Outcome::Exhausted);
    if expected != delivery.outcome {
        let reported = delivery.outcome;
        deviations.push(format!(
            "the delivery is {expected:?}, but was reported as {reported:?}"
        ));
    }
}

/// The relative tolerance for floating point errors: seconds are exact to about 15 digits, and each
/// backoff is truncated to the nanosecond.
const TOLERANCE: f64 = 1e-6;

/// The minimum and the maximum wait in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bounds {
    least: f64,
    most: f64,
}

impl Bounds {
    /// The bounds of the wait before the retry with this index, from 0.
    fn new(policy: &RetryPolicy, index: usize) -> Self {
        let delay = match &policy.delays {
            Delays::List(delays) => {
                let delay = delays.get(index).or(delays.last());
                delay.map_or(0.0, |delay| delay.0.as_secs_f64())
            }
            Delays::Exponential(backoff) => {
                let exponent = i32::try_from(index).unwrap_or(i32::MAX);
                let grown = match backoff.first.0.as_secs_f64() {
                    0.0 => 0.0,
                    first => first * backoff.factor.powi(exponent),
                };
                grown.min(backoff.max.0.as_secs_f64())
            }
        };
        let fraction = f64::from(policy.jitter.millionths()) / 1e6;
        Self {
            least: delay * (1.0 - fraction),
            most: delay * (1.0 + fraction),
        }
    }

    /// Raises the bounds to the wait that the receiver asked for.
    fn with_retry_after(self, setting: RetryAfter, asked: Option<Duration>) -> Self {
        match (setting, asked) {
            (RetryAfter::UpTo(max), Some(asked)) => {
                let asked = asked.min(max.0).as_secs_f64();
                Self {
                    least: self.least.max(asked),
                    most: self.most.max(asked),
                }
            }
            _ => self,
        }
    }

    fn contains(self, wait: Duration) -> bool {
        let seconds = wait.as_secs_f64();
        let slack = TOLERANCE * self.most.max(1.0);
        self.least - slack <= seconds && seconds <= self.most + slack
    }
}

/// Checks each wait and its time on the virtual clock.
fn check_waits(policy: &RetryPolicy, delivery: &Delivery, deviations: &mut Vec<String>) {
    if let Some(first) = delivery.attempts.first()
        && !first.delay_before.is_zero()
    {
        let waited = DurationText(first.delay_before);
        deviations.push(format!("attempt 1 came after a wait of {waited}"));
    }
    for (index, pair) in delivery.attempts.windows(2).enumerate() {
        let [before, attempt] = pair else { continue };
        let (number, waited) = (attempt.number, attempt.delay_before);
        // A late retry waits for the sum of all waits. With very many, the sum is not worth
        // computing.
        let bounds = match is_late(delivery) {
            true if policy.attempts > MAX_SUMMED_WAITS => None,
            true => Some(total(policy)),
            false => {
                let asked = retry_after(before);
                Some(Bounds::new(policy, index).with_retry_after(policy.retry_after, asked))
            }
        };
        if let Some(bounds) = bounds.filter(|bounds| !bounds.contains(waited)) {
            let (waited, Bounds { least, most }) = (DurationText(waited), bounds);
            deviations.push(format!(
                "attempt {number} came after {waited} instead of {least} s to {most} s"
            ));
        }
        let earliest = before
            .virtual_offset
            .saturating_add(timeout_before_retry(before))
            .saturating_add(waited);
        if attempt.virtual_offset < earliest {
            deviations.push(format!(
                "attempt {number} started before its wait of {} was over",
                DurationText(waited)
            ));
        }
    }
}

/// The maximum number of waits that are added up.
const MAX_SUMMED_WAITS: u32 = 10_000;

/// The bounds of the sum of all waits.
fn total(policy: &RetryPolicy) -> Bounds {
    let retries = policy.attempts.saturating_sub(1) as usize;
    let zero = Bounds {
        least: 0.0,
        most: 0.0,
    };
    let each = (0..retries).map(|index| Bounds::new(policy, index));
    each.fold(zero, |sum, one| Bounds {
        least: sum.least + one.least,
        most: sum.most + one.most,
    })
}

/// How long the sender pretended to wait for a response before it abandoned the attempt.
fn timeout_before_retry(attempt: &Attempt) -> Duration {
    match &attempt.exchange.result {
        Err(Failure::Aborted(SenderAbort::Abandoned { after })) => *after,
        _ => Duration::ZERO,
    }
}

/// The delay that the response asks for, in seconds or until a date.
fn retry_after(attempt: &Attempt) -> Option<Duration> {
    let response = attempt.exchange.result.as_ref().ok()?;
    let text = std::str::from_utf8(response.header("retry-after")?).ok()?;
    text.parse().ok().map(Duration::from_secs)
}

prop_compose! {
    fn policies()(
        attempts in 1_u32..8,
        list in prop::collection::vec(0..10_u64.pow(15), 1..6),
        factor in 1.0..50.0_f64,
        exponential: bool,
        millionths in 0_u32..=1_000_000,
        retry_on in prop::sample::subsequence(RetryPolicy::default().retry_on, 0..=4),
        most_asked in prop::option::of(0_u64..100_000),
    ) -> RetryPolicy {
        let of = |nanoseconds: u64| DurationText(Duration::from_nanos(nanoseconds));
        let delays = match list[..] {
            [first, max, ..] if exponential => {
                Delays::Exponential(Exponential { first: of(first), factor, max: of(max) })
            }
            _ => Delays::List(list.into_iter().map(of).collect()),
        };
        let jitter = Percent::from_fraction(f64::from(millionths) / 1e6).expect("a share");
        let most_asked = most_asked.map(|most| DurationText(Duration::from_secs(most)));
        let retry_after = most_asked.map_or(RetryAfter::Ignored, RetryAfter::UpTo);
        RetryPolicy { attempts, delays, jitter, retry_on, retry_after, ..RetryPolicy::default() }
    }
}

fn actions() -> impl Strategy<Value = ServerAction> {
    let status = prop::sample::select(vec![200, 204, 302, 400, 408, 429, 500, 503, 503, 503]);
    let respond = (status, prop::option::of(0_u64..200_000)).prop_map(|(status, asked)| {
        let asked = asked.map(|asked| format!("Retry-After: {asked}\r\n"));
        let head = format!("HTTP/1.1 {status} Some\r\n{}", asked.unwrap_or_default());
        ServerAction::Respond(format!("{head}Content-Length: 0\r\n\r\n").into_bytes())
    });
    prop_oneof![
        6 => respond,
        1 => Just(ServerAction::Reset),
        1 => Just(ServerAction::RespondAndClose(Vec::new())),
    ]
}

fn some_fault() -> impl Strategy<Value = Option<Fault>> {
    let per_byte = DurationText(Duration::ZERO);
    let late = |lost| Fault::LateRetry(LateRetry { lost });
    prop::option::of(prop::sample::select(vec![
        Fault::LostAck,
        Fault::CutBody,
        Fault::Reset,
        Fault::Duplicate,
        Fault::SlowBody(SlowBody { per_byte }),
        late(Lost::Response),
        late(Lost::Request),
    ]))
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_delivery_follows_its_policy(
        policy in policies(),
        actions in prop::collection::vec(actions(), 1..8),
        fault in some_fault(),
    ) {
        let delivery = run(async {
            let server = Server::with_actions(actions).await;
            delivered_by(&client(), &server.target, &policy, |plan| plan.fault = fault).await
        });
        let found = deviations(&policy, &delivery);
        prop_assert!(found.is_empty(), "{:?} {:?}", found, delivery);
    }
}

#[tokio::test]
async fn a_delivery_that_does_not_follow_its_policy_is_found() {
    type Change = fn(&mut Delivery);
    let changes: [(Change, &str); 8] = [
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
            |it| it.attempts[0].exchange = it.attempts[2].exchange.clone(),
            "attempt 1 was delivered, but another followed",
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
    ];
    let policy = RetryPolicy::default();
    let server = Server::with_actions([503, 503, 200].map(ServerAction::status)).await;
    let compliant = delivered_by(&client(), &server.target, &policy, |_| {}).await;
    assert_eq!(deviations(&policy, &compliant), [""; 0]);
    for (change, expected) in changes {
        let mut wrong = compliant.clone();
        change(&mut wrong);
        let found = deviations(&policy, &wrong).join("; ");
        assert!(found.contains(expected), "{expected}: {found}");
    }
}
