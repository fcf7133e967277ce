//! A running command of a profile, with all the processes that it started.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

/// The maximum number of bytes read from a command's output.
const OUTPUT_LIMIT: u64 = 64 * 1024;

/// A running command. Dropping it kills the command and the processes that it started, unless it has
/// ended: a hook may start the receiver in the background.
pub(super) struct CommandProcess {
    child: Child,
    group: ProcessGroup,
}

pub(super) enum Ended {
    Whole {
        status: ExitStatus,
        output: String,
        errors: String,
    },
    /// It ended, but another process can still write to its output.
    OutputHeld,
    Late,
}

impl CommandProcess {
    pub(super) fn start(program: &str, arguments: &[String]) -> io::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        let group = ProcessGroup { leader: child.id() };
        Ok(Self { child, group })
    }

    pub(super) async fn ended(mut self, timeout: Duration) -> io::Result<Ended> {
        let (output, errors) = (self.child.stdout.take(), self.child.stderr.take());
        let has_ended = AtomicBool::new(false);
        let status = async {
            let status = self.child.wait().await;
            has_ended.store(true, Ordering::Relaxed);
            status
        };
        let all = async { tokio::join!(read_text(output), read_text(errors), status) };
        let Ok((output, errors, status)) = tokio::time::timeout(timeout, all).await else {
            return Ok(if has_ended.load(Ordering::Relaxed) {
                Ended::OutputHeld
            } else {
                Ended::Late
            });
        };
        self.group.leader = None;
        Ok(Ended::Whole {
            status: status?,
            output: output?,
            errors: errors?,
        })
    }
}

/// The processes of a command. Windows has no such groups: there, only the command is killed.
struct ProcessGroup {
    /// The ID of the command's process and so of the group; `None` if nothing is left to kill.
    leader: Option<u32>,
}

#[cfg(unix)]
impl Drop for ProcessGroup {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let leader = self.leader.and_then(|leader| i32::try_from(leader).ok());
        if let Some(group) = leader.and_then(Pid::from_raw) {
            // An error means that no process is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn read_text(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe)
            .take(OUTPUT_LIMIT)
            .read_to_end(&mut bytes)
            .await?;
        // Drain the rest so that the command does not block.
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
