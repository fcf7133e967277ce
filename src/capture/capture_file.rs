//! A capture file: JSON Lines, one recorded delivery a line, which only its owner can read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;

use super::recorded_delivery::RecordedDelivery;
use crate::files::{self, Readers};
use crate::report::{sanitize, write_line};

/// The longest line: a request and a response of 256 KiB each, escaped, and their headers.
const LONGEST_LINE: u64 = 8 * 1024 * 1024;
const FILE_LIMIT: u64 = 256 * 1024 * 1024;

/// A capture file that is being written. Each delivery is in the file as soon as it has ended.
pub(crate) struct CaptureWriter {
    file: BufWriter<File>,
}

/// Why a file is no capture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaptureFileError {
    #[error("can't read {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("{path}:{line}: not a recorded delivery: {reason}")]
    Line {
        path: String,
        line: usize,
        reason: String,
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
        write_line(&mut self.file, delivery)?;
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

/// The deliveries of a capture.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    pub(crate) deliveries: Vec<RecordedDelivery>,
    /// That the last line is incomplete, since `aghook capture` was killed or the disk was full.
    pub(crate) note: Option<String>,
}

/// Reads a capture file.
pub(crate) fn read_capture(path: &Path) -> Result<Captured, CaptureFileError> {
    let name = path.display().to_string();
    let file = files::open(path).map_err(|source| CaptureFileError::Read {
        path: name.clone(),
        source,
    })?;
    read(&name, BufReader::new(file.take(FILE_LIMIT + 1)))
}

/// Reads a capture. `path` is for errors.
pub(crate) fn read(path: &str, mut file: impl BufRead) -> Result<Captured, CaptureFileError> {
    let failed = |source| CaptureFileError::Read {
        path: path.to_owned(),
        source,
    };
    let mut captured = Captured::default();
    let mut read = 0;
    for line in 1.. {
        let mut text = Vec::new();
        let count = (&mut file)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut text)
            .map_err(failed)?;
        read += count as u64;
        if read > FILE_LIMIT {
            let limit = FILE_LIMIT / 1024 / 1024;
            return Err(failed(io::Error::other(format!(
                "it is larger than {limit} MiB"
            ))));
        }
        if count == 0 {
            break;
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let delivery: RecordedDelivery = match serde_json::from_slice(&text) {
            Ok(delivery) => delivery,
            Err(_) if line > 1 && !text.ends_with(b"\n") && (count as u64) < LONGEST_LINE => {
                let count = text.len();
                captured.note = Some(format!(
                    "{path}:{line}: ignored the last {count} bytes, which are an incomplete line"
                ));
                break;
            }
            Err(source) => {
                return Err(CaptureFileError::Line {
                    path: path.to_owned(),
                    line,
                    // It can quote the file.
                    reason: sanitize(&source.to_string()),
                });
            }
        };
        if delivery.capture > RecordedDelivery::FORMAT {
            return Err(CaptureFileError::Later {
                path: path.to_owned(),
                line,
                format: delivery.capture,
            });
        }
        captured.deliveries.push(delivery);
    }
    Ok(captured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Recorder;
    use crate::capture::read_log;

    fn line() -> String {
        let log = "POST / HTTP/1.1\n\n{\"event_type\": \"item.add\"}";
        let exchange = read_log(log).expect("a request").remove(0);
        let delivery = Recorder::new(None).expect("randomness").record(&exchange);
        serde_json::to_string(&delivery).expect("JSON") + "\n"
    }

    #[test]
    fn what_a_killed_capture_has_written_can_be_read() {
        let (one, two) = (line(), line().repeat(2));
        for end in 0..one.len() - 1 {
            let captured = read("c", format!("{two}{}", &one[..end]).as_bytes()).expect("readable");
            assert_eq!(captured.deliveries.len(), 2);
            assert_eq!(captured.note.is_some(), end > 0);
        }
        let torn = &one[..one.len() / 2];
        assert!(matches!(
            read("c", torn.as_bytes()),
            Err(CaptureFileError::Line { line: 1, .. })
        ));
        let inside = format!("{torn}\n{one}");
        assert!(matches!(
            read("c", inside.as_bytes()),
            Err(CaptureFileError::Line { line: 1, .. })
        ));
    }

    #[test]
    fn lines_and_files_without_end_are_refused() {
        let spaces = BufReader::new(io::repeat(b' '));
        assert!(
            read("c", spaces)
                .expect_err("too large")
                .to_string()
                .contains("larger than")
        );
        let text = BufReader::new(io::repeat(b'x'));
        assert!(matches!(
            read("c", text),
            Err(CaptureFileError::Line { line: 1, .. })
        ));
    }
}
