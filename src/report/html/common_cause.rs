//! A common cause as the page shows it above the list.

use super::verdict_label::VerdictLabel;
use crate::report::failure_groups::{AffectedScenario, CommonCause};

/// The most scenarios that are listed for a cause.
const LISTED: usize = 500;

/// The fields of a cause for the template, which escapes all of them.
pub(super) struct CauseView {
    pub(super) number: usize,
    pub(super) verdict: VerdictLabel,
    pub(super) title: String,
    pub(super) hint: Option<String>,
    /// The number of checks and scenarios.
    pub(super) scope: String,
    pub(super) scenarios: Vec<AffectedScenario>,
    /// The number of scenarios that are not listed.
    pub(super) more: usize,
    pub(super) example: Option<String>,
}

impl CauseView {
    pub(super) fn new(cause: &CommonCause) -> Self {
        Self {
            number: cause.number,
            verdict: VerdictLabel::new(cause.verdict),
            title: cause.title.clone(),
            hint: cause.example.check.hint.clone(),
            scope: cause.scope(),
            scenarios: cause.scenarios.iter().take(LISTED).cloned().collect(),
            more: cause.scenarios.len().saturating_sub(LISTED),
            example: cause.example_line(),
        }
    }
}
