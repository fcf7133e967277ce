//! The bodies of answers that look alike but for IDs and numbers, and how often each came.

use std::collections::BTreeMap;

use crate::harness::{AttemptEnded, BodyContent, ResponseRecord};
use crate::report::printable::printable;

/// The most kinds that are told apart, and the most characters that are shown of one.
const KINDS: usize = 16;
const SHOWN: usize = 120;
/// The most kinds that are named.
const NAMED: usize = 3;

/// The kinds of bodies that were seen.
#[derive(Debug, Default)]
pub(super) struct AnsweredBodies(BTreeMap<String, Kind>);

#[derive(Debug)]
struct Kind {
    times: usize,
    /// The first of them, as it is shown.
    first: String,
}

impl AnsweredBodies {
    /// Takes an answer. One without a body says nothing.
    pub(super) fn observe(&mut self, answer: &ResponseRecord) {
        let ResponseRecord::Response { body, .. } = answer else {
            return;
        };
        let BodyContent::Text(text) = &body.content else {
            return;
        };
        if text.trim().is_empty() {
            return;
        }
        let kind = without_ids(text);
        if let Some(known) = self.0.get_mut(&kind) {
            known.times += 1;
        } else if self.0.len() < KINDS {
            let first = shown(text);
            self.0.insert(kind, Kind { times: 1, first });
        }
    }

    /// Takes the answer of an attempt, if there was one.
    pub(super) fn observe_attempt(&mut self, attempt: Option<&AttemptEnded>) {
        if let Some(attempt) = attempt {
            self.observe(&attempt.answer);
        }
    }

    /// What was answered, if that is not the same everywhere.
    pub(super) fn in_words(&self) -> Option<String> {
        let kinds = self.kinds();
        if kinds.len() < 2 {
            return None;
        }
        let named = kinds.iter().take(NAMED);
        let mut named: Vec<String> = named
            .map(|(text, times)| format!("{text} ({times}×)"))
            .collect();
        if let Some(more @ 1..) = kinds.len().checked_sub(NAMED) {
            named.push(format!("and {more} more"));
        }
        Some(format!("answers differ: {}", named.join(", ")))
    }

    /// The body that came most often.
    pub(super) fn most_frequent(&self) -> Option<&str> {
        self.kinds().first().map(|(text, _)| *text)
    }

    /// One of each kind with how often it came, the most frequent first.
    fn kinds(&self) -> Vec<(&str, usize)> {
        let kinds = self.0.values();
        let mut kinds: Vec<_> = kinds
            .map(|kind| (kind.first.as_str(), kind.times))
            .collect();
        kinds.sort_by_key(|(first, times)| (std::cmp::Reverse(*times), *first));
        kinds
    }
}

/// The beginning of a text, on one line.
fn shown(text: &str) -> String {
    let line = printable(text.trim());
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A text in which every word with a digit is the same: IDs, numbers and moments.
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
    use crate::harness::BodyRecord;

    #[test]
    fn bodies_that_differ_in_ids_alone_are_of_one_kind() {
        let mut bodies = AnsweredBodies::default();
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
        let words = r#"answers differ: {"error":"no player 2D2R-OP3C","at":17} (2×), {"error":"deadlock"} (1×)"#;
        assert_eq!(bodies.in_words().as_deref(), Some(words));
        assert_eq!(AnsweredBodies::default().in_words(), None);
        let long = "é".repeat(500);
        assert_eq!(shown(&long).chars().count(), SHOWN + 1);
    }
}
