//! Counts response bodies, treating those that differ only in IDs and numbers as the same.

use std::collections::BTreeMap;

use crate::report::counts::first_of;
use crate::report::sanitize::sanitize;
use crate::run::{BodyContent, ResponseRecord};

const KIND_LIMIT: usize = 16;
/// The most characters that are shown of a body.
const BODY_LIMIT: usize = 120;
const LISTED: usize = 3;

#[derive(Debug, Default)]
pub(super) struct ResponseBodies(BTreeMap<String, BodyKind>);

#[derive(Debug)]
struct BodyKind {
    count: usize,
    first: String,
}

impl ResponseBodies {
    /// Counts the body of a response, unless it is empty or binary.
    pub(super) fn observe(&mut self, response: &ResponseRecord) {
        let content = response.body().map(|body| &body.content);
        let Some(BodyContent::Text(text)) = content else {
            return;
        };
        if text.trim().is_empty() {
            return;
        }
        let kind = without_ids(text);
        if let Some(known) = self.0.get_mut(&kind) {
            known.count += 1;
        } else if self.0.len() < KIND_LIMIT {
            let first = excerpt(text);
            self.0.insert(kind, BodyKind { count: 1, first });
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (kind, body) in other.0 {
            if let Some(known) = self.0.get_mut(&kind) {
                known.count += body.count;
            } else if self.0.len() < KIND_LIMIT {
                self.0.insert(kind, body);
            }
        }
    }

    /// The kinds of bodies, if there are several.
    pub(super) fn summary(&self) -> Option<String> {
        let kinds = self.kinds();
        if kinds.len() < 2 {
            return None;
        }
        let kinds = kinds
            .iter()
            .map(|(text, count)| format!("{text} ({count}×)"));
        let listed: Vec<String> = first_of(kinds, LISTED).collect();
        Some(format!("responses differ: {}", listed.join(", ")))
    }

    pub(super) fn most_frequent(&self) -> Option<&str> {
        self.kinds().first().map(|(text, _)| *text)
    }

    /// An example of each kind with its count, the most frequent first.
    fn kinds(&self) -> Vec<(&str, usize)> {
        let kinds = self.0.values();
        let kinds = kinds.map(|kind| (kind.first.as_str(), kind.count));
        let mut kinds: Vec<_> = kinds.collect();
        kinds.sort_by_key(|(first, count)| (std::cmp::Reverse(*count), *first));
        kinds
    }
}

fn excerpt(text: &str) -> String {
    let line = sanitize(text.trim());
    match line.char_indices().nth(BODY_LIMIT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Replaces every word that has a digit (IDs, numbers, timestamps) by `#`.
fn without_ids(text: &str) -> String {
    let mut kind = String::new();
    let mut word = String::new();
    let is_part = |character: char| character.is_alphanumeric() || "-_.:".contains(character);
    for character in text.chars().take(1000).chain([' ']) {
        if is_part(character) {
            word.push(character);
            continue;
        }
        if word.contains(|character: char| character.is_numeric()) {
            kind.push('#');
        } else {
            kind.push_str(&word);
        }
        word.clear();
        kind.push(character);
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::BodyRecord;

    #[test]
    fn bodies_that_differ_only_in_ids_are_one_kind() {
        let mut bodies = ResponseBodies::default();
        for body in [
            r#"{"error":"no player 2D2R-OP3C","at":17}"#,
            r#"{"error":"deadlock"}"#,
            r#"{"error":"no player ABCD-9999","at":18}"#,
            "  ",
        ] {
            bodies.observe(&ResponseRecord::Response {
                status: 500,
                headers: Vec::new(),
                body: BodyRecord::new(body.as_bytes(), body.len() as u64, false),
            });
        }
        let expected = [
            (r#"{"error":"no player 2D2R-OP3C","at":17}"#, 2),
            (r#"{"error":"deadlock"}"#, 1),
        ];
        assert_eq!(bodies.kinds(), expected);
        let summary = r#"responses differ: {"error":"no player 2D2R-OP3C","at":17} (2×), {"error":"deadlock"} (1×)"#;
        assert_eq!(bodies.summary().as_deref(), Some(summary));
        assert_eq!(ResponseBodies::default().summary(), None);
        let long = "é".repeat(500);
        assert_eq!(excerpt(&long).chars().count(), BODY_LIMIT + 1);
    }
}
