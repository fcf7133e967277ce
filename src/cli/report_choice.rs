//! The values of `--report`, which `run`, `report` and `load` share: a kind and where to write it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anstream::StripStream;

use super::invalid_value::suggestion;
use super::{CommandError, Console, InvalidValue};
use crate::files::{self, Readers, Replacement, is_same_file};

pub(super) trait NamedReport: Copy + 'static {
    const NAMED: &'static [(&'static str, Self)];

    /// What is wrong with an unknown name, which follows.
    const UNKNOWN: &'static str;
}

#[derive(Debug, Clone)]
pub(super) struct ReportChoice<K> {
    pub(super) kind: K,
    /// The file; `None` for standard output.
    pub(super) path: Option<PathBuf>,
}

impl<K: NamedReport> FromStr for ReportChoice<K> {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, path) = match text.split_once('=') {
            Some((_, "")) => return Err(InvalidValue::expected("a path after `=`")),
            Some((name, path)) => (name, Some(PathBuf::from(path))),
            None => (text, None),
        };
        if let Some((_, kind)) = K::NAMED.iter().find(|(known, _)| *known == name) {
            return Ok(Self { kind: *kind, path });
        }
        let known = K::NAMED.iter().map(|(known, _)| *known);
        let problem = format!("{} `{name}`; {}", K::UNKNOWN, suggestion(name, known));
        Err(InvalidValue::new(problem))
    }
}

/// Checks that no two reports are written to the same file or to standard output. `example` is a
/// report with a path.
pub(super) fn check_paths<K>(
    choices: &[ReportChoice<K>],
    example: &str,
) -> Result<(), CommandError> {
    for (index, choice) in choices.iter().enumerate() {
        let is_same = |other: &ReportChoice<K>| match (&other.path, &choice.path) {
            (Some(other), Some(path)) => other == path || is_same_file(other, path),
            (other, path) => other == path,
        };
        if !choices[..index].iter().any(is_same) {
            continue;
        }
        return Err(match &choice.path {
            None => CommandError::usage("only one report can go to standard output").with_help(
                format!("give the others a path, such as `--report {example}`"),
            ),
            Some(path) => {
                CommandError::usage(format!("two reports have the same path {}", path.display()))
                    .with_help("give each report a different path")
            }
        });
    }
    Ok(())
}

/// Checks that no report would overwrite one of the files that the command reads or writes otherwise.
pub(super) fn check_apart<K>(
    choices: &[ReportChoice<K>],
    files: &[PathBuf],
) -> Result<(), CommandError> {
    for path in paths(choices) {
        if let Some(file) = files.iter().find(|file| is_same_file(path, file)) {
            let message = format!(
                "the report {} would overwrite {}",
                path.display(),
                file.display()
            );
            return Err(
                CommandError::usage(message).with_help("choose another path for the report")
            );
        }
    }
    Ok(())
}

pub(super) fn paths<K>(choices: &[ReportChoice<K>]) -> impl Iterator<Item = &Path> {
    choices.iter().filter_map(|choice| choice.path.as_deref())
}

pub(super) fn on_output<K: Copy>(choices: &[ReportChoice<K>]) -> Option<K> {
    let choice = choices.iter().find(|choice| choice.path.is_none());
    choice.map(|choice| choice.kind)
}

/// Standard output for a report. Only a terminal report is styled text; the others are data.
pub(super) fn report_console(console: &Console, is_terminal_report: bool) -> Console {
    if is_terminal_report {
        console.reopened()
    } else {
        console.unstyled()
    }
}

/// Whether GitHub reads the output of this process, and so its annotations.
pub(super) fn is_read_by_github() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Where to write annotations. GitHub reads both streams: they follow the terminal report on standard
/// output, or go to standard error if another report is written to standard output.
pub(super) fn annotations_output(
    is_terminal_report: bool,
    console: &Console,
) -> Box<dyn Write + Send> {
    if is_terminal_report {
        Box::new(console.reopened())
    } else {
        Box::new(io::stderr())
    }
}

/// Writes to a file. Colors are stripped from the text of a terminal report.
pub(super) fn file_output(file: File, is_terminal_report: bool) -> Box<dyn Write + Send> {
    if is_terminal_report {
        Box::new(BufWriter::new(StripStream::new(file)))
    } else {
        Box::new(BufWriter::new(file))
    }
}

/// Opens a file for writing without changing its content. Skips pipes and devices, because opening
/// them can have side effects.
pub(super) fn try_to_write(path: &Path) -> io::Result<()> {
    let exists = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() || metadata.is_dir() => true,
        Ok(metadata) => return refuse_named_pipe(path, &metadata),
        Err(_) => false,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::options().append(true).create(true).open(path)?;
    if exists {
        return Ok(());
    }
    std::fs::remove_file(path)
}

/// Opening a named pipe would wait until a program reads it, perhaps for ever. The pipes of a shell's
/// `>(command)` and `/dev/stdout` are open already.
fn refuse_named_pipe(path: &Path, metadata: &std::fs::Metadata) -> io::Result<()> {
    #[cfg(unix)]
    if std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type()) && !files::is_of_system(path)
    {
        return Err(io::Error::other("it is a pipe, not a file"));
    }
    let _ = (path, metadata);
    Ok(())
}

/// Begins a report that replaces an earlier one once it is complete.
pub(super) fn begin(path: &Path, readers: Readers) -> io::Result<(File, Replacement)> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Replacement::begin(path, readers)
}

/// Creates a report that is written as the run proceeds.
pub(super) fn create(path: &Path, readers: Readers) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    files::create(path, readers)
}
