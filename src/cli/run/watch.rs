//! Runs again when a file changes.
//!
//! It compares modification times several times a second. That works on every file system, also in
//! containers and on network drives, where notifications get lost.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use super::super::interrupt::ended_by_user;
use super::super::{CommandError, Console, ExitCode, block_on};

const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The modification time and size of each file, or `None` if it does not exist.
type FileStates = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

/// Runs `run` now and after each change of one of `files`, until Ctrl-C sets `interrupted` or comes
/// between two runs. Returns the exit code of the last run.
pub(super) fn watch(
    run: impl Fn() -> Result<ExitCode, CommandError>,
    interrupted: &AtomicBool,
    files: impl Fn() -> Vec<PathBuf>,
    console: &Console,
) -> Result<ExitCode, CommandError> {
    let read = || states(files());
    loop {
        // Read before the run, so that a change during the run counts.
        let before = read();
        let ended = run();
        if interrupted.load(Ordering::Relaxed) {
            return ended;
        }
        let code = ended.unwrap_or_else(|error| {
            console.error(&error);
            error.exit_code()
        });
        let waiting = async {
            console.note("waiting for a file to change; press Ctrl-C to stop");
            next_change(&before, read).await
        };
        let mut change = None;
        block_on(async {
            change = tokio::select! {
                // Ctrl-C is heard before the note asks for it: one that comes earlier is lost.
                biased;
                () = ended_by_user() => None,
                change = waiting => Some(change),
            };
            Ok(code)
        })?;
        let Some(change) = change else {
            return Ok(code);
        };
        console.note(&format!("{change}; running again"));
    }
}

fn states(files: Vec<PathBuf>) -> FileStates {
    let state = |file: &PathBuf| {
        let metadata = std::fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files
        .into_iter()
        .map(|file| (file.clone(), state(&file)))
        .collect()
}

/// Waits until a file differs from `before` and no file changes any more. Returns what changed.
async fn next_change(before: &FileStates, read: impl Fn() -> FileStates) -> String {
    let mut last = read();
    loop {
        tokio::time::sleep(POLL_INTERVAL).await;
        let now = read();
        if now == last && now != *before {
            return describe(before, &now);
        }
        last = now;
    }
}

fn describe(before: &FileStates, now: &FileStates) -> String {
    let changed = now
        .iter()
        .filter(|(file, state)| before.get(*file) != Some(*state));
    let removed = before.iter().filter(|(file, _)| !now.contains_key(*file));
    let files: Vec<String> = changed
        .chain(removed)
        .map(|(file, _)| file.display().to_string())
        .collect();
    match files.as_slice() {
        [file] => format!("{file} changed"),
        [file, more @ ..] => format!("{file} and {} more changed", more.len()),
        [] => "a file changed".to_owned(),
    }
}
