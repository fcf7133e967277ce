//! Verdicts of checks, scenarios and runs, and how many there are of each.

use std::fmt;
use std::ops::AddAssign;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::Level;

/// The verdict of a check or a scenario, in order of increasing severity.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// It passed.
    Passed,
    /// It was not checked because the profile lacks something that it needs. Never counts as
    /// passed.
    NotChecked,
    /// It failed, but its level is only `should`.
    Warned,
    /// It is undecided because something else did not work, such as a probe.
    Broken,
    /// It failed.
    Failed,
}

impl Verdict {
    /// Whether this verdict reports no problem.
    pub fn is_passed_or_not_checked(self) -> bool {
        matches!(self, Self::Passed | Self::NotChecked)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Passed => "passed",
            Self::NotChecked => "not checked",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Broken => "broken",
        })
    }
}

/// One check: what was expected and what was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// What is checked, such as `status` or grant of `welcome`.
    pub subject: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether it must or only should pass.
    pub level: Level,
    /// What was expected.
    pub expected: String,
    /// What was observed; the reason if it was not checked or could not be decided.
    pub observed: String,
    /// What to do about it, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// A common cause, if other checks may fail for the same reason. Its text leaves out players
    /// and items, so that equal causes have equal texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The source of the requirement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Check {
    pub(crate) fn with_cause(self, cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..self
        }
    }
}

/// How strictly a check applies, and the source of the requirement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Requirement {
    pub level: Level,
    pub source: Option<String>,
    /// Whether warnings and checks that were not checked count as failures.
    pub strict: bool,
}

impl Requirement {
    pub(crate) fn checked(
        &self,
        passed: bool,
        subject: impl Into<String>,
        expected: impl Into<String>,
        observed: impl Into<String>,
    ) -> Check {
        let verdict = match (passed, self.level) {
            (true, _) => Verdict::Passed,
            (false, Level::Should) if !self.strict => Verdict::Warned,
            (false, _) => Verdict::Failed,
        };
        self.check(verdict, subject, expected, observed)
    }

    pub(crate) fn not_checked(
        &self,
        subject: impl Into<String>,
        expected: impl Into<String>,
        reason: impl Into<String>,
    ) -> Check {
        let verdict = if self.strict {
            Verdict::Failed
        } else {
            Verdict::NotChecked
        };
        self.check(verdict, subject, expected, reason)
    }

    pub(crate) fn broken(
        &self,
        subject: impl Into<String>,
        expected: impl Into<String>,
        reason: impl Into<String>,
    ) -> Check {
        self.check(Verdict::Broken, subject, expected, reason)
    }

    fn check(
        &self,
        verdict: Verdict,
        subject: impl Into<String>,
        expected: impl Into<String>,
        observed: impl Into<String>,
    ) -> Check {
        Check {
            subject: subject.into(),
            verdict,
            level: self.level,
            expected: expected.into(),
            observed: observed.into(),
            hint: None,
            cause: None,
            source: self.source.clone(),
        }
    }
}

/// The number of checks or scenarios with each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictCounts {
    /// The number that passed.
    pub passed: usize,
    /// The number that were not checked.
    pub not_checked: usize,
    /// The number that warned.
    pub warned: usize,
    /// The number that failed.
    pub failed: usize,
    /// The number that are undecided.
    pub broken: usize,
}

impl VerdictCounts {
    /// Counts one more verdict.
    pub fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::NotChecked => &mut self.not_checked,
            Verdict::Warned => &mut self.warned,
            Verdict::Failed => &mut self.failed,
            Verdict::Broken => &mut self.broken,
        } += 1;
    }

    /// The total number.
    pub fn total(&self) -> usize {
        let others = [self.not_checked, self.warned, self.failed, self.broken];
        others.into_iter().fold(self.passed, usize::saturating_add)
    }

    /// The number that were decided: passed, warned or failed.
    pub fn decided(&self) -> usize {
        self.passed
            .saturating_add(self.warned)
            .saturating_add(self.failed)
    }

    /// The verdict of all of them together. A scenario with some checks that passed and some that
    /// were not checked passes; one with no check that was checked is not checked.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self { failed: 1.., .. } => Verdict::Failed,
            Self { broken: 1.., .. } => Verdict::Broken,
            Self { warned: 1.., .. } => Verdict::Warned,
            Self { passed: 1.., .. } => Verdict::Passed,
            _ => Verdict::NotChecked,
        }
    }
}

impl AddAssign for VerdictCounts {
    fn add_assign(&mut self, more: Self) {
        self.passed = self.passed.saturating_add(more.passed);
        self.not_checked = self.not_checked.saturating_add(more.not_checked);
        self.warned = self.warned.saturating_add(more.warned);
        self.failed = self.failed.saturating_add(more.failed);
        self.broken = self.broken.saturating_add(more.broken);
    }
}

impl FromIterator<Verdict> for VerdictCounts {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut counts = Self::default();
        verdicts.into_iter().for_each(|verdict| counts.add(verdict));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(level: Level, strict: bool) -> Requirement {
        Requirement {
            level,
            source: None,
            strict,
        }
    }

    #[test]
    fn a_should_that_fails_is_a_warning_unless_strict() {
        let verdict = |level, strict| {
            requirement(level, strict)
                .checked(false, "", "", "")
                .verdict
        };
        assert_eq!(verdict(Level::Must, false), Verdict::Failed);
        assert_eq!(verdict(Level::Should, false), Verdict::Warned);
        assert_eq!(verdict(Level::Should, true), Verdict::Failed);
    }

    #[test]
    fn not_checked_never_counts_as_passed() {
        let verdict = |strict| {
            requirement(Level::Must, strict)
                .not_checked("", "", "")
                .verdict
        };
        assert_eq!(verdict(false), Verdict::NotChecked);
        assert_eq!(verdict(true), Verdict::Failed);
        let counts = VerdictCounts::from_iter([Verdict::NotChecked, Verdict::NotChecked]);
        assert_eq!(counts.verdict(), Verdict::NotChecked);
        assert_eq!(VerdictCounts::default().verdict(), Verdict::NotChecked);
    }

    #[test]
    fn the_most_severe_verdict_wins() {
        let all = [
            Verdict::Passed,
            Verdict::NotChecked,
            Verdict::Warned,
            Verdict::Failed,
        ];
        assert_eq!(VerdictCounts::from_iter(all).verdict(), Verdict::Failed);
        assert_eq!(
            VerdictCounts::from_iter([Verdict::Failed, Verdict::Broken]).verdict(),
            Verdict::Failed
        );
        assert_eq!(
            VerdictCounts::from_iter([Verdict::Warned, Verdict::Broken]).verdict(),
            Verdict::Broken
        );
        assert_eq!(
            VerdictCounts::from_iter([Verdict::Passed, Verdict::NotChecked]).verdict(),
            Verdict::Passed
        );
    }
}
