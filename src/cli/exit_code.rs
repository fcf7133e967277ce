//! The exit codes of the program.

use crate::load::LoadReport;
use crate::run::RunOutcome;

/// The exit code of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Every check passed, or the command succeeded.
    Success = 0,
    /// A check failed: the receiver or the signature is not as expected.
    CheckFailed = 1,
    /// The command line, a config or a scenario is invalid. Nothing was sent.
    Usage = 2,
    /// The target could not be reached, or the command could not be completed.
    NotCompleted = 3,
}

impl From<RunOutcome> for ExitCode {
    fn from(outcome: RunOutcome) -> Self {
        match outcome {
            RunOutcome::Passed => Self::Success,
            RunOutcome::Failed => Self::CheckFailed,
            RunOutcome::Incomplete => Self::NotCompleted,
        }
    }
}

impl ExitCode {
    /// The exit code of a load. One that was stopped may have failed, but never succeeds.
    pub(super) fn of_load(report: &LoadReport) -> Self {
        match report.passed() {
            Some(false) => Self::CheckFailed,
            Some(true) if !report.interrupted => Self::Success,
            _ => Self::NotCompleted,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
