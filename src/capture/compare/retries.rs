//! Retries, compared with the retry policy: which responses led to one, when, and what it repeats.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::difference::{Difference, DifferenceName as Name, Differences};
use crate::capture::recorded_delivery::RecordedDelivery;
use crate::policy::{DurationText, EventIdOnRetry, Percent, RetryOn, RetryPolicy, Schedule};
use crate::protocol::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// How far a delay may be from the policy's before it is another one.
const SLACK: Duration = Duration::from_millis(250);
const SLACK_FRACTION: f64 = 0.1;
/// A sender that signs twice within a second makes the same signature.
const SURELY_OTHER_SECOND: u64 = 1_000_000;

/// What was seen of the retry schedule.
#[derive(Debug, Default, Clone)]
pub(crate) struct Retries {
    /// Deliveries of a key after one that failed.
    pub(crate) count: u64,
    /// Deliveries of a key after one that succeeded.
    pub(crate) duplicates: u64,
    /// The median delay before each retry.
    pub(crate) delays: Vec<Duration>,
    /// The most attempts of a delivery.
    pub(crate) attempts: u64,
    /// Whether a delivery ended after that many failed attempts.
    pub(crate) gave_up: bool,
    /// The statuses that led to a retry, and 0 for no response.
    pub(crate) retried: BTreeMap<u16, u64>,
    pub(crate) not_retried: BTreeMap<u16, u64>,
    pub(crate) repeats_signature: bool,
    pub(crate) renews_event_id: bool,
}

struct Attempt<'capture> {
    number: usize,
    delivery: &'capture RecordedDelivery,
    event: Value,
}

/// Compares the retries, and adds what differs to the list.
pub(super) fn compare(
    deliveries: &[RecordedDelivery],
    policy: &RetryPolicy,
    list: &mut Vec<Difference>,
) -> Retries {
    let jitter = f64::from(policy.jitter.millionths()) / 1e6;
    // The delays in the middle of the jitter.
    let policy = &RetryPolicy {
        jitter: Percent::ZERO,
        ..policy.clone()
    };
    let mut comparison = Comparison {
        policy,
        jitter,
        seen: Retries::default(),
        found: Differences::default(),
        found_in_deliveries: Differences::default(),
        delays: BTreeMap::new(),
        end: deliveries.iter().filter_map(RecordedDelivery::ended).max(),
    };
    let (keys, key_changes) = by_key(deliveries);
    for (number, event_id) in key_changes {
        let found = &mut comparison.found_in_deliveries;
        found.add(Name::RetryKey, "", number, || {
            let sentence = "the same event arrived with another idempotency key";
            (sentence.to_owned(), Some(event_id))
        });
    }
    for attempts in &keys {
        comparison.chain(attempts);
    }
    comparison.delays();
    let (retries, all) = (comparison.seen.count, deliveries.len() as u64);
    comparison.found.drain_into(list, retries, "retries");
    let found = &mut comparison.found_in_deliveries;
    found.drain_into(list, all, "deliveries");
    comparison.seen
}

/// The deliveries of each event type and idempotency key, and those of an event with another key.
fn by_key(deliveries: &[RecordedDelivery]) -> (Vec<Vec<Attempt<'_>>>, Vec<(usize, String)>) {
    let mut keys: Vec<Vec<Attempt<'_>>> = Vec::new();
    let mut indexes: HashMap<(String, String), usize> = HashMap::new();
    let mut events: HashMap<(String, String), String> = HashMap::new();
    let mut changes = Vec::new();
    for (number, delivery) in deliveries.iter().enumerate() {
        let Some(event) = delivery.event() else {
            continue;
        };
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        let (Some(kind), Some(key)) = (text("event_type"), text("idempotency_key")) else {
            continue;
        };
        if let Some(event_id) = text("event_id") {
            let known = events.entry((kind.clone(), event_id.clone()));
            if *known.or_insert_with(|| key.clone()) != key {
                changes.push((number, event_id));
            }
        }
        let index = *indexes.entry((kind, key)).or_insert_with(|| {
            keys.push(Vec::new());
            keys.len() - 1
        });
        keys[index].push(Attempt {
            number,
            delivery,
            event,
        });
    }
    (keys, changes)
}

struct Comparison<'policy> {
    policy: &'policy RetryPolicy,
    /// A share of each delay.
    jitter: f64,
    seen: Retries,
    /// In retries.
    found: Differences,
    found_in_deliveries: Differences,
    /// The delays before each retry.
    delays: BTreeMap<u32, Vec<(usize, Duration)>>,
    /// The end of the capture.
    end: Option<Timestamp>,
}

impl Comparison<'_> {
    fn chain(&mut self, attempts: &[Attempt<'_>]) {
        let mut retries = 0_u32;
        for pair in attempts.windows(2) {
            let [previous, next] = pair else { continue };
            if overlap(previous, next) {
                self.seen.duplicates += 1;
            } else if previous.succeeded() {
                self.seen.duplicates += 1;
                retries = 0;
            } else {
                retries += 1;
                self.seen.count += 1;
                self.retry(previous, next, retries);
            }
            if retries >= self.policy.attempts {
                self.found.add(Name::RetryAttempts, "", next.number, || {
                    let most = self.policy.attempts;
                    let sentence = format!("there are more attempts than the policy's {most}");
                    (sentence, Some(format!("attempt {}", retries + 1)))
                });
            }
            self.seen.attempts = self.seen.attempts.max(u64::from(retries) + 1);
        }
        if let Some(last) = attempts.last() {
            self.last(last, retries);
        }
    }

    fn retry(&mut self, previous: &Attempt<'_>, next: &Attempt<'_>, retries: u32) {
        let status = previous.status();
        *self.seen.retried.entry(status.unwrap_or(0)).or_default() += 1;
        if let Some(status) = status.filter(|status| !self.policy.retries_status(*status)) {
            self.found
                .add(Name::RetriedStatus, status.to_string(), next.number, || {
                    let sentence =
                        "this status was followed by a retry; the policy does not retry it";
                    (sentence.to_owned(), None)
                });
        }
        let ago = next
            .delivery
            .previous
            .as_ref()
            .and_then(|previous| previous.ago_us);
        if let Some(ago) = ago {
            let delays = self.delays.entry(retries).or_default();
            delays.push((next.number, Duration::from_micros(ago)));
        }
        self.check_repetition(previous, next, ago);
    }

    /// What a retry repeats of the previous attempt.
    fn check_repetition(&mut self, previous: &Attempt<'_>, next: &Attempt<'_>, ago: Option<u64>) {
        let repeats = previous.signed() == next.signed() && next.signed()[0].is_some();
        let surely = ago.is_none_or(|ago| ago >= SURELY_OTHER_SECOND);
        self.seen.repeats_signature |= repeats && surely;
        let difference = match self.policy.resign {
            true if repeats && surely => {
                Some("a retry repeats the signature of the attempt before")
            }
            false if !repeats => Some("a retry is signed again"),
            _ => None,
        };
        if let Some(difference) = difference {
            self.found.add(Name::RetrySignature, "", next.number, || {
                (difference.to_owned(), None)
            });
        }
        let event_id = |attempt: &Attempt<'_>| attempt.event["event_id"].clone();
        let renews = event_id(previous) != event_id(next);
        self.seen.renews_event_id |= renews;
        if renews != (self.policy.event_id == EventIdOnRetry::Fresh) {
            self.found.add(Name::RetryEventId, "", next.number, || {
                let sentence = if renews {
                    "a retry has a new event ID"
                } else {
                    "a retry keeps the event ID"
                };
                (sentence.to_owned(), None)
            });
        }
        let changed = changed_keys(&previous.event, &next.event);
        let text = |attempt: &Attempt<'_>| attempt.delivery.request.body.text.clone();
        if !changed.is_empty() || (!renews && text(previous) != text(next)) {
            self.found.add(Name::RetryBody, "", next.number, || {
                let sentence = "the body of a retry differs from that of the attempt before";
                (
                    sentence.to_owned(),
                    (!changed.is_empty()).then(|| changed.join(", ")),
                )
            });
        }
    }

    /// The last delivery of a key: did the sender give up early?
    fn last(&mut self, last: &Attempt<'_>, retries: u32) {
        if last.succeeded() || last.delivery.response.is_none() && last.delivery.failure.is_none() {
            return;
        }
        let status = last.status();
        let mut schedule = Schedule::resumed(self.policy, retries);
        let mut random = rand::rng();
        let retries_it = match status {
            Some(status) => self.policy.retries_status(status),
            None => self.policy.retry_on.contains(&RetryOn::Connection),
        };
        let (Some(end), Some(ended)) = (self.end, last.delivery.ended()) else {
            return;
        };
        // Only a capture that goes on for long enough shows that no retry came.
        let rest = end.duration_since(ended).unsigned_abs();
        let next = schedule.next_delay(&mut random);
        let wait = next.or(self.longest_delay()).unwrap_or_default();
        if rest < wait.saturating_mul(2) + Duration::from_secs(1) {
            return;
        }
        *self
            .seen
            .not_retried
            .entry(status.unwrap_or(0))
            .or_default() += 1;
        self.seen.gave_up |= retries > 0;
        if retries_it && next.is_some() {
            let place =
                status.map_or_else(|| "no response".to_owned(), |status| status.to_string());
            let found = &mut self.found_in_deliveries;
            found.add(Name::NotRetried, place, last.number, || {
                let attempts = retries + 1;
                let sentence = format!("no retry followed attempt {attempts}; the policy has one");
                (sentence, None)
            });
        }
    }

    fn longest_delay(&self) -> Option<Duration> {
        let delays = self.delays.values().flatten();
        delays.map(|(_, delay)| *delay).max()
    }

    /// Compares the median delay before each retry with the policy's.
    fn delays(&mut self) {
        let mut schedule = Schedule::new(self.policy);
        let mut random = rand::rng();
        for (retry, mut delays) in std::mem::take(&mut self.delays) {
            delays.sort_by_key(|(_, delay)| *delay);
            let median = delays[delays.len() / 2].1;
            self.seen.delays.push(median);
            let Some(expected) = schedule.next_delay(&mut random) else {
                continue;
            };
            let slack = expected.mul_f64(SLACK_FRACTION + self.jitter) + SLACK;
            let is_other = |delay: &Duration| delay.abs_diff(expected) > slack;
            if !is_other(&median) {
                continue;
            }
            for (number, _) in delays.iter().filter(|(_, delay)| is_other(delay)) {
                self.found
                    .add(Name::RetryDelay, format!("retry {retry}"), *number, || {
                        let [expected, median] = [expected, rounded(median)].map(DurationText);
                        (
                            format!("the median delay is {median}; the policy's is {expected}"),
                            None,
                        )
                    });
            }
        }
    }
}

/// A measured delay without false precision.
pub(crate) fn rounded(delay: Duration) -> Duration {
    let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    let unit = match milliseconds {
        0..100 => 1,
        100..1_000 => 10,
        1_000..10_000 => 100,
        _ => 1_000,
    };
    let rounded = (milliseconds.saturating_add(unit / 2) / unit).saturating_mul(unit);
    Duration::from_millis(rounded)
}

/// Whether two deliveries were under way at the same time.
fn overlap(previous: &Attempt<'_>, next: &Attempt<'_>) -> bool {
    let times = previous.delivery.ended().zip(next.delivery.at);
    times.is_some_and(|(ended, began)| began < ended)
}

/// The top-level keys whose values differ, besides the event ID.
fn changed_keys(previous: &Value, next: &Value) -> Vec<String> {
    let (Some(previous), Some(next)) = (previous.as_object(), next.as_object()) else {
        return Vec::new();
    };
    let keys = previous
        .keys()
        .chain(next.keys().filter(|key| !previous.contains_key(*key)));
    let changed = keys.filter(|key| *key != "event_id" && previous.get(*key) != next.get(*key));
    changed.cloned().collect()
}

impl Attempt<'_> {
    /// The status, if there was a response.
    fn status(&self) -> Option<u16> {
        self.delivery
            .response
            .as_ref()
            .map(|response| response.status)
    }

    fn succeeded(&self) -> bool {
        self.status()
            .is_some_and(|status| (200..300).contains(&status))
    }

    fn signed(&self) -> [Option<&str>; 2] {
        [TIMESTAMP_HEADER, SIGNATURE_HEADER].map(|name| self.header(name))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.delivery.request.headers.iter();
        let header = headers.find(|(given, _)| given.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::RetrySetting;

    fn delivery(previous: Option<Duration>, status: u16) -> RecordedDelivery {
        let event = json!({ "event_type": "coupon.redeemed", "idempotency_key": "k" }).to_string();
        let body = json!({ "length": event.len(), "text": event });
        let previous = previous.map(|ago| json!({ "ago_us": ago.as_micros(), "status": 503 }));
        let delivery = json!({
            "capture": 1, "at": null, "attempt": 1, "previous": previous, "signature": "not_checked",
            "request": {
                "method": "POST", "path": "/", "version": null, "headers": [], "chunked": false, "body": body,
            },
            "response": { "status": status, "headers": [], "body": { "length": 0 } },
            "failure": null, "timings": null,
        });
        serde_json::from_value(delivery).expect("a delivery")
    }

    #[test]
    fn a_delay_within_the_jitter_is_never_another_one() {
        let policy = json!({ "attempts": 2, "delays": ["10s"], "jitter": "50%" });
        let setting: RetrySetting = serde_json::from_value(policy).expect("a setting");
        let policy = setting.over(&RetryPolicy::default());
        for (seconds, is_other) in [(5.2, false), (14.8, false), (3.0, true), (17.0, true)] {
            let delay = Duration::from_secs_f64(seconds);
            let deliveries = [delivery(None, 503), delivery(Some(delay), 200)];
            // Chance must not matter.
            for _ in 0..50 {
                let mut list = Vec::new();
                compare(&deliveries, &policy, &mut list);
                let found = list.iter().any(|found| found.name == Name::RetryDelay);
                assert_eq!(found, is_other, "{seconds} s");
            }
        }
    }
}
