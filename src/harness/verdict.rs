//! What came of a check, a scenario and a run.

use std::fmt;
use std::ops::AddAssign;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::Level;

/// What came of a check or a scenario, the gravest last.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It could not be looked at: the profile lacks what is needed. Never counts as passed.
    NotChecked,
    /// It does not hold, and only `should` have.
    Warned,
    /// It could not be decided: something that should work did not, such as a probe.
    Broken,
    /// It does not hold.
    Failed,
}

impl Verdict {
    /// Whether nothing is known to be wrong.
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

/// One demand and what was seen of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// What is looked at, such as `status` or `granted welcome`.
    pub subject: String,
    /// What came of it.
    pub verdict: Verdict,
    /// How much it demands.
    pub level: Level,
    /// What was wanted.
    pub expected: String,
    /// What was there.
    pub observed: String,
    /// What to do about it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What it comes of, where other checks may come of the very same: in words that leave out whose
    /// event and which item it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Where the demand comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Check {
    /// The same check, of which is known what it comes of.
    pub(super) fn because(self, cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..self
        }
    }
}

/// How much a check demands, and where that comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Demand {
    /// How much.
    pub level: Level,
    /// On whose word.
    pub source: Option<String>,
    /// Whether warnings and what was not checked count as failures.
    pub strict: bool,
}

impl Demand {
    /// A check that was decided: `holds` or not.
    pub(super) fn decided(
        &self,
        holds: bool,
        subject: impl Into<String>,
        expected: impl Into<String>,
        observed: impl Into<String>,
    ) -> Check {
        let verdict = match (holds, self.level) {
            (true, _) => Verdict::Passed,
            (false, Level::Should) if !self.strict => Verdict::Warned,
            (false, _) => Verdict::Failed,
        };
        self.check(verdict, subject.into(), expected.into(), observed.into())
    }

    /// A check that could not be made.
    pub(super) fn not_checked(
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
        self.check(verdict, subject.into(), expected.into(), reason.into())
    }

    /// A check that something else got in the way of.
    pub(super) fn broken(
        &self,
        subject: impl Into<String>,
        expected: impl Into<String>,
        reason: impl Into<String>,
    ) -> Check {
        self.check(
            Verdict::Broken,
            subject.into(),
            expected.into(),
            reason.into(),
        )
    }

    fn check(
        &self,
        verdict: Verdict,
        subject: String,
        expected: String,
        observed: String,
    ) -> Check {
        let (level, source) = (self.level, self.source.clone());
        Check {
            subject,
            verdict,
            level,
            expected,
            observed,
            hint: None,
            cause: None,
            source,
        }
    }
}

/// How many checks or scenarios came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Those that hold.
    pub passed: usize,
    /// Those that could not be looked at.
    pub not_checked: usize,
    /// Those that only should have held.
    pub warned: usize,
    /// Those that do not hold.
    pub failed: usize,
    /// Those that could not be decided.
    pub broken: usize,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::NotChecked => &mut self.not_checked,
            Verdict::Warned => &mut self.warned,
            Verdict::Failed => &mut self.failed,
            Verdict::Broken => &mut self.broken,
        } += 1;
    }

    /// How many there are in all.
    pub fn total(&self) -> usize {
        self.passed + self.not_checked + self.warned + self.failed + self.broken
    }

    /// How many were decided, one way or the other.
    pub fn decided(&self) -> usize {
        self.passed + self.warned + self.failed
    }

    /// What all of them together come to. A scenario that could look at some of its checks passes
    /// on those; one that could look at none is not checked.
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

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.passed += more.passed;
        self.not_checked += more.not_checked;
        self.warned += more.warned;
        self.failed += more.failed;
        self.broken += more.broken;
    }
}

impl FromIterator<Verdict> for Counts {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut counts = Self::default();
        verdicts.into_iter().for_each(|verdict| counts.add(verdict));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(level: Level, strict: bool) -> Demand {
        Demand {
            level,
            source: None,
            strict,
        }
    }

    #[test]
    fn a_should_that_fails_is_a_warning_unless_strict() {
        let verdict = |level, strict| demand(level, strict).decided(false, "", "", "").verdict;
        assert_eq!(verdict(Level::Must, false), Verdict::Failed);
        assert_eq!(verdict(Level::Should, false), Verdict::Warned);
        assert_eq!(verdict(Level::Should, true), Verdict::Failed);
    }

    #[test]
    fn what_was_not_checked_never_passes() {
        let verdict = |strict| demand(Level::Must, strict).not_checked("", "", "").verdict;
        assert_eq!(verdict(false), Verdict::NotChecked);
        assert_eq!(verdict(true), Verdict::Failed);
        let counts = Counts::from_iter([Verdict::NotChecked, Verdict::NotChecked]);
        assert_eq!(counts.verdict(), Verdict::NotChecked);
        assert_eq!(Counts::default().verdict(), Verdict::NotChecked);
    }

    #[test]
    fn the_gravest_check_decides() {
        let all = [
            Verdict::Passed,
            Verdict::NotChecked,
            Verdict::Warned,
            Verdict::Failed,
        ];
        assert_eq!(Counts::from_iter(all).verdict(), Verdict::Failed);
        assert_eq!(
            Counts::from_iter([Verdict::Failed, Verdict::Broken]).verdict(),
            Verdict::Failed
        );
        assert_eq!(
            Counts::from_iter([Verdict::Warned, Verdict::Broken]).verdict(),
            Verdict::Broken
        );
        assert_eq!(
            Counts::from_iter([Verdict::Passed, Verdict::NotChecked]).verdict(),
            Verdict::Passed
        );
    }
}
