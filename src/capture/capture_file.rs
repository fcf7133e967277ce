//! A capture file: JSON Lines, one recorded delivery a line, which only its owner can read.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;

use super::recorded_delivery::RecordedDelivery;
use crate::files::{self, Readers};

/// The longest line: a request and a response of 256 KiB each, escaped, and their headers.
const LONGEST_LINE: u64 = 8 * 1024 * 1024;

/// A capture file that is being written. Each delivery is in the file as soon as it has ended.
pub(crate) struct CaptureWriter {
    file: BufWriter<File>,
}

/// Why a file is no capture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaptureFileError {
    #[error("can't read {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("{path}:{line}: not a recorded delivery: {source}")]
    Line {
        path: String,
        line: usize,
        source: serde_json::Error,
    },
    #[error("{path}:{line}: written by a later version of aghook (format {format})")]
    Later {
        path: String,
        line: usize,
        format: u32,
    },
}

impl CaptureWriter {
    /// Begins a file. Fails if there is one with any content: a capture can't be made again.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let has_content =
            std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0);
        if has_content {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = BufWriter::new(files::create(path, Readers::Owner)?);
        Ok(Self { file })
    }

    pub(crate) fn write(&mut self, delivery: &RecordedDelivery) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, delivery)?;
        self.file.write_all(b"\n")?;
        self.file.flush()
    }
}

/// Whether a text begins as a capture file does.
pub(crate) fn is_capture(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    serde_json::from_str::<RecordedDelivery>(first).is_ok()
}

/// Whether a file begins as a capture does. A pipe can be read only once, so it is none.
pub(crate) fn is_capture_file(path: &Path) -> bool {
    let is_file = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let mut first = String::new();
    is_file
        && files::open(path)
            .and_then(|file| {
                BufReader::new(file)
                    .take(LONGEST_LINE)
                    .read_line(&mut first)
            })
            .is_ok()
        && is_capture(&first)
}

/// Reads a capture file.
pub(crate) fn read_capture(path: &Path) -> Result<Vec<RecordedDelivery>, CaptureFileError> {
    let name = || path.display().to_string();
    let failed = |source| CaptureFileError::Read {
        path: name(),
        source,
    };
    let lines = BufReader::new(files::open(path).map_err(failed)?).lines();
    let mut deliveries = Vec::new();
    for (index, line) in lines.enumerate() {
        let text = line.map_err(failed)?;
        let line = index + 1;
        if text.trim().is_empty() {
            continue;
        }
        let delivery: RecordedDelivery =
            serde_json::from_str(&text).map_err(|source| CaptureFileError::Line {
                path: name(),
                line,
                source,
            })?;
        if delivery.capture > RecordedDelivery::FORMAT {
            return Err(CaptureFileError::Later {
                path: name(),
                line,
                format: delivery.capture,
            });
        }
        deliveries.push(delivery);
    }
    Ok(deliveries)
}
