//! Replaces what varies from run to run by stable names.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use url::Url;

use crate::report::sanitize::sanitize;
use crate::report::scenario_record::{ScenarioRecord, responses};
use crate::run::{AttemptEnded, VolatileKind};
use crate::scenario::SnapshotSettings;

pub(super) const MASKED: &str = "[masked]";

/// Numbers with fewer digits are never replaced as times: every current Unix time has more.
const DIGITS_OF_A_TIME: usize = 9;

/// The shortest masked value that is replaced in sentences: shorter ones occur there by chance.
const SHORTEST_MASKED: usize = 4;

/// Longer lines are sanitized in parts of this length, so that none is cut.
const LINE_LENGTH: usize = 400;

static LOOPBACK_PORT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(127\.\d+\.\d+\.\d+|localhost)(:\d+)|(\[::1\]):\d+"));

/// Whether a connection is reset or closed depends on the system and on timing.
static CONNECTION_ENDED: LazyLock<Regex> =
    LazyLock::new(|| pattern("the receiver (reset|closed) the connection"));

pub(super) fn pattern(text: &str) -> Regex {
    match Regex::new(text) {
        Ok(pattern) => pattern,
        Err(error) => unreachable!("{text}: {error}"),
    }
}

/// Replaces the varying values of a scenario, and what its profile masks in responses.
#[derive(Debug)]
pub(super) struct StableText<'a> {
    pub(super) settings: &'a SnapshotSettings,
    target: Option<Url>,
    /// The longest first, so that none replaces a part of another.
    replacements: Vec<Replacement>,
    masked: Vec<String>,
}

#[derive(Debug)]
struct Replacement {
    value: String,
    name: String,
    /// Whether the value is replaced only as a whole word or number.
    whole_word: bool,
}

impl<'a> StableText<'a> {
    pub(super) fn new(
        record: &ScenarioRecord,
        settings: &'a SnapshotSettings,
        target: &str,
    ) -> Self {
        let varying = record.started.varying.iter().filter_map(|varying| {
            let is_time = varying.kind == VolatileKind::Time;
            let name = match is_time {
                true if varying.value.len() < DIGITS_OF_A_TIME => return None,
                true => varying.name.clone(),
                false => format!("[{}]", varying.name),
            };
            Some(Replacement {
                value: varying.value.clone(),
                name,
                whole_word: is_time,
            })
        });
        let mut replacements: Vec<Replacement> = varying.collect();
        replacements.extend(fresh_event_ids(record));
        replacements.sort_by_key(|replacement| std::cmp::Reverse(replacement.value.len()));
        let received = record.attempts.iter().flat_map(responses);
        let masked = received
            .filter_map(|response| response.body()?.json())
            .flat_map(|json| masked_texts(&json, settings));
        let mut masked: Vec<String> = masked.collect();
        masked.sort_by(|one, other| (other.len(), other).cmp(&(one.len(), one)));
        masked.dedup();
        Self {
            settings,
            target: Url::parse(target).ok(),
            replacements,
            masked,
        }
    }

    pub(super) fn text(&self, text: &str) -> String {
        let replacements = self.replacements.iter();
        let replaced = replacements.fold(text.to_owned(), |text, replacement| {
            let Replacement {
                value,
                name,
                whole_word,
            } = replacement;
            replace_value(&text, value, name, *whole_word)
        });
        let ported = LOOPBACK_PORT.replace_all(&replaced, "$1$3").into_owned();
        let stable =
            CONNECTION_ENDED.replace_all(&ported, "the receiver closed or reset the connection");
        stable.into_owned()
    }

    /// [`Self::text`], and the profile's own replacements, for text from a receiver.
    pub(super) fn received(&self, text: &str) -> String {
        let patterns = self.settings.replace.iter();
        patterns.fold(self.text(text), |text, (pattern, shown)| {
            pattern.0.replace_all(&text, shown.as_str()).into_owned()
        })
    }

    /// [`Self::received`] without masked values, for a sentence that may quote a receiver.
    pub(super) fn quoting(&self, text: &str) -> String {
        let text = self.received(text);
        let masked = self.masked.iter();
        masked.fold(text, |text, value| {
            replace_value(&text, value, MASKED, true)
        })
    }

    /// [`Self::quoting`] as one sanitized line.
    pub(super) fn line(&self, text: &str) -> String {
        visible(&self.quoting(text))
    }

    /// A URL, reduced to its path if it is on the target's server, whose address varies.
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

/// Sanitizes a line without cutting it.
pub(super) fn visible(line: &str) -> String {
    let characters: Vec<char> = line.chars().collect();
    let parts = characters.chunks(LINE_LENGTH);
    parts
        .map(|part| sanitize(&part.iter().collect::<String>()))
        .collect()
}

/// The IDs of retries that have another `event_id` than their first attempt.
fn fresh_event_ids(record: &ScenarioRecord) -> Vec<Replacement> {
    let mut found: Vec<Replacement> = Vec::new();
    for attempt in record.attempts.iter().filter(|attempt| attempt.attempt > 1) {
        let Some(id) = event_id(attempt) else {
            continue;
        };
        let is_first = |first: &&AttemptEnded| {
            (first.step, first.delivery, first.attempt) == (attempt.step, attempt.delivery, 1)
        };
        let first = record.attempts.iter().find(is_first);
        if first.and_then(event_id).is_some_and(|first| first != id)
            && found.iter().all(|known| known.value != id)
        {
            found.push(Replacement {
                value: id,
                name: format!("[event_id of attempt {}]", attempt.attempt),
                whole_word: false,
            });
        }
    }
    found
}

fn event_id(attempt: &AttemptEnded) -> Option<String> {
    let json = attempt.request.body.json()?;
    Some(json.get("event_id")?.as_str()?.to_owned())
}

pub(super) fn masked_by<'json>(
    json: &'json Value,
    settings: &SnapshotSettings,
) -> Vec<&'json Value> {
    let paths = settings.mask.iter();
    paths.flat_map(|path| path.query(json)).collect()
}

/// The masked texts and numbers that are long enough to be replaced in sentences.
fn masked_texts(json: &Value, settings: &SnapshotSettings) -> Vec<String> {
    let masked = masked_by(json, settings).into_iter();
    let texts = masked.filter_map(|value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    texts.filter(|text| text.len() >= SHORTEST_MASKED).collect()
}

/// Replaces each `value` in `text` by `name`. With `whole_word`, parts of longer words and numbers are
/// left alone.
fn replace_value(text: &str, value: &str, name: &str, whole_word: bool) -> String {
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
        out.push_str(if whole_word && (in_word || fraction) {
            value
        } else {
            name
        });
        rest = after;
    }
    out.push_str(rest);
    out
}
