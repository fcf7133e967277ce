//! The exit codes of the program.

use crate::run::RunEnded;

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

impl ExitCode {
    /// The exit code of a run or of its recording. A run that checked nothing or skipped scenarios
    /// is never a success.
    pub(super) fn of_run(ended: &RunEnded) -> Self {
        if ended.scenarios.failed > 0 {
            return Self::CheckFailed;
        }
        let undecided = ended.scenarios.broken > 0 || ended.checks.decided() == 0;
        if undecided || ended.not_run > 0 {
            return Self::NotCompleted;
        }
        Self::Success
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
