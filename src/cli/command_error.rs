//! The error that ends a command.

use std::fmt;

use anstyle::{AnsiColor, Style};

use super::ExitCode;
use crate::report::escape_lines;
use crate::run::SessionError;

const ERROR_STYLE: Style = AnsiColor::Red.on_default().bold();
const HELP_STYLE: Style = AnsiColor::Cyan.on_default().bold();

/// An error that ends a command. `{}` prints plain text, `{:#}` prints colors. Both escape what a message may
/// quote from a receiver.
#[derive(Debug)]
pub(crate) struct CommandError {
    code: ExitCode,
    message: String,
    help: Option<String>,
    is_rendered: bool,
}

impl CommandError {
    /// The command line, a config or a scenario is invalid.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(ExitCode::Usage, &message)
    }

    /// The target could not be reached, or the command could not be completed.
    pub(crate) fn not_completed(message: impl fmt::Display) -> Self {
        Self::new(ExitCode::NotCompleted, &message)
    }

    /// A usage error that is already rendered, such as diagnostics with the lines of a file.
    pub(super) fn rendered(text: String) -> Self {
        Self {
            is_rendered: true,
            ..Self::usage(text)
        }
    }

    pub(super) fn without_expired_secret(profile: &str) -> Self {
        Self::usage("the forgery `expired_secret` needs the previous secret").with_help(format!(
            "set `expired_secret_env` in {profile} to the environment variable that holds it"
        ))
    }

    pub(crate) fn with_help(self, help: impl fmt::Display) -> Self {
        self.maybe_help(Some(help.to_string()))
    }

    pub(super) fn maybe_help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }

    /// The message without help.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        self.code
    }

    fn new(code: ExitCode, message: &dyn fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
            help: None,
            is_rendered: false,
        }
    }
}

/// Writing the output failed. A closed pipe does not end up here.
impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::not_completed(format!("can't write the output: {error}"))
    }
}

/// A session that can't be built is a mistake in the options or in the profile.
impl From<SessionError> for CommandError {
    fn from(error: SessionError) -> Self {
        Self::usage(&error).maybe_help(error.help())
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, help, .. } = self;
        if self.is_rendered {
            return formatter.write_str(message.trim_end());
        }
        let [error_style, help_style] = if formatter.alternate() {
            [ERROR_STYLE, HELP_STYLE]
        } else {
            [Style::new(); 2]
        };
        let message = escape_lines(message);
        write!(formatter, "{error_style}error:{error_style:#} {message}")?;
        if let Some(help) = help {
            let help = escape_lines(help);
            write!(formatter, "\n  {help_style}help:{help_style:#} {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CommandError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_alternate_format_has_colors() {
        let error = CommandError::usage("no such file").with_help("check the path");
        assert_eq!(
            error.to_string(),
            "error: no such file\n  help: check the path"
        );
        let colored = format!("{error:#}");
        assert!(colored.contains("\u{1b}[31m"), "{colored:?}");
        assert_eq!(
            anstream::adapter::strip_str(&colored).to_string(),
            error.to_string()
        );
    }

    #[test]
    fn a_receiver_can_not_control_the_terminal_by_a_message() {
        let error = CommandError::usage("returned 400 (\u{1b}[2J\u{9b}31m)\n::error::x")
            .with_help("\rall checks passed");
        let expected = "error: returned 400 (\\u{1b}[2J\\u{9b}31m)\n\\u{3a}:error::x\n  help: \\rall checks passed";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_rendered_text_is_printed_unchanged() {
        let error = CommandError::rendered("a.yaml:1:2 no\n".to_owned());
        assert_eq!(error.to_string(), "a.yaml:1:2 no");
        assert_eq!(error.exit_code(), ExitCode::Usage);
    }
}
