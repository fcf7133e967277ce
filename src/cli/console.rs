//! Standard output and standard error: with colours where they are wanted, and quiet once the
//! reader has gone away.

use std::io::{self, Stdout, Write};

use anstream::{AutoStream, ColorChoice};

use super::command_error::CommandError;

/// Where a command writes. Styled text may be written always: colours are taken out where they
/// are not wanted.
pub struct Console {
    output: AutoStream<Stdout>,
    color: ColorChoice,
    reader_gone: bool,
}

impl Console {
    /// Takes `--color`. With `auto`, a terminal gets colours unless `NO_COLOR` is set.
    pub fn new(color: clap::ColorChoice) -> Self {
        let color = match color {
            clap::ColorChoice::Auto => ColorChoice::Auto,
            clap::ColorChoice::Always => ColorChoice::Always,
            clap::ColorChoice::Never => ColorChoice::Never,
        };
        Self {
            output: AutoStream::new(io::stdout(), color),
            color,
            reader_gone: false,
        }
    }

    /// What was asked for with `--color`, for streams and files that a report opens itself.
    pub fn color(&self) -> ColorChoice {
        self.color
    }

    /// Whether colours written here reach the reader, for renderers that must know beforehand.
    pub fn shows_colors(&self) -> bool {
        !matches!(self.output.current_choice(), ColorChoice::Never)
    }

    /// Whether colours written to standard error reach the reader.
    pub fn shows_error_colors(&self) -> bool {
        let errors = AutoStream::new(io::stderr(), self.color);
        !matches!(errors.current_choice(), ColorChoice::Never)
    }

    /// How many columns standard output has: what `COLUMNS` says, or else the terminal. In a file or
    /// a pipe it has any number.
    pub fn width(&self) -> Option<usize> {
        let said = std::env::var("COLUMNS").ok();
        said.and_then(|columns| columns.trim().parse().ok())
            .filter(|columns| *columns > 0)
            .or_else(|| {
                let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
                Some(usize::from(width.0))
            })
    }

    /// Another way to the same standard output, for a report on a thread of its own.
    #[must_use]
    pub fn reopened(&self) -> Self {
        let output = AutoStream::new(io::stdout(), self.color);
        Self {
            output,
            color: self.color,
            reader_gone: self.reader_gone,
        }
    }

    /// A line on standard output, at once. Where it can't be written, what follows will say so.
    pub fn say(&mut self, text: &str) {
        let _ = writeln!(self, "{text}").and_then(|()| self.flush());
    }

    /// A remark for the user on standard error, where it can't get into piped output.
    pub fn note(&mut self, text: &str) {
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(AutoStream::new(io::stderr(), self.color), "{text}");
    }

    /// An error on standard error.
    pub fn error(&mut self, error: &CommandError) {
        self.note(&format!("{error:#}"));
    }

    /// After `| head` has read enough, the rest is dropped: the exit code still tells the verdict.
    fn drop_if_reader_gone<T>(&mut self, result: io::Result<T>, dropped: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_gone = true;
                Ok(dropped)
            }
            other => other,
        }
    }
}

/// Writes to standard output.
impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.reader_gone {
            return Ok(bytes.len());
        }
        let result = self.output.write(bytes);
        self.drop_if_reader_gone(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.reader_gone {
            return Ok(());
        }
        let result = self.output.flush();
        self.drop_if_reader_gone(result, ())
    }
}
