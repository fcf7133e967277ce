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

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(text: &str) -> BodyText {
        BodyText::brief(&BodyRecord::new(text.as_bytes(), text.len() as u64, false))
    }

    #[test]
    fn a_short_body_is_pretty_printed_and_a_long_one_is_one_line_as_it_was_sent() {
        let body = brief("{\"a\":[1]}");
        assert_eq!(body.lines, ["{", "  \"a\": [", "    1", "  ]", "}"]);
        assert_eq!(body.left_out, None);
        // An opening and a closing bracket around eleven lines are too many.
        let text = format!("[{}1]", "1,".repeat(10));
        assert_eq!(brief(&text).lines, [text]);
        let text = format!("[{}1]", "1,".repeat(9));
        assert_eq!(brief(&text).lines.len(), BRIEF_LINES);
    }

    #[test]
    fn a_brief_body_says_if_it_is_cut() {
        let lines = "ab\u{1b}[31m\n".repeat(200);
        let body = brief(&lines);
        let [line] = body.lines.as_slice() else {
            panic!("{:?}", body.lines);
        };
        assert!(!line.contains('\u{1b}'), "{line}");
        let text = "x".repeat(BRIEF_CHARACTERS) + &"\n".repeat(BRIEF_LINES + 1);
        let body = brief(&text);
        let note = format!("… the whole body has {} bytes", text.len());
        assert_eq!(body.left_out, Some(note));
        assert_eq!(body.lines, ["x".repeat(BRIEF_CHARACTERS)]);
        let bytes = BodyRecord::new(&[0xff; 3], 3, false);
        assert_eq!(BodyText::brief(&bytes).lines, ["base64: ////"]);
    }
}
