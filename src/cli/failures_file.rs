//! The failures file of a load: where `aghook load` writes the failed events and `aghook replay` reads
//! them.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::Path;

use super::CommandError;
use super::report_choice::try_to_write;
use crate::files::{self, Readers, Replacement};
use crate::load::{
    FailedEvent, FailedEventsHead, FailureList, LoadReport, SentEvents, begins_failed_events,
    read_failed_events,
};

/// The longest first line to read, in bytes.
const LONGEST_HEAD: u64 = 64 * 1024;

enum FileKind {
    Failures(BufReader<File>),
    Empty,
    Other,
}

fn open(path: &Path) -> io::Result<FileKind> {
    // A pipe can be read only once, and by what reads recorded runs.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Ok(FileKind::Other);
    }
    let mut file = BufReader::new(files::open(path)?);
    let mut line = Vec::new();
    file.by_ref()
        .take(LONGEST_HEAD)
        .read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(FileKind::Empty);
    }
    if !begins_failed_events(&line) {
        return Ok(FileKind::Other);
    }
    file.rewind()?;
    Ok(FileKind::Failures(file))
}

/// Reads a failures file; `None` if the file is of another kind or does not exist.
pub(super) fn read(
    path: &Path,
) -> Result<Option<(FailedEventsHead, Vec<FailedEvent>)>, CommandError> {
    let Ok(FileKind::Failures(file)) = open(path) else {
        return Ok(None);
    };
    read_failed_events(file).map(Some).map_err(|error| {
        CommandError::usage(format!("invalid failures file {}: {error}", path.display())).with_help(
            "nothing was sent; use the unchanged file of `aghook load`, and select events with \
             `--filter`",
        )
    })
}

/// Checks before anything is sent that the file can be written. Neither changes an existing file nor
/// leaves a new one.
pub(super) fn check_writable(path: &Path) -> Result<(), CommandError> {
    if path.is_file() && matches!(open(path), Ok(FileKind::Other)) {
        let message = format!(
            "{} exists and is not a failures file, so the load could overwrite other data",
            path.display()
        );
        let help = "choose another file with `--failures FILE`";
        return Err(CommandError::usage(message).with_help(help));
    }
    try_to_write(path).map_err(|error| {
        let path = path.display();
        let message = format!("failed events could not be written to {path}: {error}");
        let help = "nothing was sent; choose another file with `--failures FILE`";
        CommandError::not_completed(message).with_help(help)
    })
}

/// Writes the failed events. Creates no file if there are none.
pub(super) fn write(
    path: &Path,
    report: &LoadReport,
    failures: &FailureList,
    mut events: SentEvents<'_>,
) -> Result<(), CommandError> {
    if failures.is_empty() {
        return Ok(());
    }
    let written = Replacement::begin(path, Readers::Owner).and_then(|(file, replacement)| {
        let mut file = BufWriter::new(file);
        failures.write(report, &mut events, &mut file)?;
        file.flush()?;
        replacement.commit()
    });
    written.map_err(|error| {
        let path = path.display();
        CommandError::not_completed(format!("can't write the failed events to {path}: {error}"))
    })
}
