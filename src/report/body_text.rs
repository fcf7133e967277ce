//! A body as lines that can be read: JSON is laid out, and what is long is cut.

use serde_json::Value;

use super::printable::printable;
use crate::harness::{BodyContent, BodyRecord};

/// The most lines of a body that are shown.
const LINE_LIMIT: usize = 60;

/// A body as it is shown.
pub(super) struct BodyText {
    /// Its first lines, none of which can steer a terminal.
    pub(super) lines: Vec<String>,
    /// What is left out, if something is.
    pub(super) left_out: Option<String>,
}

impl BodyText {
    /// Lays a body out. An empty one has no lines.
    pub(super) fn new(body: &BodyRecord) -> Self {
        let text = match &body.content {
            BodyContent::Text(text) => laid_out(text),
            BodyContent::Base64(text) => format!("base64: {text}"),
        };
        let mut lines: Vec<String> = text.lines().map(printable).collect();
        let hidden = lines.len().saturating_sub(LINE_LIMIT);
        lines.truncate(LINE_LIMIT);
        let left_out = (hidden > 0 || body.truncated).then(|| {
            let length = body.length;
            match hidden {
                0 => format!("… the whole body has {length} bytes"),
                _ => format!("… {hidden} more lines; the whole body has {length} bytes"),
            }
        });
        Self { lines, left_out }
    }
}

/// JSON on several lines; anything else as it is.
fn laid_out(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(json) => serde_json::to_string_pretty(&json).unwrap_or_else(|_| text.to_owned()),
        Err(_) => text.to_owned(),
    }
}
