//! The values of `--report`, which `run`, `report` and `load` share: a kind and where to write it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::command_error::CommandError;
use super::console::Console;
use crate::scenario::document::nearest;

/// A kind of report that has a name on the command line.
pub(super) trait NamedReport: Copy + 'static {
    /// All kinds by their names.
    const NAMED: &'static [(&'static str, Self)];

    /// What is wrong with an unknown name.
    fn unknown(name: &str) -> String;
}

/// A report to write.
#[derive(Debug, Clone)]
pub(super) struct ReportChoice<K> {
    pub(super) kind: K,
    /// The file; `None` for standard output.
    pub(super) path: Option<PathBuf>,
}

/// Why a value of `--report` is invalid.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReportChoiceError {
    #[error("expected a path after `=`")]
    NoPath,
    #[error("{problem}; {help}")]
    Unknown { problem: String, help: String },
}

impl<K: NamedReport> FromStr for ReportChoice<K> {
    type Err = ReportChoiceError;

    /// Parses `KIND[=PATH]`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, path) = match text.split_once('=') {
            Some((_, "")) => return Err(ReportChoiceError::NoPath),
            Some((name, path)) => (name, Some(PathBuf::from(path))),
            None => (text, None),
        };
        if let Some((_, kind)) = K::NAMED.iter().find(|(known, _)| *known == name) {
            return Ok(Self { kind: *kind, path });
        }
        let known: Vec<&str> = K::NAMED.iter().map(|(known, _)| *known).collect();
        let help = match nearest(name, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known: {}", known.join(", ")),
        };
        let problem = K::unknown(name);
        Err(ReportChoiceError::Unknown { problem, help })
    }
}

/// Checks that no two reports are written to the same file or to standard output. `example` is a
/// report with a path.
pub(super) fn check_paths<K>(
    choices: &[ReportChoice<K>],
    example: &str,
) -> Result<(), CommandError> {
    for (index, choice) in choices.iter().enumerate() {
        let earlier = &choices[..index];
        if earlier.iter().all(|other| other.path != choice.path) {
            continue;
        }
        return Err(match &choice.path {
            None => CommandError::usage(
                "only one report can go to standard output",
                format!("give the others a path, such as `--report {example}`"),
            ),
            Some(path) => CommandError::usage(
                format!("two reports have the same path {}", path.display()),
                "give each report a different path".to_owned(),
            ),
        });
    }
    Ok(())
}

/// The files of the reports.
pub(super) fn paths<K>(choices: &[ReportChoice<K>]) -> impl Iterator<Item = &Path> {
    choices.iter().filter_map(|choice| choice.path.as_deref())
}

/// The report on standard output, if one was chosen.
pub(super) fn on_output<K: Copy>(choices: &[ReportChoice<K>]) -> Option<K> {
    let choice = choices.iter().find(|choice| choice.path.is_none());
    choice.map(|choice| choice.kind)
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
    let file = BufWriter::new(file);
    if is_terminal_report {
        Box::new(PlainText(file))
    } else {
        Box::new(file)
    }
}

/// Strips colors from text that is written to a file.
struct PlainText(BufWriter<File>);

impl Write for PlainText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .write_all(&anstream::adapter::strip_bytes(bytes).into_vec())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
