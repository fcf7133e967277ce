//! Why a command did not run to its end, as its user reads it.

use std::fmt;

use anstyle::{AnsiColor, Style};

use super::ExitCode;

const ERROR_STYLE: Style = AnsiColor::Red.on_default().bold();
const HELP_STYLE: Style = AnsiColor::Cyan.on_default().bold();

/// An error that ends a command. `{}` writes it plainly, `{:#}` with colours.
#[derive(Debug)]
pub struct CommandError {
    code: ExitCode,
    text: Text,
}

#[derive(Debug)]
enum Text {
    Message {
        message: String,
        help: Option<String>,
    },
    Rendered(String),
}

impl CommandError {
    /// The command line, a config or a scenario is wrong.
    pub fn usage(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Self::new(ExitCode::Usage, message.into(), help.into())
    }

    /// The target could not be reached, or the command could not be completed.
    pub fn not_completed(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Self::new(ExitCode::NotCompleted, message.into(), help.into())
    }

    /// Diagnostics that are rendered already, such as those of a file with its lines.
    pub fn rendered(code: ExitCode, text: impl Into<String>) -> Self {
        Self {
            code,
            text: Text::Rendered(text.into()),
        }
    }

    /// How the program ends because of this.
    pub fn exit_code(&self) -> ExitCode {
        self.code
    }

    fn new(code: ExitCode, message: String, help: Option<String>) -> Self {
        let text = Text::Message { message, help };
        Self { code, text }
    }
}

/// Writing the output failed, for a reason other than a reader that went away.
impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::not_completed(format!("can't write the output: {error}"), None)
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (message, help) = match &self.text {
            Text::Rendered(text) => return formatter.write_str(text.trim_end()),
            Text::Message { message, help } => (message, help),
        };
        let [error_style, help_style] = if formatter.alternate() {
            [ERROR_STYLE, HELP_STYLE]
        } else {
            [Style::new(); 2]
        };
        write!(formatter, "{error_style}error:{error_style:#} {message}")?;
        if let Some(help) = help {
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
    fn colours_come_only_when_asked_for() {
        let error = CommandError::usage("no such file", "look again".to_owned());
        assert_eq!(error.to_string(), "error: no such file\n  help: look again");
        let coloured = format!("{error:#}");
        assert!(coloured.contains("\u{1b}[31m"), "{coloured:?}");
        assert_eq!(
            anstream::adapter::strip_str(&coloured).to_string(),
            error.to_string()
        );
    }

    #[test]
    fn a_rendered_text_is_left_alone() {
        let error = CommandError::rendered(ExitCode::CheckFailed, "a.yaml:1:2 no\n");
        assert_eq!(error.to_string(), "a.yaml:1:2 no");
        assert_eq!(error.exit_code(), ExitCode::CheckFailed);
    }
}
