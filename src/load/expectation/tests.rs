//! Expectations: which texts are read, where they are wrong, and what is judged.

use proptest::prelude::*;

use super::*;

fn expectation(text: &str) -> Expectation {
    text.parse().expect(text)
}

fn figures() -> Figures {
    let mut figures = Figures::default();
    let counts = &mut figures.counts;
    (counts.events, counts.attempts, counts.errors) = (20_000, 10_000, 10);
    (counts.deliveries, counts.acknowledged) = (9_990, 9_989);
    (counts.forgeries, counts.refused_forgeries) = (100, 100);
    figures.span_us = 10_000_000;
    for milliseconds in 1..=100 {
        figures
            .latencies
            .latency
            .saturating_record(milliseconds * 1_000_000);
    }
    figures
}

#[test]
fn texts_read_back_as_themselves() {
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
    assert_eq!(expectation("  p99<200ms "), expectation("p99 < 200ms"));
    assert_eq!(expectation("errors==0"), expectation("errors = 0"));
}

#[test]
fn every_metric_can_be_named() {
    for metric in &METRICS {
        let bound = match metric.kind {
            Kind::Time(..) => "1s",
            _ => "1",
        };
        expectation(&format!("{} < {bound}", metric.name));
    }
}

#[test]
fn a_mistake_is_placed_and_says_what_is_allowed() {
    for (text, column, allowed) in [
        ("", 1, "expected one of p50,"),
        ("  q99 < 1s", 3, "in place of `q99`"),
        ("p99", 4, "expected <, <=, =,"),
        ("p99 ~ 200ms", 5, "behind `p99`"),
        ("p99 <", 6, "a duration such as `200ms`"),
        ("p99 < 200", 7, "a duration such as `200ms`"),
        ("errors < 5ms", 10, "a share such as `0.1%`"),
        ("errors < 101%", 10, "a share such as `0.1%`"),
        ("errors < -1", 10, "a whole number"),
        ("stalls < 1%", 10, "a whole number such as `0`"),
        ("rate > fast", 8, "events a second"),
        ("p99 < 200ms and more", 7, "a duration"),
        ("é", 1, "expected one of"),
        ("p99 < é", 7, "a duration"),
    ] {
        let error = text.parse::<Expectation>().expect_err(text);
        assert_eq!(error.column, column, "{text}");
        assert!(error.problem.contains(allowed), "{text}: {}", error.problem);
    }
}

#[test]
fn figures_are_judged() {
    let figures = figures();
    for (text, holds) in [
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
        let verdict = expectation(text).judge(&figures);
        assert_eq!(verdict.holds, Some(holds), "{text}: {}", verdict.observed);
    }
    let verdict = expectation("errors < 0.1%").judge(&figures);
    assert_eq!(verdict.observed, "0.1% (10 of 10000 attempts)");
}

#[test]
fn nearly_all_is_not_all() {
    let mut figures = figures();
    figures.counts.forgeries = 100_000_000;
    figures.counts.refused_forgeries = 99_999_999;
    let verdict = expectation("refused_forgeries = 100%").judge(&figures);
    assert_eq!(verdict.holds, Some(false));
}

#[test]
fn where_nothing_was_measured_nothing_is_decided() {
    let figures = Figures::default();
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
        assert_eq!(expectation(text).judge(&figures).holds, None, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,40}") {
        let _ = text.parse::<Expectation>();
    }

    #[test]
    fn a_mistake_lies_in_the_text_or_behind_it(text in "[a-z0-9_. <>=!%é]{0,20}") {
        if let Err(error) = text.parse::<Expectation>() {
            prop_assert!((1..=text.chars().count() + 1).contains(&error.column));
        }
    }
}
