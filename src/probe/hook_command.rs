//! A command of a profile, which reads a probe or is another hook.

use std::fmt;
use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::hook_error::{HookError, HookFailure};
use super::placeholders::{expand_variables, fill_in};
use super::redaction::Redaction;

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

/// The maximum number of bytes read from a command's output.
const OUTPUT_LIMIT: u64 = 64 * 1024;

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

    pub(crate) fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Runs the program with these values in its arguments. It must exit with 0. Returns its output.
    pub(crate) async fn run(
        &self,
        values: &[(impl AsRef<str>, &str)],
    ) -> Result<String, HookFailure> {
        let words = self.words.iter();
        let words: Vec<String> = words
            .map(|word| fill_in(word, values, str::to_owned))
            .collect();
        let [program, arguments @ ..] = words.as_slice() else {
            return Err(HookFailure::new("the command is empty"));
        };
        let (status, output, errors) = run(program, arguments).await.map_err(|error| {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => {
                    "there is no such program: install it, or write its full path".to_owned()
                }
                _ => error.to_string(),
            };
            HookFailure::new(format!("failed to run {program}: {reason}")).general(true)
        })?;
        if status.success() {
            return Ok(output);
        }
        // The first lines say what went wrong; the last may be psql's caret.
        // psql repeats a part of the query with its values, which the command shows anyway.
        let is_excerpt = |line: &str| line.starts_with("LINE ") || line.trim() == "^";
        let lines = errors.lines();
        let lines = lines.filter(|line| !line.trim().is_empty() && !is_excerpt(line));
        let lines: Vec<&str> = lines.take(SHOWN_LINES).collect();
        let (errors, command) = (lines.join(" ⏎ "), words.join(" "));
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

/// Runs a command and returns its status, output and errors. Dropping the future kills the command.
async fn run(program: &str, arguments: &[String]) -> io::Result<(ExitStatus, String, String)> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let (output, errors, status) = tokio::join!(read_text(output), read_text(errors), child.wait());
    Ok((status?, output?, errors?))
}

async fn read_text(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe)
            .take(OUTPUT_LIMIT)
            .read_to_end(&mut bytes)
            .await?;
        // Drain the rest so that the command does not block.
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
