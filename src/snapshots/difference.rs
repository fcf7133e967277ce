//! The difference between the reviewed report and the one of a run.

use similar::{ChangeTag, TextDiff};

/// A unified diff and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The diff, without colours.
    pub text: String,
    /// The number of added lines.
    pub added: usize,
    /// The number of removed lines.
    pub removed: usize,
}

/// The number of unchanged lines shown around a change.
const CONTEXT: usize = 3;

impl Difference {
    /// Compares the reviewed report, which is empty if there is none, with the report of a run.
    /// `file` is the name of the reviewed report.
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

    /// The size as text, such as `2 lines added, 1 removed`.
    pub fn summary(&self) -> String {
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
        assert_eq!(difference.summary(), "2 lines added, 1 removed");
    }
}
