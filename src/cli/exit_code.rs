//! The exit codes of the program.

use crate::run::RunOutcome;
use crate::verify::Verdict;

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
    /// A closed terminal ended the command (SIGHUP).
    HungUp = 129,
    /// Ctrl-C ended the command (SIGINT).
    Interrupted = 130,
    /// Another program ended the command (SIGTERM).
    Terminated = 143,
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

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Failed => Self::CheckFailed,
            Verdict::Broken => Self::NotCompleted,
            Verdict::Passed | Verdict::NotChecked | Verdict::Warned => Self::Success,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
