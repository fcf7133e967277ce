//! The secret's way in: from an environment variable or a file, never as a plain argument, where
//! `ps` and the shell's history show it.

use std::env::{self, VarError};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::command_error::CommandError;
use crate::protocol::Secret;

/// The variable that is read where nothing else is said.
pub const DEFAULT_VARIABLE: &str = "AGHOOK_SECRET";

/// The longest secret file, in bytes: anything longer is the wrong file.
const FILE_LIMIT: u64 = 64 * 1024;

/// Longer words without an underscore are rather a secret than a variable's name.
const LONGEST_PLAIN_NAME: usize = 20;

const NOT_SHOWN: &str = "(name not shown, in case it is the secret)";

/// `--secret-env` and `--secret-file`.
#[derive(Debug, Clone, Default, Args)]
pub struct SecretOptions {
    /// The environment variable that holds the webhook's secret, taken as it is [default:
    /// `AGHOOK_SECRET`]
    #[arg(long, value_name = "VAR", conflicts_with = "secret_file")]
    secret_env: Option<String>,

    /// The file that holds the webhook's secret, at most 64 KiB; one newline at its end is
    /// stripped
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl SecretOptions {
    /// The secret, from `AGHOOK_SECRET` where neither option is given.
    pub fn load(&self) -> Result<Secret, CommandError> {
        self.load_or(None)
    }

    /// The secret, from `default_variable` where neither option is given: a profile's
    /// `secret_env`.
    pub fn load_or(&self, default_variable: Option<&str>) -> Result<Secret, CommandError> {
        match &self.secret_file {
            Some(path) => from_file(path),
            None => from_variable(self.variable(default_variable)),
        }
    }

    /// Whether one of the options is given.
    pub fn is_given(&self) -> bool {
        self.secret_env.is_some() || self.secret_file.is_some()
    }

    /// Where the secret comes from, in words that can be printed.
    pub fn describe(&self, default_variable: Option<&str>) -> String {
        match &self.secret_file {
            Some(path) => printable_path(path),
            None => printable(self.variable(default_variable)).to_owned(),
        }
    }

    fn variable<'a>(&'a self, default_variable: Option<&'a str>) -> &'a str {
        self.secret_env
            .as_deref()
            .or(default_variable)
            .unwrap_or(DEFAULT_VARIABLE)
    }
}

/// Reads a secret from an environment variable, as it is.
pub fn from_variable(name: &str) -> Result<Secret, CommandError> {
    let shown = printable(name);
    let help = || {
        Some(if shown == name {
            format!(
                "set it in the shell (for example: read -rs {name}; export {name}), or use \
                 --secret-file FILE"
            )
        } else {
            "give the name of a variable, not the secret: the command line shows up in `ps` and \
             in the shell's history"
                .to_owned()
        })
    };
    // Some names, such as one with `=` in it, can't be a variable's; asking for them is harmless.
    match env::var(name) {
        Ok(text) => Secret::new(text).map_err(|_| {
            CommandError::usage(format!("the secret's variable {shown} is empty"), help())
        }),
        Err(VarError::NotPresent) => Err(CommandError::usage(
            format!("the secret's variable {shown} is not set"),
            help(),
        )),
        Err(VarError::NotUnicode(_)) => Err(CommandError::usage(
            format!("the secret's variable {shown} is not UTF-8"),
            None,
        )),
    }
}

/// Reads a secret from a file, without one newline at its end.
fn from_file(path: &Path) -> Result<Secret, CommandError> {
    let shown = printable_path(path);
    let refuse = |what: &str| CommandError::usage(format!("the secret file {shown} {what}"), None);
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|error| refuse(&format!("can't be read: {error}")))?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(refuse("is larger than 64 KiB"));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| refuse("is not UTF-8"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Secret::new(text).map_err(|_| refuse("is empty"))
}

/// A variable's name, or words in its place where it may be the secret itself, given by mistake.
pub fn printable(name: &str) -> &str {
    let starts_well = name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_');
    let name_like = name
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if starts_well && name_like && (name.contains('_') || name.len() <= LONGEST_PLAIN_NAME) {
        name
    } else {
        NOT_SHOWN
    }
}

/// A file's path, or words in its place where nothing says that it is a path: there is no such
/// file, and neither a folder nor an extension in it.
fn printable_path(path: &Path) -> String {
    if path.exists() || path.extension().is_some() || path.components().count() > 1 {
        path.display().to_string()
    } else {
        NOT_SHOWN.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_holding(bytes: &[u8]) -> tempfile::TempPath {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("written");
        file.into_temp_path()
    }

    #[test]
    fn one_newline_at_the_end_of_a_file_is_stripped() {
        for (bytes, secret) in [
            ("s3cret", "s3cret"),
            ("s3cret\n", "s3cret"),
            ("s3cret\r\n", "s3cret"),
            ("s3cret\n\n", "s3cret\n"),
            (" s3cret ", " s3cret "),
            ("\n\n", "\n"),
        ] {
            let loaded = from_file(&file_holding(bytes.as_bytes())).expect("a secret");
            assert_eq!(loaded.expose_text(), secret);
        }
    }

    #[test]
    fn a_file_without_a_secret_is_refused() {
        let too_large = vec![b'x'; 64 * 1024 + 1];
        for (bytes, reason) in [
            (&b""[..], "is empty"),
            (b"\n", "is empty"),
            (b"\xff\xfe", "is not UTF-8"),
            (&too_large, "is larger than 64 KiB"),
        ] {
            let error = from_file(&file_holding(bytes)).expect_err("refused");
            assert!(error.to_string().contains(reason), "{error}");
        }
        assert!(from_file(&file_holding(&too_large[1..])).is_ok());
    }

    #[test]
    fn only_what_looks_like_a_variable_name_is_printed() {
        for name in ["AGHOOK_SECRET", "_X1", "SECRET"] {
            assert_eq!(printable(name), name);
        }
        let base32 = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
        for secret in ["", "whsec_abc", "1ABC", "A-B", "Pass", "A B", base32] {
            assert!(printable(secret).starts_with("(name not shown"), "{secret}");
        }
    }
}
