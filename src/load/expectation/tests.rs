//! Tests of parsing expectations and of checking them.

use proptest::prelude::*;

use super::*;

fn expectation(text: &str) -> LoadExpectation {
    text.parse().expect(text)
}

fn measurements() -> Measurements {
    let mut measurements = Measurements::default();
    let counts = &mut measurements.counts;
    (counts.events, counts.attempts, counts.errors) = (20_000, 10_000, 10);
    (counts.deliveries, counts.acknowledged) = (9_990, 9_989);
    (counts.forgeries, counts.refused_forgeries) = (100, 100);
    measurements.span_us = 10_000_000;
    for milliseconds in 1..=100 {
        measurements
            .latencies
            .latency
            .saturating_record(milliseconds * 1_000_000);
    }
    measurements
}

#[test]
fn display_matches_the_parsed_text() {
    for text in [
        "p99 < 200ms",
        "errors < 0.1%",
        "refused_forgeries = 100%",
        "p99.9 <= 1s",
        "rate >= 1990.5",
        "stalls = 0",
        "undelivered != 7",
        "late_max > 1us",
    ] {
        assert_eq!(expectation(text).to_string(), text);
    }
    assert_eq!(expectation("  p99<200ms ").to_string(), "p99 < 200ms");
    assert_eq!(expectation("errors==0").to_string(), "errors = 0");
}

#[test]
fn every_metric_can_be_named() {
    for metric in &METRICS {
        let threshold = match metric.kind {
            MetricKind::Time(..) => "1s",
            _ => "1",
        };
        expectation(&format!("{} < {threshold}", metric.name));
    }
}

#[test]
fn an_error_has_a_column_and_says_what_is_allowed() {
    for (text, column, allowed) in [
        ("", 1, "expected one of p50,"),
        ("  q99 < 1s", 3, "; found `q99`"),
        ("p99", 4, "expected <, <=, =,"),
        ("p99 ~ 200ms", 5, "after `p99`"),
        ("p99 <", 6, "a duration such as `200ms`"),
        ("p99 < 200", 7, "a duration such as `200ms`"),
        ("errors < 5ms", 10, "a percentage such as `0.1%`"),
        ("errors < 101%", 10, "a percentage such as `0.1%`"),
        ("errors < -1", 10, "a whole number"),
        ("stalls < 1%", 10, "a whole number such as `0`"),
        ("rate > fast", 8, "events per second"),
        ("p99 < 200ms and more", 7, "a duration"),
        ("é", 1, "expected one of"),
        ("p99 < é", 7, "a duration"),
    ] {
        let error = text.parse::<LoadExpectation>().expect_err(text);
        assert_eq!(error.column, column, "{text}");
        assert!(error.problem.contains(allowed), "{text}: {}", error.problem);
    }
}

#[test]
fn measurements_are_checked() {
    let measurements = measurements();
    for (text, passed) in [
        ("p99 < 100ms", true),
        ("p99 < 99ms", false),
        ("p50 >= 50ms", true),
        ("max > 99ms", true),
        ("errors < 0.1%", false),
        ("errors <= 0.1%", true),
        ("errors = 10", true),
        ("errors != 10", false),
        ("undelivered = 1", true),
        ("undelivered < 0.1%", true),
        ("refused_forgeries = 100%", true),
        ("accepted_forgeries = 0", true),
        ("rate > 1999", true),
        ("rate > 2000", false),
        ("stalls = 0", true),
    ] {
        let result = expectation(text).check(&measurements);
        assert_eq!(result.passed, Some(passed), "{text}: {}", result.observed);
    }
    let result = expectation("errors < 0.1%").check(&measurements);
    assert_eq!(result.observed, "0.1% (10 of 10000 attempts)");
}

#[test]
fn nearly_100_percent_is_not_100_percent() {
    let mut measurements = measurements();
    measurements.counts.forgeries = 100_000_000;
    measurements.counts.refused_forgeries = 99_999_999;
    let result = expectation("refused_forgeries = 100%").check(&measurements);
    assert_eq!(result.passed, Some(false));
}

#[test]
fn without_measurements_nothing_is_decided() {
    let measurements = Measurements::default();
    for text in [
        "p99 < 1s",
        "errors < 1%",
        "refused_forgeries = 100%",
        "rate > 1",
        "errors = 0",
        "undelivered = 0",
        "accepted_forgeries = 0",
        "dropped = 0",
        "stalls = 0",
    ] {
        assert_eq!(
            expectation(text).check(&measurements).passed,
            None,
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".{0,40}") {
        let _ = text.parse::<LoadExpectation>();
    }

    #[test]
    fn an_error_column_lies_within_or_just_after_the_text(text in "[a-z0-9_. <>=!%é]{0,20}") {
        if let Err(error) = text.parse::<LoadExpectation>() {
            prop_assert!((1..=text.chars().count() + 1).contains(&error.column));
        }
    }
}
