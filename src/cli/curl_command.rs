//! Prints a request as a curl command.

use std::fmt::Display;
use std::path::Path;

use super::command_error::CommandError;

/// The longest body, in bytes, to write into a curl command. Linux allows 128 KiB per argument.
const INLINE_LIMIT: usize = 100 * 1024;

/// A command for a POSIX shell. It is safe to paste, whatever the body and the path contain.
pub(super) fn curl_command(
    target: &str,
    headers: &[(impl Display, impl Display)],
    body: &[u8],
    path: Option<&Path>,
) -> Result<String, CommandError> {
    // `--data-raw` sends the text unchanged; `--data` would interpret `@file`.
    let inline = std::str::from_utf8(body)
        .ok()
        .filter(|text| text.len() <= INLINE_LIMIT && !text.contains('\0'));
    let data = match (inline, path.map(Path::to_str)) {
        (Some(text), _) => format!("--data-raw {}", quoted(text)?),
        (None, Some(Some(path))) => format!("--data-binary {}", quoted(&format!("@{path}"))?),
        (None, _) => {
            return Err(CommandError::usage(
                "the body can't be written into a command line: it is too long or not text",
                "write it to a file and pass the file".to_owned(),
            ));
        }
    };
    let mut lines = vec![format!("curl --request POST {}", quoted(target)?)];
    for (name, value) in headers {
        let value = value.to_string();
        // curl drops a header without a value unless it ends with a semicolon.
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
            format!("can't quote an argument of the curl command: {error}"),
            None,
        )),
    }
}
