//! The values of headers, read from the environment and from files.

use std::path::Path;

use super::hook_error::HookError;
use super::placeholders::{VariableNotSet, expand_variables};
use super::redaction::Redaction;
use crate::files;
use crate::scenario::{DeliveryHeaders, HeaderSource};
use crate::transport::ExtraHeaders;

/// The maximum size of a file with a value, in bytes. A larger file is not a header's value.
const FILE_LIMIT: u64 = 64 * 1024;

/// The headers to add to every delivery, and the redaction of their values.
#[derive(Debug, Clone)]
pub(crate) struct PreparedHeaders {
    /// The headers.
    pub headers: ExtraHeaders,
    /// Removes the values from everything that is reported.
    pub redaction: Redaction,
}

/// A header of deliveries can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the header `{name}` can't be sent: {error}")]
pub struct DeliveryHeaderFailure {
    name: String,
    #[source]
    pub(crate) error: HookError,
}

impl PreparedHeaders {
    /// Reads the values.
    pub(crate) fn new(headers: &DeliveryHeaders) -> Result<Self, DeliveryHeaderFailure> {
        let mut secrets = Vec::new();
        let mut values = Vec::new();
        for (name, source) in headers.iter() {
            let failed = |error: HookError| DeliveryHeaderFailure {
                name: name.to_owned(),
                error,
            };
            let value = header_value(source, &mut secrets).map_err(failed)?;
            ExtraHeaders::new([(name, value.as_str())]).map_err(|error| failed(error.into()))?;
            let words = value.split_whitespace().filter(|word| is_credential(word));
            secrets.extend(words.map(str::to_owned));
            values.push((name, value));
        }
        let values = values.iter().map(|(name, value)| (*name, value.as_str()));
        Ok(Self {
            headers: ExtraHeaders::new(values).unwrap_or_default(),
            redaction: Redaction::of_variables(secrets),
        })
    }
}

/// Whether a word of a plain text looks like a credential. `application/json` does not: hiding it
/// everywhere would make reports unreadable.
fn is_credential(word: &str) -> bool {
    const MIN_LENGTH: usize = 8;
    let has = |is: fn(&char) -> bool| word.chars().any(|letter| is(&letter));
    word.len() >= MIN_LENGTH && has(char::is_ascii_alphabetic) && has(char::is_ascii_digit)
}

/// The value of a header. Adds what no report may show to `secrets`.
pub(super) fn header_value(
    source: &HeaderSource,
    secrets: &mut Vec<String>,
) -> Result<String, HookError> {
    let value = match source {
        HeaderSource::Text(text) => return Ok(expand_variables(text, secrets)?),
        HeaderSource::Env(name) => {
            let value = std::env::var(name).map_err(|_| VariableNotSet(name.clone()))?;
            if value.is_empty() {
                return Err(HookError::EmptyVariable(name.clone()));
            }
            value
        }
        HeaderSource::File(path) => file_value(path)?,
    };
    secrets.push(value.clone());
    Ok(value)
}

/// Reads a value from a file and removes one trailing newline.
fn file_value(path: &Path) -> Result<String, HookError> {
    let refused = |reason: &str| HookError::File(path.to_owned(), reason.to_owned());
    let bytes = files::read_start(path, FILE_LIMIT)
        .map_err(|error| refused(&format!("can't be read: {error}")))?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(refused("is larger than 64 KiB"));
    }
    let text = String::from_utf8(bytes).map_err(|_| refused("is not valid UTF-8"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(refused("is empty"));
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_file(content: &[u8]) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), content).expect("written");
        let source = HeaderSource::File(file.path().to_owned());
        header_value(&source, &mut Vec::new()).map_err(|error| error.to_string())
    }

    #[test]
    fn one_trailing_newline_of_a_file_is_removed() {
        assert_eq!(of_file(b"tok\n").as_deref(), Ok("tok"));
        assert_eq!(of_file(b"tok\r\n").as_deref(), Ok("tok"));
        assert_eq!(of_file(b" tok\n\n").as_deref(), Ok(" tok\n"));
        for (content, reason) in [(&b"\n"[..], "is empty"), (b"\xff", "is not valid UTF-8")] {
            let message = of_file(content).expect_err("refused");
            assert!(message.contains(reason), "{message}");
        }
    }

    #[test]
    fn only_words_that_look_like_credentials_are_hidden_everywhere() {
        assert!(is_credential("tok_12345") && !is_credential("application/json"));
        assert!(!is_credential("v2") && !is_credential("20260101"));
    }
}
