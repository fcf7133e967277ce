//! How the program ends, for scripts and CI.

use crate::harness::RunEnded;

/// The exit code of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Every check held, or the command did what it was asked to do.
    ChecksHeld = 0,
    /// A check failed: the receiver, the signature or the file is not as it should be.
    CheckFailed = 1,
    /// The command line, a config or a scenario is wrong; nothing was sent.
    Usage = 2,
    /// The target could not be reached, or the command could not be completed.
    NotCompleted = 3,
}

impl ExitCode {
    /// The verdict on a run, now or when it is read again later. A run that checked nothing is never
    /// a success, and neither is one of which a part was left out.
    pub(super) fn of_run(ended: &RunEnded) -> Self {
        if ended.scenarios.failed > 0 {
            return Self::CheckFailed;
        }
        let undecided = ended.scenarios.broken > 0 || ended.checks.decided() == 0;
        if undecided || ended.not_run > 0 {
            return Self::NotCompleted;
        }
        Self::ChecksHeld
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
