//! The difference between the reviewed report and the one of a run.

use imara_diff::{Algorithm, BasicLineDiffPrinter, Diff, InternedInput, UnifiedDiffConfig};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub text: String,
    pub added: u32,
    pub removed: u32,
}

impl Difference {
    /// Compares the reviewed report, which is empty if there is none, with the report of a run.
    /// `file` is the name of the reviewed report.
    pub(crate) fn between(file: &str, reviewed: &str, found: &str) -> Self {
        let lines = InternedInput::new(reviewed, found);
        let mut diff = Diff::compute(Algorithm::Histogram, &lines);
        diff.postprocess_lines(&lines);
        let printer = BasicLineDiffPrinter(&lines.interner);
        let hunks = diff.unified_diff(&printer, UnifiedDiffConfig::default(), &lines);
        Self {
            text: format!("--- {file}\n+++ this run\n{hunks}"),
            added: diff.count_additions(),
            removed: diff.count_removals(),
        }
    }

    /// The size as text, such as `2 lines added, 1 removed`.
    pub(crate) fn summary(&self) -> String {
        let lines = |count: u32| match count {
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
