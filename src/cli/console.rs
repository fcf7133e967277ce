//! Standard output and standard error: strips colors if they are not wanted, and ignores a closed
//! pipe.

use std::io::{self, Stdout, Write};

use anstream::{AutoStream, ColorChoice};

use super::CommandError;
use crate::report::escape_lines;

/// The output of a command. Commands can always write styled text: the console strips colors that
/// are not wanted.
pub(crate) struct Console {
    output: AutoStream<Stdout>,
    color: ColorChoice,
    pipe_closed: bool,
}

impl Console {
    /// Applies `--color`. With `auto`, a terminal gets colors unless `NO_COLOR` is set.
    pub(crate) fn new(color: clap::ColorChoice) -> Self {
        let color = match color {
            clap::ColorChoice::Auto => ColorChoice::Auto,
            clap::ColorChoice::Always => ColorChoice::Always,
            clap::ColorChoice::Never => ColorChoice::Never,
        };
        Self {
            output: AutoStream::new(io::stdout(), color),
            color,
            pipe_closed: false,
        }
    }

    pub(crate) fn shows_error_colors(&self) -> bool {
        let errors = AutoStream::new(io::stderr(), self.color);
        !matches!(errors.current_choice(), ColorChoice::Never)
    }

    /// The width of standard output in columns, from `COLUMNS` or the terminal. A file or a pipe has
    /// no width.
    pub(crate) fn width() -> Option<usize> {
        let variable = std::env::var("COLUMNS").ok();
        let columns = variable.and_then(|columns| columns.trim().parse().ok());
        columns.filter(|columns| *columns > 0).or_else(|| {
            let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
            Some(usize::from(width.0))
        })
    }

    /// Another handle to the same standard output, for a report on another thread.
    #[must_use]
    pub(crate) fn reopened(&self) -> Self {
        Self {
            output: AutoStream::new(io::stdout(), self.color),
            ..*self
        }
    }

    /// Another handle to the same standard output that writes every byte unchanged, for reports that
    /// contain data instead of styled text.
    #[must_use]
    pub(crate) fn unstyled(&self) -> Self {
        Self {
            output: AutoStream::always_ansi(io::stdout()),
            ..self.reopened()
        }
    }

    /// Writes a line to standard output immediately. Later writes report the error if it fails.
    pub(crate) fn say(&mut self, text: &str) {
        let _ = writeln!(self, "{text}").and_then(|()| self.flush());
    }

    /// Writes a note to standard error, so that it does not mix with piped output. A note may quote a
    /// receiver, so it is plain text.
    pub(crate) fn note(&self, text: &str) {
        self.write_error(&escape_lines(text));
    }

    /// Writes the error that ends a command to standard error.
    pub(crate) fn error(&self, error: &CommandError) {
        self.write_error(&format!("{error:#}"));
    }

    fn write_error(&self, text: &str) {
        // If standard error is closed, the error can't be reported anywhere.
        let _ = writeln!(AutoStream::new(io::stderr(), self.color), "{text}");
    }

    /// Drops output once the reader, such as `head`, has closed the pipe. The exit code still shows
    /// the result.
    fn ignore_closed_pipe<T>(&mut self, result: io::Result<T>, dropped: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.pipe_closed = true;
                Ok(dropped)
            }
            other => other,
        }
    }
}

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pipe_closed {
            return Ok(bytes.len());
        }
        let result = self.output.write(bytes);
        self.ignore_closed_pipe(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.pipe_closed {
            return Ok(());
        }
        let result = self.output.flush();
        self.ignore_closed_pipe(result, ())
    }
}
