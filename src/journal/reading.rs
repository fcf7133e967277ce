//! Reads a journal, an event at a time: a long one takes no more memory than a short one.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{JOURNAL_FILE_NAME, JournalError};
use crate::harness::{FORMAT_VERSION, RunEvent, RunStarted};

/// A journal that is being read: an iterator of its events, the first of which has been read.
///
/// A last line without its end is left out, for that is what a killed program leaves behind; any
/// other line that can't be read is an error. Nothing follows an error.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    lines: BufReader<File>,
    /// How many lines were read.
    line: usize,
    /// The first event until it was handed out.
    first: Option<RunEvent>,
    ended: bool,
    failed: bool,
    torn: Option<Torn>,
}

/// A last line that was not written to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn {
    /// The line, from 1.
    pub line: usize,
    /// How many bytes of it are there.
    pub bytes: usize,
}

/// What the first line of every version says.
#[derive(Deserialize)]
struct FirstLine {
    event: String,
    format_version: u32,
    #[serde(default)]
    aghook_version: String,
}

impl Journal {
    /// Opens the journal of a folder, or one that is a file, and reads its first event.
    pub fn open(path: &Path) -> Result<(Self, RunStarted), JournalError> {
        let path = located(path)?;
        let unreadable = |reason| JournalError::Unreadable {
            path: path.clone(),
            reason,
        };
        let lines = File::open(&path).map(BufReader::new).map_err(unreadable)?;
        let mut journal = Self {
            path,
            lines,
            line: 0,
            first: None,
            ended: false,
            failed: false,
            torn: None,
        };
        let started = journal.read_first()?;
        journal.first = Some(RunEvent::RunStarted(started.clone()));
        Ok((journal, started))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last line, if it was not written to its end. Known once all events have been read.
    pub fn torn(&self) -> Option<Torn> {
        self.torn
    }

    fn read_first(&mut self) -> Result<RunStarted, JournalError> {
        let path = || self.path.clone();
        let mut line = Vec::new();
        let whole = read_line(&mut self.lines, &mut line).map_err(|reason| {
            let path = path();
            JournalError::Unreadable { path, reason }
        })?;
        self.line = 1;
        let Ok(first) = serde_json::from_slice::<FirstLine>(&line) else {
            return Err(if whole {
                JournalError::NoJournal { path: path() }
            } else {
                JournalError::Empty { path: path() }
            });
        };
        if first.event != "run_started" {
            return Err(JournalError::NoJournal { path: path() });
        }
        if first.format_version != FORMAT_VERSION {
            return Err(JournalError::OtherVersion {
                path: path(),
                version: first.format_version,
                recorded_by: first.aghook_version,
            });
        }
        match RunEvent::from_json(&line) {
            Ok(RunEvent::RunStarted(started)) => Ok(started),
            Ok(_) => Err(JournalError::NoJournal { path: path() }),
            Err(error) => Err(self.corrupt(&in_words(&error))),
        }
    }

    fn read_next(&mut self) -> Result<Option<RunEvent>, JournalError> {
        let mut line = Vec::new();
        let whole = read_line(&mut self.lines, &mut line);
        let whole = whole.map_err(|reason| JournalError::Unreadable {
            path: self.path.clone(),
            reason,
        })?;
        if line.is_empty() && !whole {
            return Ok(None);
        }
        self.line += 1;
        match RunEvent::from_json(&line) {
            Ok(_) if self.ended => Err(self.corrupt("it follows the end of the run")),
            Ok(RunEvent::RunStarted(_)) => Err(self.corrupt("another run begins here")),
            Ok(event) => {
                self.ended = matches!(event, RunEvent::RunEnded(_));
                Ok(Some(event))
            }
            Err(_) if !whole => {
                self.torn = Some(Torn {
                    line: self.line,
                    bytes: line.len(),
                });
                Ok(None)
            }
            Err(error) => Err(self.corrupt(&in_words(&error))),
        }
    }

    fn corrupt(&self, reason: &str) -> JournalError {
        JournalError::Corrupt {
            path: self.path.clone(),
            line: self.line,
            reason: reason.to_owned(),
        }
    }
}

impl Iterator for Journal {
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

/// The next line without its end, and whether it has one.
fn read_line(lines: &mut BufReader<File>, line: &mut Vec<u8>) -> io::Result<bool> {
    lines.read_until(b'\n', line)?;
    let whole = line.pop_if(|last| *last == b'\n').is_some();
    Ok(whole)
}

/// What is wrong in a line. The error counts lines from there, which would be taken for the file's.
fn in_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map(|(reason, _)| reason);
    format!("{} (column {})", reason.unwrap_or(&text), error.column())
}

/// The file that is meant.
fn located(path: &Path) -> Result<PathBuf, JournalError> {
    let owned = || path.to_owned();
    if path.is_dir() {
        let file = path.join(JOURNAL_FILE_NAME);
        return if file.is_file() {
            Ok(file)
        } else {
            Err(JournalError::NotInFolder { folder: owned() })
        };
    }
    match path.try_exists() {
        Ok(true) => Ok(owned()),
        Ok(false) => Err(JournalError::Missing { path: owned() }),
        Err(reason) => Err(JournalError::Unreadable {
            path: owned(),
            reason,
        }),
    }
}
