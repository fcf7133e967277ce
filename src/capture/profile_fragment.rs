//! A profile with which aghook sends what was recorded: its layout and its retries. What no key of a
//! profile can say is a comment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::compare::{
    Comparison, DifferenceName, Escapes, IdForm, Layout, Retries, Whitespace, rounded,
};
use super::recorded_delivery::RecordedDelivery;
use crate::generate::BodyLayout;
use crate::policy::{DurationText, RetryOn, RetryPolicy, StatusPattern};

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
    text += &retry(&comparison.retries, policy);
    for comment in comments(deliveries, comparison) {
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
    let escaped = escapes.escaped_non_ascii;
    let escapes_more = escapes.escaped_slash || escapes.escaped_ascii;
    match seen.whitespace {
        Whitespace::Spaced if escapes_more => (
            BodyLayout::Spaced,
            " # and with escapes, which aghook can't combine",
        ),
        Whitespace::Spaced if escaped => (BodyLayout::SpacedEscaped, ""),
        Whitespace::Spaced => (BodyLayout::Spaced, ""),
        Whitespace::Indented => (BodyLayout::Indented, ""),
        Whitespace::IndentedCrlf => (BodyLayout::IndentedCrlf, ""),
        Whitespace::Other => (
            BodyLayout::Compact,
            " # other whitespace, which aghook can't write",
        ),
        Whitespace::Compact if seen.surrounding.after => (BodyLayout::TrailingNewline, ""),
        Whitespace::Compact if seen.surrounding.before => (BodyLayout::LeadingWhitespace, ""),
        Whitespace::Compact if escaped => (BodyLayout::Escaped, ""),
        Whitespace::Compact if escapes.escaped_slash => (BodyLayout::EscapedSlashes, ""),
        Whitespace::Compact => (BodyLayout::Compact, ""),
    }
}

fn retry(seen: &Retries, policy: &RetryPolicy) -> String {
    if seen.count == 0 {
        return "    # no retry was seen, so the retry policy is unknown\n".to_owned();
    }
    let delay = |delay: &Duration| DurationText(rounded(*delay)).to_string();
    let delays: Vec<String> = seen.delays.iter().map(delay).collect();
    let attempts = if seen.gave_up {
        format!("attempts: {}", seen.attempts)
    } else {
        let attempts = seen.attempts.max(policy.attempts.into());
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
    for status in seen.retried.keys().filter(|status| **status > 0) {
        let matches = |on: &RetryOn| matches!(on, RetryOn::Status(known) if known.matches(*status));
        if !kept.iter().any(matches) {
            kept.push(RetryOn::Status(StatusPattern::Exact(*status)));
        }
    }
    kept.iter().map(ToString::to_string).collect()
}

/// What a profile can't say, for scenarios.
fn comments(deliveries: &[RecordedDelivery], comparison: &Comparison) -> Vec<String> {
    let events = deliveries.iter().filter_map(RecordedDelivery::event);
    let (mut contexts, mut keys, mut has_items) = (BTreeMap::new(), BTreeSet::new(), false);
    for event in events {
        for part in ["player", "order"] {
            if let Some(Value::Object(object)) = event["context"].get(part)
                && let Ok(json) = serde_json::to_string(object)
            {
                contexts.entry(part).or_insert(json);
            }
        }
        has_items |=
            event["event_type"] == "coupon.redeemed" && event["event_data"]["items"].is_array();
        keys.extend(event["idempotency_key"].as_str().map(IdForm::of));
    }
    let mut comments = Vec::new();
    for (part, json) in contexts {
        comments.push(format!(
            "in an event of a scenario: context: {{ {part}: {json} }}"
        ));
    }
    if has_items {
        comments.push("in an event of a scenario: revision: 2026-05-25".to_owned());
    }
    for form in keys {
        let key = if form.is_uuid() {
            ": idempotency_key: { form: uuid }"
        } else {
            ""
        };
        comments.push(format!("idempotency keys are {form}{key}"));
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
    let others = others.filter(|difference| !in_profile.contains(&difference.name));
    comments.extend(others.map(|difference| {
        let (name, place) = (difference.name.text(), &difference.place);
        format!("no key for: {name} {place}: {}", difference.sentence)
    }));
    // A line break in a comment would end it.
    let printable = comments.into_iter();
    printable
        .map(|comment| comment.replace(char::is_control, " "))
        .collect()
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
