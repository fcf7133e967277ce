//! The interesting histories of earlier runs, as texts that `--corpus` keeps in files.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::history::History;
use super::kind::Kind;
use crate::generate::Seed;
use crate::scenario::Case;
use crate::scenario::document::SourceFile;

/// A file with a history.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryFile {
    seed: u64,
    events: Map<String, Value>,
    steps: Vec<Value>,
}

/// A history to begin with.
#[derive(Debug, Clone)]
pub(crate) struct CorpusCase(pub(super) History);

impl CorpusCase {
    /// Reads a file of the corpus. Says what is wrong with it otherwise.
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        let file: HistoryFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let history = History {
            seed: file.seed,
            events: file.events,
            steps: file.steps,
        };
        let source = SourceFile::new("history.yaml", history.scenario_text(""));
        match Case::from_file(&source) {
            Ok(_) if history.is_lawful() => Ok(Self(history)),
            Ok(_) => Err("an `item.remove` comes before its coupon is granted".to_owned()),
            Err(problems) => Err(problems.to_string()),
        }
    }

    /// The text of its file.
    pub(crate) fn to_json(&self) -> String {
        let file = HistoryFile {
            seed: self.0.seed,
            events: self.0.events.clone(),
            steps: self.0.steps.clone(),
        };
        let text = serde_json::to_string_pretty(&file);
        text.expect("JSON values can be written as JSON") + "\n"
    }

    /// A name for its file that depends only on what it contains.
    pub(crate) fn file_stem(&self) -> String {
        format!("{:016x}", Seed::of_text(&self.to_json()).number())
    }

    pub(super) fn has_only(&self, kinds: &BTreeSet<Kind>) -> bool {
        self.0.kinds().is_subset(kinds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_history_is_read_as_it_was_written() {
        let history = History {
            seed: 1,
            events: Map::from_iter([("a".to_owned(), json!({ "item": { "quantity": 2 } }))]),
            steps: vec![json!({ "deliver": "a", "times": 2 })],
        };
        let case = CorpusCase(history);
        let read = CorpusCase::from_json(&case.to_json()).expect("valid");
        assert_eq!(read.0, case.0);
        assert_eq!(read.file_stem(), case.file_stem());
        for (text, problem) in [
            ("{", "EOF"),
            ("{}", "missing field"),
            (
                r#"{ "seed": 1, "events": {}, "steps": [{ "deliver": "b" }] }"#,
                "`b`",
            ),
        ] {
            let message = CorpusCase::from_json(text).expect_err(text);
            assert!(message.contains(problem), "{message}");
        }
    }
}
