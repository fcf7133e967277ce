//! Prints a request as a curl command.

use std::borrow::Cow;
use std::fmt::Display;
use std::path::Path;

use super::CommandError;
use crate::probe::REDACTED;
use crate::run::Session;
use crate::scenario::HeaderSource;
use crate::transport::{Route, Target};

/// The longest body, in bytes, to write into a curl command. Linux allows 128 KiB per argument.
const INLINE_LIMIT: usize = 100 * 1024;

/// A command for a POSIX shell, with more options. It is safe to paste, whatever the body and the path
/// contain.
pub(super) fn curl_command(
    target: &str,
    headers: &[(impl Display, impl Display)],
    options: &[String],
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
            )
            .with_help("write it to a file and pass the file"));
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
    lines.extend_from_slice(options);
    lines.push(data);
    Ok(lines.join(" \\\n  "))
}

/// The options for a session's headers, and for its way to the target.
pub(super) fn session_options(
    session: &Session,
    target: &Target,
) -> Result<Vec<String>, CommandError> {
    let mut options = Vec::new();
    for (name, source) in session.headers.iter() {
        let header = match shell_text(source) {
            Some(value) => format!("\"{name}: {value}\""),
            None => quoted(&format!("{name}: {REDACTED}"))?,
        };
        options.push(format!("--header {header}"));
    }
    let tls = &session.client.settings().tls;
    if tls.insecure {
        options.push("--insecure".to_owned());
    }
    let (connect_to, socket) = match session.client.route(target) {
        Some(Route::Address { host, port, .. }) => (Some(format!("::{host}:{port}")), None),
        Some(Route::UnixSocket(path)) => (None, Some(path)),
        None => (None, None),
    };
    for (option, path) in [
        ("--cacert", tls.cacert.as_ref()),
        ("--cert", tls.client_cert.as_ref()),
        ("--key", tls.client_key.as_ref()),
        ("--unix-socket", socket),
    ] {
        if let Some(path) = path {
            options.push(format!("{option} {}", quoted(&path.to_string_lossy())?));
        }
    }
    if let Some(to) = connect_to {
        options.push(format!("--connect-to {}", quoted(&to)?));
    }
    Ok(options)
}

/// What makes the shell insert a header's value within double quotes. `None` for a text without
/// variables, which may be the credential itself, and for one that the shell would change.
fn shell_text(source: &HeaderSource) -> Option<String> {
    match source {
        HeaderSource::Env(name) => Some(format!("${name}")),
        HeaderSource::File(path) => {
            let path = shlex::try_quote(path.to_str()?).ok()?;
            Some(format!("$(cat {path})"))
        }
        HeaderSource::Text(text) => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || " $_-.,:;=/+".contains(c);
            let starts_name =
                |after: &str| after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            let mut after_dollars = text.split('$').skip(1).peekable();
            let has_variable = after_dollars.peek().is_some();
            (has_variable && text.chars().all(is_plain) && after_dollars.all(starts_name))
                .then(|| text.clone())
        }
    }
}

fn quoted(word: &str) -> Result<String, CommandError> {
    let quoted = shlex::try_quote(word).map(Cow::into_owned);
    quoted.map_err(|error| {
        CommandError::usage(format!(
            "can't quote an argument of the curl command: {error}"
        ))
    })
}
