//! A profile with which aghook sends what was recorded: its layout, keys, contexts and retries. What no key
//! of a profile can say is a comment.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::compare::{
    Comparison, Difference, DifferenceName, Escapes, IdForm, Layout, Retries, Whitespace, rounded,
};
use super::recorded_delivery::RecordedDelivery;
use crate::generate::BodyLayout;
use crate::policy::{DurationText, RetryOn, RetryPolicy, StatusPattern};
use crate::report::escape;

/// IDs in the form in which aghook makes them up.
const DEFAULT_KEY: &str = "idmpt_M1BqclRKbGhOc0FyS1h2bUZ3OGVkWTZ6";
const DEFAULT_ORDER_ID: &str = "ord_eCacGbJVbvT";

/// The text of a config file with one profile, `captured`.
pub(crate) fn profile_fragment(
    deliveries: &[RecordedDelivery],
    comparison: &Comparison,
    policy: &RetryPolicy,
    source: &str,
) -> String {
    let mut text = format!(
        "# What aghook saw in {} deliveries of {source}. Copy the keys to your profile.\n\
         profiles:\n  captured:\n",
        deliveries.len()
    );
    let texts = deliveries
        .iter()
        .filter(|delivery| !delivery.request.body.rewritten)
        .filter_map(|delivery| delivery.request.body.text.as_deref());
    let (layout, note) = layout(texts);
    // Writing to a string can't fail.
    let _ = writeln!(text, "    layout: {layout}{note}");
    let events: Vec<Value> = deliveries
        .iter()
        .filter_map(RecordedDelivery::event)
        .collect();
    let (key, contexts) = (idempotency_key(&events), contexts(&events));
    text += &key;
    text += &contexts;
    text += &retry(&comparison.retries, policy);
    let is_in_profile = |difference: &Difference| match difference.name {
        DifferenceName::IdForm => !key.is_empty() && difference.place == "idempotency_key",
        _ => !contexts.is_empty() && difference.place.starts_with("context."),
    };
    for comment in comments(&events, comparison, is_in_profile) {
        let _ = writeln!(text, "# {comment}");
    }
    text
}

/// The layout of ours that most texts have, and what it lacks.
fn layout<'text>(texts: impl Iterator<Item = &'text str>) -> (BodyLayout, &'static str) {
    let mut counts: Vec<(Layout, u64)> = Vec::new();
    let mut escapes = Escapes::default();
    for text in texts {
        let seen = Layout::of(text);
        // A text without special characters does not say whether they are escaped.
        escapes.add(seen.escapes);
        let is_alike = |known: &Layout| {
            known.whitespace == seen.whitespace && known.surrounding == seen.surrounding
        };
        match counts.iter_mut().find(|(known, _)| is_alike(known)) {
            Some((_, count)) => *count += 1,
            None => counts.push((seen, 1)),
        }
    }
    let most = counts.iter().max_by_key(|(_, count)| *count);
    most.map_or((BodyLayout::Compact, ""), |(seen, _)| {
        closest(seen, escapes)
    })
}

fn closest(seen: &Layout, escapes: Escapes) -> (BodyLayout, &'static str) {
    let non_ascii = escapes.escaped_non_ascii;
    let escapes_more = escapes.escaped_slash || escapes.escaped_ascii;
    match seen.whitespace {
        Whitespace::Spaced if escapes_more => (
            BodyLayout::Spaced,
            " # and with escapes, which aghook can't combine",
        ),
        Whitespace::Spaced if non_ascii => (BodyLayout::SpacedEscaped, ""),
        Whitespace::Spaced => (BodyLayout::Spaced, ""),
        Whitespace::Indented => (BodyLayout::Indented, ""),
        Whitespace::IndentedCrlf => (BodyLayout::IndentedCrlf, ""),
        Whitespace::Other => (
            BodyLayout::Compact,
            " # other whitespace, which aghook can't write",
        ),
        Whitespace::Compact if seen.surrounding.after => (BodyLayout::TrailingNewline, ""),
        Whitespace::Compact if seen.surrounding.before => (BodyLayout::LeadingWhitespace, ""),
        Whitespace::Compact if non_ascii => (BodyLayout::Escaped, ""),
        Whitespace::Compact if escapes.escaped_slash => (BodyLayout::EscapedSlashes, ""),
        Whitespace::Compact => (BodyLayout::Compact, ""),
    }
}

/// The form of most idempotency keys, if it is not the default one.
fn idempotency_key(events: &[Value]) -> String {
    let mut counts: BTreeMap<IdForm, u64> = BTreeMap::new();
    for key in events
        .iter()
        .filter_map(|event| event["idempotency_key"].as_str())
    {
        *counts.entry(IdForm::of(key)).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    let Some((form, _)) = most.filter(|(form, _)| *form != IdForm::of(DEFAULT_KEY)) else {
        return String::new();
    };
    match form.as_key() {
        Some(key) => format!("    idempotency_key: {key}\n"),
        None => format!("    # no key for: idempotency keys are {form}\n"),
    }
}

/// The player and the order with the most keys.
fn contexts(events: &[Value]) -> String {
    let mut text = String::new();
    for part in ["player", "order"] {
        let objects = events.iter().filter_map(|event| {
            let object = event["context"][part].as_object()?;
            Some((object, event["event_data"]["player_id"].as_str()?))
        });
        let Some((object, player)) = objects.max_by_key(|(object, _)| object.len()) else {
            continue;
        };
        let mut object = object.clone();
        for (key, value) in &mut object {
            if value == player {
                *value = "{player_id}".into();
            } else if part == "order" && key == "id" && has_default_form(value) {
                *value = "{order_id}".into();
            }
        }
        // Writing to a string can't fail.
        let _ = writeln!(text, "      {part}: {}", Value::from(object));
    }
    if text.is_empty() {
        return text;
    }
    format!("    context:\n{text}")
}

fn has_default_form(order_id: &Value) -> bool {
    let id = order_id.as_str();
    id.is_some_and(|id| IdForm::of(id) == IdForm::of(DEFAULT_ORDER_ID))
}

fn retry(seen: &Retries, policy: &RetryPolicy) -> String {
    if seen.count == 0 {
        return "    # no retry was seen, so the retry policy is unknown\n".to_owned();
    }
    let delay = |delay: &Duration| DurationText(rounded(*delay)).to_string();
    let delays: Vec<String> = seen.delays.iter().map(delay).collect();
    // A file can have any number.
    let most = seen.attempts.min(u32::MAX.into());
    let attempts = if seen.gave_up {
        format!("attempts: {most}")
    } else {
        let attempts = most.max(policy.attempts.into());
        format!("attempts: {attempts} # no delivery was seen to end without success")
    };
    let mut lines = vec![
        attempts,
        format!("retry_on: [{}]", retry_on(seen, policy).join(", ")),
        format!("resign: {}", !seen.repeats_signature),
        format!(
            "event_id: {}",
            if seen.renews_event_id {
                "fresh"
            } else {
                "keep"
            }
        ),
    ];
    if !delays.is_empty() {
        lines.insert(1, format!("delays: [{}]", delays.join(", ")));
    }
    let lines = lines.iter().map(|line| format!("      {line}\n"));
    format!("    retry:\n{}", lines.collect::<String>())
}

/// The policy's reasons for a retry, without the statuses that were not retried and with those that
/// were.
fn retry_on(seen: &Retries, policy: &RetryPolicy) -> Vec<String> {
    let is_refuted = |on: &RetryOn| {
        let mut statuses = seen.not_retried.keys();
        statuses.any(|status| match on {
            RetryOn::Status(pattern) => {
                pattern.matches(*status) && !seen.retried.contains_key(status)
            }
            RetryOn::Timeout | RetryOn::Connection => false,
        })
    };
    let mut kept: Vec<RetryOn> = policy.retry_on.clone();
    kept.retain(|on| !is_refuted(on));
    for status in seen
        .retried
        .keys()
        .filter(|status| (100..600).contains(*status))
    {
        let matches = |on: &RetryOn| matches!(on, RetryOn::Status(known) if known.matches(*status));
        if !kept.iter().any(matches) {
            kept.push(RetryOn::Status(StatusPattern::Exact(*status)));
        }
    }
    kept.iter().map(ToString::to_string).collect()
}

/// What a profile can't say, for scenarios.
fn comments(
    events: &[Value],
    comparison: &Comparison,
    is_in_profile: impl Fn(&Difference) -> bool,
) -> Vec<String> {
    let mut comments = Vec::new();
    let has_items = |event: &Value| {
        event["event_type"] == "coupon.redeemed" && event["event_data"]["items"].is_array()
    };
    if events.iter().any(has_items) {
        comments.push("in an event of a scenario: revision: 2026-05-25".to_owned());
    }
    let in_profile = [
        DifferenceName::Whitespace,
        DifferenceName::Escapes,
        DifferenceName::SurroundingSpace,
        DifferenceName::RetriedStatus,
        DifferenceName::NotRetried,
        DifferenceName::RetryDelay,
        DifferenceName::RetryAttempts,
        DifferenceName::RetrySignature,
        DifferenceName::RetryEventId,
    ];
    let others = comparison.differences.iter();
    let others = others
        .filter(|difference| !in_profile.contains(&difference.name) && !is_in_profile(difference));
    comments.extend(others.map(|difference| {
        let (name, place) = (difference.name.text(), &difference.place);
        format!("no key for: {name} {place}: {}", difference.sentence)
    }));
    // A line break in a comment would end it.
    comments.iter().map(|comment| escape(comment)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_that_says_most_is_chosen() {
        let compact = r#"{"a":"b"}"#;
        let escaped = r#"{"a":"\u00e9"}"#;
        let spaced = r#"{"a": "b"}"#;
        let python = r#"{"a": "\u00e9"}"#;
        for (texts, expected) in [
            (vec![], BodyLayout::Compact),
            (vec![compact], BodyLayout::Compact),
            (vec![compact, compact, escaped], BodyLayout::Escaped),
            (vec![spaced, spaced], BodyLayout::Spaced),
            (
                vec![spaced, spaced, python, spaced],
                BodyLayout::SpacedEscaped,
            ),
        ] {
            assert_eq!(layout(texts.into_iter()).0, expected);
        }
    }

    #[test]
    fn statuses_that_were_not_retried_are_left_out() {
        let seen = Retries {
            count: 2,
            retried: [(400, 1), (503, 1)].into(),
            not_retried: [(429, 1)].into(),
            ..Retries::default()
        };
        let policy = RetryPolicy::default();
        assert_eq!(
            retry_on(&seen, &policy),
            ["5xx", "timeout", "connection", "400"]
        );
    }
}
