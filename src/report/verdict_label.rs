//! How reports show a verdict.

use crate::verify::Verdict;

/// A verdict's name, its mark, and the CSS class for its color. Marks differ in shape too, so that no
/// information is in color alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct VerdictLabel {
    pub(super) word: &'static str,
    pub(super) mark: &'static str,
    pub(super) class: &'static str,
}

impl VerdictLabel {
    pub(super) fn new(verdict: Verdict) -> Self {
        let (word, mark, class) = match verdict {
            Verdict::Passed => ("passed", "✓", "passed"),
            Verdict::NotChecked => ("not checked", "?", "not_checked"),
            Verdict::Warned => ("warned", "!", "warned"),
            Verdict::Broken => ("broken", "‼", "broken"),
            Verdict::Failed => ("failed", "✗", "failed"),
        };
        Self { word, mark, class }
    }
}
