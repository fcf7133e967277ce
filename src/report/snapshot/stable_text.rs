//! What varies from run to run, replaced by what does not.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use url::Url;

use super::body_lines::masked_by;
use crate::harness::{AttemptEnded, BodyContent, BodyRecord, ResponseRecord, VolatileKind};
use crate::report::printable::printable;
use crate::report::scenario_story::ScenarioStory;
use crate::scenario::SnapshotSettings;

/// What stands in place of a masked value.
pub(super) const MASKED: &str = "[masked]";

/// Fewer digits than any present time has: shorter numbers are never taken for times.
const DIGITS_OF_A_TIME: usize = 9;

/// The shortest masked value that is looked for in sentences: shorter ones stand there by chance.
const SHORTEST_MASKED: usize = 4;

/// Longer lines are broken, for no line may be cut.
const LINE_LENGTH: usize = 400;

static LOOPBACK_PORT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(127\.\d+\.\d+\.\d+|localhost)(:\d+)|(\[::1\]):\d+"));

/// Which of the two it is depends on the system, and on who was quicker.
static BROKEN_OFF: LazyLock<Regex> =
    LazyLock::new(|| pattern("the receiver (reset|closed) the connection"));

fn pattern(text: &str) -> Regex {
    match Regex::new(text) {
        Ok(pattern) => pattern,
        Err(error) => unreachable!("{text}: {error}"),
    }
}

/// The names of a scenario's varying values, and what its profile says about answers.
#[derive(Debug)]
pub(super) struct StableText<'a> {
    settings: &'a SnapshotSettings,
    target: Option<Url>,
    /// The longest first, so that none is taken for a part of another.
    names: Vec<Named>,
    masked: Vec<String>,
}

#[derive(Debug)]
struct Named {
    value: String,
    shown: String,
    /// Whether it is a number, which must stand alone.
    alone: bool,
}

impl<'a> StableText<'a> {
    pub(super) fn new(story: &ScenarioStory, settings: &'a SnapshotSettings, target: &str) -> Self {
        let varying = story.started.varying.iter().filter_map(|varying| {
            let alone = varying.kind == VolatileKind::Time;
            if alone && varying.value.len() < DIGITS_OF_A_TIME {
                return None;
            }
            let shown = if alone {
                varying.name.clone()
            } else {
                format!("[{}]", varying.name)
            };
            let value = varying.value.clone();
            Some(Named {
                value,
                shown,
                alone,
            })
        });
        let mut names: Vec<Named> = varying.collect();
        names.extend(fresh_event_ids(story));
        names.sort_by_key(|named| std::cmp::Reverse(named.value.len()));
        let masked = story.attempts.iter().flat_map(|attempt| {
            let answers = [Some(&attempt.answer), attempt.unheard_answer.as_deref()];
            let json = answers.into_iter().flatten().filter_map(json_of);
            json.flat_map(|json| masked_texts(&json, settings))
        });
        let mut masked: Vec<String> = masked.collect();
        masked.sort_by(|one, other| (other.len(), other).cmp(&(one.len(), one)));
        masked.dedup();
        Self {
            settings,
            target: Url::parse(target).ok(),
            names,
            masked,
        }
    }

    pub(super) fn settings(&self) -> &SnapshotSettings {
        self.settings
    }

    /// A text with names in place of what varies.
    pub(super) fn text(&self, text: &str) -> String {
        let named = self.names.iter().fold(text.to_owned(), |text, named| {
            replaced(&text, &named.value, &named.shown, named.alone)
        });
        let ported = LOOPBACK_PORT.replace_all(&named, "$1$3").into_owned();
        let broken = BROKEN_OFF.replace_all(&ported, "the receiver broke the connection off");
        broken.into_owned()
    }

    /// The same for what a receiver said, as its profile wants it.
    pub(super) fn received(&self, text: &str) -> String {
        let patterns = self.settings.replace.iter();
        patterns.fold(self.text(text), |text, (pattern, shown)| {
            pattern.0.replace_all(&text, shown.as_str()).into_owned()
        })
    }

    /// The same for a sentence that may quote a receiver.
    pub(super) fn quoting(&self, text: &str) -> String {
        let text = self.received(text);
        let masked = self.masked.iter();
        masked.fold(text, |text, value| replaced(&text, value, MASKED, true))
    }

    /// The same in one line that steers nothing.
    pub(super) fn line(&self, text: &str) -> String {
        visible(&self.quoting(text))
    }

    /// A URL: that of the target is its path, for it may be another one elsewhere.
    pub(super) fn url(&self, url: &str) -> String {
        let shown = match (Url::parse(url), &self.target) {
            (Ok(url), Some(target)) if url.origin() == target.origin() => match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            },
            _ => url.to_owned(),
        };
        self.line(&shown)
    }
}

/// A line that steers nothing that shows it, uncut.
pub(super) fn visible(line: &str) -> String {
    let characters: Vec<char> = line.chars().collect();
    let parts = characters.chunks(LINE_LENGTH);
    parts
        .map(|part| printable(&part.iter().collect::<String>()))
        .collect()
}

/// The IDs that retries with another `event_id` have.
fn fresh_event_ids(story: &ScenarioStory) -> Vec<Named> {
    let mut found: Vec<Named> = Vec::new();
    for attempt in story.attempts.iter().filter(|attempt| attempt.attempt > 1) {
        let Some(id) = event_id(attempt) else {
            continue;
        };
        let is_first = |first: &&AttemptEnded| {
            (first.step, first.delivery, first.attempt) == (attempt.step, attempt.delivery, 1)
        };
        let first = story.attempts.iter().find(is_first);
        if first.and_then(event_id).is_some_and(|first| first != id)
            && found.iter().all(|named| named.value != id)
        {
            found.push(Named {
                value: id,
                shown: format!("[event_id of attempt {}]", attempt.attempt),
                alone: false,
            });
        }
    }
    found
}

fn event_id(attempt: &AttemptEnded) -> Option<String> {
    let json = json(&attempt.request.body)?;
    Some(json.get("event_id")?.as_str()?.to_owned())
}

/// A body as JSON, if it is.
pub(super) fn json(body: &BodyRecord) -> Option<Value> {
    match &body.content {
        BodyContent::Text(text) => serde_json::from_str(text).ok(),
        BodyContent::Base64(_) => None,
    }
}

fn json_of(answer: &ResponseRecord) -> Option<Value> {
    match answer {
        ResponseRecord::Response { body, .. } => json(body),
        ResponseRecord::Failure { .. } => None,
    }
}

/// The texts and numbers that are masked, where they are long enough to be found again.
fn masked_texts(json: &Value, settings: &SnapshotSettings) -> Vec<String> {
    let masked = masked_by(json, settings).into_iter();
    let texts = masked.filter_map(|value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    texts.filter(|text| text.len() >= SHORTEST_MASKED).collect()
}

/// `text` with `shown` for each `value`; one that must stand alone is no part of a word or number.
fn replaced(text: &str, value: &str, shown: &str, alone: bool) -> String {
    if value.is_empty() || !text.contains(value) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(value) {
        let (before, after) = (&rest[..at], &rest[at + value.len()..]);
        let joined = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
        let in_word = joined(before.chars().next_back()) || joined(after.chars().next());
        let fraction = after
            .strip_prefix('.')
            .is_some_and(|digits| joined(digits.chars().next()));
        out.push_str(before);
        out.push_str(if alone && (in_word || fraction) {
            value
        } else {
            shown
        });
        rest = after;
    }
    out.push_str(rest);
    out
}
