//! A command of a profile, which reads a probe or is another hook.

use std::env;
use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::command_process::{CommandProcess, Ended};
use super::hook_error::{HookError, HookFailure};
use super::placeholders::{expand_variables, fill_in};
use super::redaction::Redaction;
use crate::policy::DurationText;

#[derive(Clone)]
pub(crate) struct HookCommand {
    words: Vec<String>,
    redaction: Redaction,
}

/// Environment variables may hold credentials, so expanded values are not shown.
impl fmt::Debug for HookCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HookCommand")
    }
}

/// How many lines of a failed command's errors are shown.
const SHOWN_LINES: usize = 4;
/// How many characters of them, and of the command.
const SHOWN: usize = 300;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl HookCommand {
    pub(crate) fn new(words: &[String]) -> Result<Self, HookError> {
        let mut used = Vec::new();
        let words = words
            .iter()
            .map(|word| expand_variables(word, &mut used))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            words,
            redaction: Redaction::of_variables(used),
        })
    }

    /// Removes the environment variables in the command. They are more likely names or paths than
    /// credentials, so only the command's own output needs it.
    pub(crate) fn redaction(&self) -> &Redaction {
        &self.redaction
    }

    /// Hides these secrets, too.
    pub(super) fn hide(&mut self, secrets: &Redaction) {
        self.redaction = secrets.clone().and([&self.redaction]);
    }

    pub(crate) fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// That the program is not there, if so.
    pub(crate) fn missing_program(&self) -> Option<HookFailure> {
        let program = self.program();
        let is_missing = !program.contains('{') && which::which(program).is_err();
        is_missing.then(|| cannot_run(program, &no_such_program(program)))
    }

    /// Runs the program with these values in its arguments. It must exit with 0. Returns its output.
    /// Ends the program, and all that it started, if it takes longer than `timeout`; `late` says so.
    pub(crate) async fn run(
        &self,
        values: &[(impl AsRef<str>, &str)],
        timeout: Duration,
        late: impl FnOnce() -> HookFailure,
    ) -> Result<String, HookFailure> {
        let words = self.words.iter();
        let words: Vec<String> = words
            .map(|word| fill_in(word, values, str::to_owned))
            .collect();
        let [program, arguments @ ..] = words.as_slice() else {
            return Err(HookFailure::new("the command is empty"));
        };
        let unusable = |error: io::Error| {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => no_such_program(program),
                _ => error.to_string(),
            };
            cannot_run(program, &reason)
        };
        let process = CommandProcess::start(program, arguments).map_err(unusable)?;
        let (status, output, errors) = match process.ended(timeout).await.map_err(unusable)? {
            Ended::Whole {
                status,
                output,
                errors,
            } => (status, output, errors),
            Ended::OutputHeld => {
                let limit = DurationText(timeout);
                return Err(HookFailure::new(format!(
                    "{program} ended, but after {limit} a program that it started in the background still \
                     had its output open; redirect the output of that program, as in `server >server.log 2>&1 &`"
                )));
            }
            Ended::Late => return Err(late()),
        };
        if status.success() {
            return Ok(output);
        }
        // A secret with line breaks in it is not recognised in joined or left out lines.
        let errors = self.redaction.text(&errors);
        // The first lines say what went wrong; the last may be psql's caret.
        // psql repeats a part of the query with its values, which the command shows anyway.
        let is_excerpt = |line: &str| line.starts_with("LINE ") || line.trim() == "^";
        let lines = errors.lines();
        let lines = lines.filter(|line| !line.trim().is_empty() && !is_excerpt(line));
        let lines: Vec<&str> = lines.take(SHOWN_LINES).collect();
        let (errors, command) = (lines.join(" ⏎ "), words.join(" "));
        let command = self.redaction.text(&command);
        // SQLite does not wait by default while the game writes.
        let hint = if errors.contains("database is locked") {
            "; let it wait, such as with `sqlite3 -cmd '.timeout 5000'`"
        } else {
            ""
        };
        Err(HookFailure::new(format!(
            "{program} failed with {status}: {} (command: {}){hint}",
            shortened(&errors),
            shortened(&command)
        )))
    }
}

fn cannot_run(program: &str, reason: &str) -> HookFailure {
    HookFailure::new(format!("failed to run {program}: {reason}")).general(true)
}

fn no_such_program(program: &str) -> String {
    let path = Path::new(program);
    // A name alone is looked up in `PATH`.
    let is_in_folder = path.is_relative() && path.components().count() > 1;
    match env::current_dir() {
        Ok(folder) if is_in_folder => format!(
            "there is no such program in {}: start aghook in the folder that the path starts from, or write its \
             full path",
            folder.display()
        ),
        _ => "there is no such program: install it, or write its full path".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Secret;

    /// Programs that encode break lines.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_secret_in_several_lines_of_errors_is_not_shown() {
        let secret = Secret::new("Tr0ub4dor-secret-9zKq").expect("a secret");
        for encode in ["base64 | fold -w 20", "od -An -tx1", "od -An -tu1"] {
            let program = format!("printf %s Tr0ub4dor-secret-9zKq | {encode} >&2; exit 1");
            let words = ["sh", "-c", &program].map(str::to_owned);
            let mut command = HookCommand::new(&words).expect("no variables");
            command.hide(&Redaction::new([secret.clone()]));
            let late = || HookFailure::new("late");
            let no_values: [(&str, &str); 0] = [];
            let failure = command.run(&no_values, Duration::from_secs(10), late);
            let failure = failure.await.expect_err("it exits with 1").to_string();
            let (_, shown) = failure.split_once("exit status: 1:").expect("its status");
            let (errors, command) = shown.split_once("(command:").expect("its command");
            assert_eq!(errors.trim(), "[secret not shown]", "{encode}");
            assert!(
                command.contains("printf %s [secret not shown] |"),
                "{command}"
            );
        }
    }
}
