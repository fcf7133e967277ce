//! A verdict on a page.

use crate::verify::Verdict;

/// A verdict on the page: its name, its mark, and the CSS class for its color.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct VerdictLabel {
    pub(in crate::report) word: &'static str,
    pub(in crate::report) mark: &'static str,
    pub(in crate::report) class: &'static str,
}

impl VerdictLabel {
    pub(in crate::report) fn new(verdict: Verdict) -> Self {
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
