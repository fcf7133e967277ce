//! How reports show a verdict.

use crate::verify::Verdict;

impl Verdict {
    /// Marks differ in shape too, so that no information is in color alone.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Passed => "✓",
            Self::NotChecked => "?",
            Self::Warned => "!",
            Self::Broken => "‼",
            Self::Failed => "✗",
        }
    }

    /// The CSS class for its color.
    pub(super) fn class(self) -> String {
        self.to_string().replace(' ', "_")
    }
}
