//! A request as a curl command, to be tried by hand.

use std::fmt::Display;
use std::path::Path;

use super::command_error::CommandError;

/// The longest body, in bytes, that is written into a curl command: Linux takes 128 KiB a word.
const INLINE_LIMIT: usize = 100 * 1024;

/// A command that a POSIX shell runs as it is, whatever is in the body or the path.
pub(super) fn curl_command(
    target: &str,
    headers: &[(impl Display, impl Display)],
    body: &[u8],
    path: Option<&Path>,
) -> Result<String, CommandError> {
    // `--data-raw` gives the text no meaning of its own; `--data` would read `@file`.
    let inline = std::str::from_utf8(body)
        .ok()
        .filter(|text| text.len() <= INLINE_LIMIT && !text.contains('\0'));
    let data = match (inline, path.map(Path::to_str)) {
        (Some(text), _) => format!("--data-raw {}", quoted(text)?),
        (None, Some(Some(path))) => format!("--data-binary {}", quoted(&format!("@{path}"))?),
        (None, _) => {
            return Err(CommandError::usage(
                "this body can't stand in a command line: it is too long or not text",
                "write it to a file and give the file's name".to_owned(),
            ));
        }
    };
    let mut lines = vec![format!("curl --request POST {}", quoted(target)?)];
    for (name, value) in headers {
        let value = value.to_string();
        // With nothing after a colon curl would leave the header out.
        let header = if value.is_empty() {
            format!("{name};")
        } else {
            format!("{name}: {value}")
        };
        lines.push(format!("--header {}", quoted(&header)?));
    }
    lines.push(data);
    Ok(lines.join(" \\\n  "))
}

fn quoted(word: &str) -> Result<String, CommandError> {
    match shlex::try_quote(word) {
        Ok(quoted) => Ok(quoted.into_owned()),
        Err(error) => Err(CommandError::usage(
            format!("a word of the curl command can't be quoted: {error}"),
            None,
        )),
    }
}
