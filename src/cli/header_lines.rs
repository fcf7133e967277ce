//! Parses header lines copied from a log or from `curl --verbose`.

use std::path::Path;

use super::CommandError;
use crate::files;

const FILE_LIMIT: u64 = 1024 * 1024;

/// `Name: value` lines, in order.
#[derive(Debug, Default)]
pub(crate) struct HeaderLines(Vec<(String, String)>);

impl HeaderLines {
    pub(super) fn read(path: &Path) -> Result<Self, CommandError> {
        let shown = path.display();
        let text = files::read(path, FILE_LIMIT).map_err(|error| {
            CommandError::usage(format!("can't read the headers from {shown}: {error}"))
        })?;
        let headers = Self::parse(&String::from_utf8_lossy(&text));
        if headers.0.is_empty() {
            let message = format!("{shown} contains no header lines");
            return Err(CommandError::usage(message).with_help("write one `Name: value` per line"));
        }
        Ok(headers)
    }

    /// Skips lines that are not headers, such as the request line.
    pub(crate) fn parse(text: &str) -> Self {
        let header = |line: &str| {
            // curl prefixes sent lines with `>` and received lines with `<`.
            let line = line.trim_start_matches(['>', '<', ' ', '\t', '\u{feff}']);
            let (name, value) = line.split_once(':')?;
            let token =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            let name_like = !name.is_empty() && name.bytes().all(token);
            // Whitespace around a value is not part of it (RFC 9110, 5.5).
            name_like.then(|| (name.to_owned(), value.trim().to_owned()))
        };
        Self(text.lines().filter_map(header).collect())
    }

    /// The value of a header, case-insensitively. Several values are joined with commas, as in HTTP.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .0
            .iter()
            .filter(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_parsed_as_logs_print_them() {
        let text = "> POST /hook HTTP/1.1\r\n> host: a:8080\r\nX-Aghanim-Signature:  abc \r\n\r\n\
                    x-aghanim-signature: def\nnot a header\nX-Empty:";
        let headers = HeaderLines::parse(text);
        assert_eq!(headers.value("Host").as_deref(), Some("a:8080"));
        assert_eq!(
            headers.value("X-Aghanim-Signature").as_deref(),
            Some("abc, def")
        );
        assert_eq!(headers.value("x-empty").as_deref(), Some(""));
        assert_eq!(headers.value("not a header"), None);
        assert_eq!(headers.value("X-Aghanim-Signature-Timestamp"), None);
    }
}
