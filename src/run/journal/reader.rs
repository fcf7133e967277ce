//! Reads a journal one event at a time, so that memory use does not depend on its length.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::JOURNAL_FILE_NAME;
use crate::files;
use crate::run::run_event::{FORMAT_VERSION, RunEvent, RunStarted};
use crate::scenario::one_line;

/// An iterator of a journal's events. The first event has already been read.
///
/// An incomplete last line is ignored, because a killed program leaves one behind. Any other
/// invalid line is an error, which ends the iterator.
#[derive(Debug)]
pub(crate) struct Journal<L = BufReader<File>> {
    pub(crate) path: PathBuf,
    lines: L,
    /// The number of lines read.
    line: usize,
    /// The first event, until it is returned.
    first: Option<RunEvent>,
    ended: bool,
    failed: bool,
    /// The incomplete last line, if there is one. Known after all events have been read.
    pub(crate) truncated_line: Option<TruncatedLine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TruncatedLine {
    /// The number of the line, from 1.
    pub line: usize,
    pub bytes: usize,
}

#[derive(Deserialize)]
struct FirstLine {
    event: String,
    format_version: u32,
    #[serde(default)]
    aghook_version: String,
}

/// The maximum length of a line in bytes.
const LINE_LIMIT: u64 = 256 * 1024 * 1024;

impl Journal {
    /// Opens a journal, given its folder or file, and reads its first event.
    pub(crate) fn open(path: &Path) -> Result<(Self, RunStarted), JournalError> {
        let path = resolve(path)?;
        let unreadable = |reason| JournalError::Unreadable {
            path: path.clone(),
            reason,
        };
        let lines = files::open(&path).map(BufReader::new).map_err(unreadable)?;
        Self::read(path, lines)
    }
}

impl<L: BufRead> Journal<L> {
    /// Reads the first event from the lines of the journal at `path`.
    pub(crate) fn read(path: PathBuf, lines: L) -> Result<(Self, RunStarted), JournalError> {
        let mut journal = Self {
            path,
            lines,
            line: 0,
            first: None,
            ended: false,
            failed: false,
            truncated_line: None,
        };
        let started = journal.read_first()?;
        journal.first = Some(RunEvent::RunStarted(started.clone()));
        Ok((journal, started))
    }

    fn read_first(&mut self) -> Result<RunStarted, JournalError> {
        let (line, is_complete) = self.read_line()?;
        let path = self.path.clone();
        let Ok(first) = serde_json::from_slice::<FirstLine>(&line) else {
            return Err(if is_complete {
                JournalError::NotAJournal(path)
            } else {
                JournalError::Empty(path)
            });
        };
        if first.event != "run_started" {
            return Err(JournalError::NotAJournal(path));
        }
        if first.format_version != FORMAT_VERSION {
            return Err(JournalError::OtherVersion {
                path,
                version: first.format_version,
                recorded_by: first.aghook_version,
            });
        }
        serde_json::from_slice(&line).map_err(|error| self.corrupt(&describe_error(&error)))
    }

    fn read_next(&mut self) -> Result<Option<RunEvent>, JournalError> {
        let (line, is_complete) = self.read_line()?;
        if line.is_empty() && !is_complete {
            return Ok(None);
        }
        match RunEvent::from_json(&line) {
            Ok(_) if self.ended => Err(self.corrupt("it follows the end of the run")),
            Ok(RunEvent::RunStarted(_)) => Err(self.corrupt("another run starts here")),
            Ok(mut event) => {
                self.ended = matches!(event, RunEvent::RunEnded(_));
                if let RunEvent::ScenarioStarted(started) = &mut event {
                    started.keep_on_one_line();
                }
                Ok(Some(event))
            }
            Err(_) if !is_complete => {
                self.truncated_line = Some(TruncatedLine {
                    line: self.line,
                    bytes: line.len(),
                });
                Ok(None)
            }
            Err(error) => Err(self.corrupt(&describe_error(&error))),
        }
    }

    fn read_line(&mut self) -> Result<(Vec<u8>, bool), JournalError> {
        let mut line = Vec::new();
        self.line += 1;
        let lines = &mut self.lines;
        match lines.take(LINE_LIMIT).read_until(b'\n', &mut line) {
            Ok(length) if length as u64 == LINE_LIMIT => {
                Err(self.corrupt("it is too long for an event"))
            }
            Ok(_) => {
                let is_complete = line.pop_if(|last| *last == b'\n').is_some();
                Ok((line, is_complete))
            }
            Err(reason) => Err(JournalError::Unreadable {
                path: self.path.clone(),
                reason,
            }),
        }
    }

    fn corrupt(&self, reason: &str) -> JournalError {
        // It may quote the line, which anyone may have written.
        const SHOWN: usize = 300;
        let mut shown = one_line(&reason.chars().take(SHOWN).collect::<String>());
        if reason.chars().nth(SHOWN).is_some() {
            shown.push('…');
        }
        JournalError::Corrupt {
            path: self.path.clone(),
            line: self.line,
            reason: shown,
        }
    }
}

impl<L: BufRead> Iterator for Journal<L> {
    type Item = Result<RunEvent, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        if self.failed {
            return None;
        }
        let next = self.read_next();
        self.failed = next.is_err();
        next.transpose()
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    #[error("no recorded run at {}", .0.display())]
    Missing(PathBuf),
    #[error("the folder {} has no recorded run: {JOURNAL_FILE_NAME} is missing", .0.display())]
    NotInFolder(PathBuf),
    #[error("failed to read {}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error("{} has no complete line: the run was stopped before it started", .0.display())]
    Empty(PathBuf),
    #[error("{}:1: not a recorded run: the first line is not `run_started`", .0.display())]
    NotAJournal(PathBuf),
    #[error(
        "{} was recorded by aghook {recorded_by} in format version {version}, but this aghook reads \
         version {FORMAT_VERSION}",
        path.display()
    )]
    OtherVersion {
        path: PathBuf,
        version: u32,
        recorded_by: String,
    },
    #[error("{}:{line}: invalid line: {reason}", path.display())]
    Corrupt {
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        reason: String,
    },
}

impl JournalError {
    /// Whether the path is not a journal at all: it does not exist, or its first line is not one of
    /// a journal.
    pub(crate) fn is_not_a_journal(&self) -> bool {
        matches!(
            self,
            Self::Missing(_) | Self::NotAJournal(_) | Self::Empty(_)
        )
    }

    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Missing(_) | Self::NotInFolder(_) => {
                "pass a folder recorded with `aghook run --record DIR`, or a file of the JSON report"
            }
            Self::Unreadable { .. } => "check the file and its permissions",
            Self::Empty(_) => "record the run again with `aghook run --record DIR`",
            Self::NotAJournal(_) => {
                "pass a run recorded with `aghook run --record DIR`; join reports of `aghook load` \
                 with `aghook merge`"
            }
            Self::OtherVersion { .. } => "use the version of aghook that recorded it",
            Self::Corrupt { .. } => {
                "the file was changed or damaged after it was recorded: use an intact copy, or record \
                 the run again"
            }
        }
    }
}

/// The error without its line number, which counts from this line and not from the start of the
/// file.
fn describe_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map(|(reason, _)| reason);
    format!("{} (column {})", reason.unwrap_or(&text), error.column())
}

fn resolve(path: &Path) -> Result<PathBuf, JournalError> {
    let path = path.to_owned();
    if path.is_dir() {
        let file = path.join(JOURNAL_FILE_NAME);
        let found = file.is_file().then_some(file);
        return found.ok_or(JournalError::NotInFolder(path));
    }
    match path.try_exists() {
        Ok(true) => Ok(path),
        Ok(false) => Err(JournalError::Missing(path)),
        Err(reason) => Err(JournalError::Unreadable { path, reason }),
    }
}
