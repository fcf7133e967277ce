//! What changed since the baseline, at the end of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What changed since an earlier run, each a list of names of scenarios. A scenario fails if one of its
/// `must` checks does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineChanges {
    /// They fail, but did not fail in the baseline.
    pub new: Vec<String>,
    /// They failed in the baseline, and still fail.
    pub still_failing: Vec<String>,
    /// They failed in the baseline and no longer fail.
    pub fixed: Vec<String>,
    /// They failed in the baseline, and this run does not tell: they did not run, are undecided, or have
    /// more that was not checked.
    pub undecided: Vec<String>,
}

impl BaselineChanges {
    /// The number of scenarios, as in `1 new, 2 still failing, 3 fixed`.
    pub(crate) fn summary(&self) -> String {
        let undecided = match self.undecided.len() {
            0 => String::new(),
            count => format!(", {count} undecided"),
        };
        format!(
            "compared with the baseline: {} new, {} still failing, {} fixed{undecided}",
            self.new.len(),
            self.still_failing.len(),
            self.fixed.len()
        )
    }

    /// The lists that are not empty, each with a label.
    pub(crate) fn lists(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        let lists = [
            ("new", &self.new),
            ("still failing", &self.still_failing),
            ("fixed", &self.fixed),
            ("undecided", &self.undecided),
        ];
        let lists = lists.into_iter().filter(|(_, names)| !names.is_empty());
        lists.map(|(label, names)| (label, names.as_slice()))
    }
}
