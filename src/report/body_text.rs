//! A body as readable lines: JSON is pretty-printed, and long bodies are cut.

use serde_json::Value;

use super::sanitize::sanitize;
use crate::run::{BodyContent, BodyRecord};

const LINE_LIMIT: usize = 60;
/// A longer body is brief on one line, as it was sent.
const BRIEF_LINES: usize = 12;
const BRIEF_CHARACTERS: usize = 2000;

pub(super) struct BodyText {
    /// The first lines, sanitized.
    pub(super) lines: Vec<String>,
    /// A note on what is left out, if anything.
    pub(super) left_out: Option<String>,
}

impl BodyText {
    pub(super) fn new(body: &BodyRecord) -> Self {
        let text = match &body.content {
            BodyContent::Text(text) => pretty_printed(text),
            BodyContent::Base64(text) => format!("base64: {text}"),
        };
        let mut lines: Vec<String> = text.lines().map(sanitize).collect();
        let hidden = lines.len().saturating_sub(LINE_LIMIT);
        lines.truncate(LINE_LIMIT);
        let left_out = (hidden > 0 || body.truncated).then(|| {
            let length = body.length;
            match hidden {
                0 if length == 0 => "… the body was not read".to_owned(),
                0 => format!("… the whole body has {length} bytes"),
                _ => format!("… {hidden} more lines; the whole body has {length} bytes"),
            }
        });
        Self { lines, left_out }
    }
}

impl BodyText {
    /// The body in a few lines.
    pub(super) fn brief(body: &BodyRecord) -> Self {
        let pretty = Self::new(body);
        let (BodyContent::Text(text), true) = (&body.content, pretty.lines.len() > BRIEF_LINES)
        else {
            return pretty;
        };
        let characters: Vec<char> = text.chars().take(BRIEF_CHARACTERS).collect();
        // Parts that are not cut when they are sanitized.
        let parts = characters.chunks(200).map(|part| part.iter().collect());
        let line = parts.map(|part: String| sanitize(&part)).collect();
        let is_whole = !body.truncated && characters.len() == text.chars().count();
        let note = || format!("… the whole body has {} bytes", body.length);
        Self {
            lines: vec![line],
            left_out: (!is_whole).then(note),
        }
    }
}

fn pretty_printed(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(json) => serde_json::to_string_pretty(&json).unwrap_or_else(|_| text.to_owned()),
        Err(_) => text.to_owned(),
    }
}
