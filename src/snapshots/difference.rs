//! What differs between the reviewed report and another.

use similar::{ChangeTag, TextDiff};

/// A unified diff and how long it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The diff, without colours.
    pub text: String,
    /// How many lines came.
    pub added: usize,
    /// How many lines went.
    pub removed: usize,
}

/// How many lines around a change are shown.
const CONTEXT: usize = 3;

impl Difference {
    /// From the reviewed report, empty where there is none, to the one of a run. `file` names it.
    pub fn between(file: &str, reviewed: &str, found: &str) -> Self {
        let diff = TextDiff::from_lines(reviewed, found);
        let count = |tag: ChangeTag| {
            let changes = diff.iter_all_changes();
            changes.filter(|change| change.tag() == tag).count()
        };
        let text = diff
            .unified_diff()
            .context_radius(CONTEXT)
            .header(file, "this run")
            .to_string();
        Self {
            text,
            added: count(ChangeTag::Insert),
            removed: count(ChangeTag::Delete),
        }
    }

    /// How long it is, as in `2 lines added, 1 removed`.
    pub fn in_words(&self) -> String {
        let lines = |count: usize| match count {
            1 => "1 line".to_owned(),
            _ => format!("{count} lines"),
        };
        match (self.added, self.removed) {
            (added, 0) => format!("{} added", lines(added)),
            (0, removed) => format!("{} removed", lines(removed)),
            (added, removed) => format!("{} added, {removed} removed", lines(added)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_and_counted() {
        let difference = Difference::between("a.snap", "one\ntwo\n", "one\n2\nthree\n");
        let expected = "--- a.snap\n+++ this run\n@@ -1,2 +1,3 @@\n one\n-two\n+2\n+three\n";
        assert_eq!(difference.text, expected);
        assert_eq!(difference.in_words(), "2 lines added, 1 removed");
    }
}
