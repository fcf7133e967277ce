//! Reading and writing retry policies in JSON and YAML.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn yaml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

fn policy(text: &str) -> Result<RetryPolicy, String> {
    let setting: RetrySetting = yaml(text)?;
    Ok(setting.over(&RetryPolicy::default()))
}

fn seconds(seconds: u64) -> DurationText {
    DurationText(Duration::from_secs(seconds))
}

#[test]
fn the_default_policy_is_as_documented() {
    let policy = policy(
        "{ attempts: 5, delays: [1s, 5s, 30s, 5m], timeout: 10s, \
         retry_on: [5xx, 429, timeout, connection] }",
    )
    .expect("a policy");
    assert_eq!(policy, RetryPolicy::default());
    assert_eq!(super::tests::policy("{}"), Ok(policy));
}

#[test]
fn an_exponential_backoff_is_read() {
    let policy =
        policy("{ delays: { first: 1s, factor: 2, max: 1h }, jitter: 10%, resign: false }")
            .expect("a policy");
    let backoff = Exponential {
        first: seconds(1),
        factor: 2.0,
        max: seconds(3600),
    };
    assert_eq!(policy.delays, Delays::Exponential(backoff));
    assert_eq!(policy.jitter.millionths(), 100_000);
    assert!(!policy.resign);
}

#[test]
fn mistakes_are_reported() {
    for (text, expected) in [
        ("attempts: 0", "a number of attempts, at least 1"),
        ("attempts: -1", "a number of attempts, at least 1"),
        ("attempts: many", "a number of attempts, at least 1"),
        ("delays: []", "expected at least one delay"),
        ("delays: 5s", "a list of delays such as `[1s, 5s, 30s]`"),
        ("delays: [5]", "a duration such as `300ms`"),
        (
            "delays: { first: 1s, factor: 0.5, max: 1h }",
            "a factor of 1 or more",
        ),
        (
            "delays: { first: 1s, factor: 2, most: 1h }",
            "unknown field `most`",
        ),
        ("jitter: 110%", "a percentage such as `10%`"),
        ("jitter: -0.1", "a percentage such as `10%`"),
        ("jitter: 2", "a percentage such as `10%`"),
        ("jitter: inf%", "a percentage such as `10%`"),
        ("retry_on: [6xx]", "a status such as `429`"),
        ("retry_on: [never]", "a status such as `429`"),
        ("event_id: new", "unknown variant `new`"),
        ("connection: old", "unknown variant `old`"),
        ("retry_after: 5", "`true`, `false`, or `{ max: 10m }`"),
        ("retry_after: { most: 1h }", "unknown field `most`"),
        ("retries: 5", "unknown field `retries`"),
    ] {
        let setting = yaml::<RetrySetting>(text).expect_err(text);
        assert!(setting.contains(expected), "{text}: {setting}");
    }
    for text in ["on", "never", "5"] {
        let setting = yaml::<RetrySetting>(text).expect_err(text);
        assert!(
            setting.contains("`off` or a mapping of retry settings"),
            "{setting}"
        );
    }
}

#[test]
fn off_is_one_attempt_of_the_base_policy() {
    for text in ["off", "\"off\""] {
        assert_eq!(yaml(text), Ok(RetrySetting::Off), "{text}");
    }
    let once = RetrySetting::Off.over(&RetryPolicy::default());
    let base = RetryPolicy::default();
    assert_eq!(
        once,
        RetryPolicy {
            attempts: 1,
            ..base
        }
    );
}

#[test]
fn a_setting_changes_only_the_given_keys() {
    let setting: RetrySetting =
        yaml("{ attempts: 3, delays: [2s], retry_on: [503] }").expect("a setting");
    let base = RetryPolicy {
        jitter: "5%".parse().expect("a jitter"),
        resign: false,
        ..RetryPolicy::default()
    };
    let expected = RetryPolicy {
        attempts: 3,
        delays: Delays::List(vec![seconds(2)]),
        retry_on: vec![RetryOn::Status(StatusPattern::Exact(503))],
        ..base.clone()
    };
    assert_eq!(setting.over(&base), expected);
    let nothing: RetrySetting = yaml("{}").expect("a setting");
    assert_eq!(nothing.over(&base), base);
}

#[test]
fn a_receiver_can_request_a_longer_delay_but_not_a_shorter_one() {
    let [short, long, longest] = [1, 20, 60].map(Duration::from_secs);
    let up_to_a_minute = RetryAfter::UpTo(seconds(60));
    for (setting, delay, requested, expected) in [
        (RetryAfter::Ignored, short, Some(long), short),
        (up_to_a_minute, short, None, short),
        (up_to_a_minute, short, Some(long), long),
        (up_to_a_minute, long, Some(short), long),
        (up_to_a_minute, short, Some(Duration::MAX), longest),
        (up_to_a_minute, Duration::MAX, Some(short), Duration::MAX),
    ] {
        assert_eq!(setting.wait(delay, requested), expected);
    }
}

#[test]
fn statuses_are_retried_as_listed() {
    let policy = RetryPolicy::default();
    for status in [500, 503, 599, 429] {
        assert!(policy.retries_status(status), "{status}");
    }
    for status in [200, 302, 400, 403, 404] {
        assert!(!policy.retries_status(status), "{status}");
    }
}

#[test]
fn the_schema_accepts_every_valid_setting() {
    let schema = schemars::schema_for!(RetrySetting);
    let validator = jsonschema::validator_for(schema.as_value()).expect("a schema");
    for text in [
        r#""off""#,
        r#"{"attempts":2,"delays":["1s","1m30s"],"jitter":"2.5%","timeout":"300ms"}"#,
        r#"{"delays":{"first":"1s","factor":1.5,"max":"1h"},"jitter":0.1,"resign":false}"#,
        r#"{"retry_on":["5xx",429,"timeout","connection"]}"#,
        r#"{"event_id":"fresh","retry_after":true,"connection":"new"}"#,
        r#"{"retry_after":{"max":"10m"}}"#,
    ] {
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        assert!(validator.is_valid(&value), "{text}");
        serde_json::from_value::<RetrySetting>(value).expect("a setting");
    }
    for text in [
        r#""on""#,
        r#"{"attempts":0}"#,
        r#"{"delays":[]}"#,
        r#"{"x":1}"#,
    ] {
        let value = serde_json::from_str(text).expect("JSON");
        assert!(!validator.is_valid(&value), "{text}");
    }
}

fn retry_on() -> impl Strategy<Value = RetryOn> {
    prop_oneof![
        Just(RetryOn::Timeout),
        Just(RetryOn::Connection),
        (100_u16..600).prop_map(|status| RetryOn::Status(StatusPattern::Exact(status))),
        (0..StatusClass::ALL.len())
            .prop_map(|index| RetryOn::Status(StatusPattern::Class(StatusClass::ALL[index]))),
    ]
}

fn duration() -> impl Strategy<Value = DurationText> {
    any::<u64>().prop_map(|nanoseconds| DurationText(Duration::from_nanos(nanoseconds)))
}

fn delays() -> impl Strategy<Value = Delays> {
    prop_oneof![
        prop::collection::vec(duration(), 1..5).prop_map(Delays::List),
        (duration(), 1.0..100.0_f64, duration()).prop_map(|(first, factor, max)| {
            Delays::Exponential(Exponential { first, factor, max })
        }),
    ]
}

fn event_id() -> impl Strategy<Value = EventIdOnRetry> {
    prop_oneof![Just(EventIdOnRetry::Keep), Just(EventIdOnRetry::Fresh)]
}

fn retry_after() -> impl Strategy<Value = RetryAfter> {
    prop_oneof![
        Just(RetryAfter::Ignored),
        Just(RetryAfter::HONORED),
        duration().prop_map(RetryAfter::UpTo),
    ]
}

fn connection() -> impl Strategy<Value = ConnectionChoice> {
    prop_oneof![Just(ConnectionChoice::Reuse), Just(ConnectionChoice::New)]
}

proptest! {
    #[test]
    fn a_jitter_reads_back(millionths in 0_u32..=1_000_000) {
        let jitter = Percent::from_fraction(f64::from(millionths) / 1e6).expect("a jitter");
        prop_assert_eq!(jitter.millionths(), millionths);
        prop_assert_eq!(jitter.to_string().parse(), Ok(jitter));
        prop_assert_eq!(yaml(&jitter.to_string()), Ok(jitter));
    }

    #[test]
    fn a_policy_reads_back(
        attempts in 1_u32..,
        delays in delays(),
        millionths in 0_u32..=1_000_000,
        timeout in duration(),
        retry_on in prop::collection::vec(retry_on(), 0..6),
        resign: bool,
        event_id in event_id(),
        retry_after in retry_after(),
        connection in connection(),
    ) {
        let jitter = Percent::from_fraction(f64::from(millionths) / 1e6).expect("a jitter");
        let policy = RetryPolicy {
            attempts, delays, jitter, timeout, retry_on, resign, event_id, retry_after, connection,
        };
        let written = json!({
            "attempts": policy.attempts,
            "delays": match &policy.delays {
                Delays::List(delays) => json!(delays),
                Delays::Exponential(Exponential { first, factor, max }) => {
                    json!({ "first": first, "factor": factor, "max": max })
                }
            },
            "jitter": policy.jitter.to_string(),
            "timeout": policy.timeout,
            "retry_on": policy.retry_on.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "resign": policy.resign,
            "event_id": policy.event_id,
            "retry_after": match policy.retry_after {
                RetryAfter::Ignored => json!(false),
                RetryAfter::HONORED => json!(true),
                RetryAfter::UpTo(max) => json!({ "max": max }),
            },
            "connection": policy.connection,
        });
        let setting: RetrySetting = serde_json::from_value(written).expect("a setting");
        prop_assert_eq!(setting.over(&RetryPolicy::default()), policy);
    }
}
