//! Bodies as lines: JSON is pretty-printed, and lines that are left out are counted and hashed.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::stable_text::{MASKED, StableText, masked_by, visible};
use crate::run::{BodyContent, BodyRecord};

/// JSON up to this length stays on one line.
const ONE_LINE: usize = 72;

const LINE_LIMIT: usize = 400;

pub(super) fn sent(body: &BodyRecord, stable: &StableText<'_>) -> Vec<String> {
    let text = match body.json() {
        Some(json) => stable.text(&pretty_printed(&json, false)),
        None => stable.text(plain(body)),
    };
    lines(&text)
}

/// The lines of a response body, without the values that the profile masks.
pub(super) fn received(body: &BodyRecord, stable: &StableText<'_>) -> Vec<String> {
    let text = match body.json() {
        Some(json) => {
            let masked = masked_by(&json, stable.settings);
            pretty_printed(&without(&json, &masked), true)
        }
        None => plain(body).to_owned(),
    };
    let mut lines = lines(&stable.received(&text));
    if body.truncated {
        lines.push("… truncated".to_owned());
    }
    lines
}

fn plain(body: &BodyRecord) -> &str {
    match &body.content {
        BodyContent::Text(text) | BodyContent::Base64(text) => text,
    }
}

fn pretty_printed(json: &Value, allow_one_line: bool) -> String {
    let short = json.to_string();
    if allow_one_line && short.chars().count() <= ONE_LINE {
        return short;
    }
    serde_json::to_string_pretty(json).unwrap_or(short)
}

fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(visible).collect();
    if let Some(more @ 1..) = lines.len().checked_sub(LINE_LIMIT) {
        lines.truncate(LINE_LIMIT);
        let digest = hex::encode(Sha256::digest(text));
        lines.push(format!("… {more} more lines; SHA-256 of all: {digest}"));
    }
    lines
}

fn without(json: &Value, masked: &[&Value]) -> Value {
    if masked.iter().any(|value| std::ptr::eq(*value, json)) {
        return MASKED.into();
    }
    match json {
        Value::Array(items) => items.iter().map(|item| without(item, masked)).collect(),
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| (key.clone(), without(value, masked)));
            Value::Object(entries.collect())
        }
        _ => json.clone(),
    }
}
