//! Reads the secret from an environment variable or a file. It is never an argument, because `ps`
//! and the shell history would show it.

use std::env::{self, VarError};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{CommandError, Console};
use crate::files;
use crate::protocol::Secret;
use crate::run::Secrets;
use crate::scenario::{Config, Profile};

/// The last paragraph of the help of every command that takes a secret.
pub(super) const SECRET_HELP: &str = "The secret can't be passed as an argument, because `ps` and \
                                      the shell history would show it.";

const DEFAULT_VARIABLE: &str = "AGHOOK_SECRET";

/// The maximum size of a secret file in bytes. A larger file is not a secret.
const FILE_LIMIT: u64 = 64 * 1024;

/// A longer name without an underscore is probably the secret itself.
const LONGEST_PLAIN_NAME: usize = 20;

const NOT_SHOWN: &str = "(name hidden, because it may be the secret)";

/// `--secret-env` and `--secret-file`.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SecretOptions {
    /// Environment variable with the webhook's secret [default: the `secret_env` of the profile, if the
    /// command uses one, otherwise `AGHOOK_SECRET`]
    #[arg(long, value_name = "VAR", conflicts_with = "secret_file")]
    secret_env: Option<String>,

    /// File with the webhook's secret, up to 64 KiB; a trailing newline is removed
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl SecretOptions {
    /// The file that it is read from, if any.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.secret_file.iter().cloned().collect()
    }

    /// Loads the secret, from `AGHOOK_SECRET` if neither option is given.
    pub(crate) fn load(&self) -> Result<Secret, CommandError> {
        self.load_or(None)
    }

    /// Like [`Self::load_in_folder`], but without an option, the variable need not be set.
    pub(super) fn load_if_any(&self) -> Result<Option<Secret>, CommandError> {
        let variable = variable_in_folder();
        let variable = variable.as_deref();
        let is_set = self.is_given() || env::var_os(self.variable(variable)).is_some();
        is_set.then(|| self.load_or(variable)).transpose()
    }

    /// Loads the secret and says where it is. Without an option, it is in the variable that the config
    /// file in the current folder names, if there is one.
    pub(super) fn load_in_folder(&self) -> Result<(Secret, String), CommandError> {
        let variable = variable_in_folder();
        let secret = self.load_or(variable.as_deref())?;
        Ok((secret, self.describe(variable.as_deref())))
    }

    /// `help` with the source of the secret, and the options that name it after those for a signature.
    pub(super) fn in_help(&self, help: &str, default_variable: Option<&str>) -> String {
        let source = self.describe(default_variable);
        let option = match &self.secret_file {
            Some(_) => format!(" --secret-file {source}"),
            None if source == DEFAULT_VARIABLE => String::new(),
            None => format!(" --secret-env {source}"),
        };
        help.replace("--signature HEX", &format!("--signature HEX{option}"))
            .replace("the same secret", &format!("the secret in {source}"))
    }

    /// Loads the secrets, from the profile's variables if neither option is given. Prints a note if
    /// the secret has whitespace around it, which is rarely meant, or if anyone could guess it.
    pub(super) fn load_all(
        &self,
        profile: &Profile,
        console: &Console,
    ) -> Result<Secrets, CommandError> {
        let variable = profile.secret_env.as_deref();
        let current = self.load_or(variable)?;
        if let Some(has) = surrounding_whitespace(current.expose_text()) {
            let source = self.describe(variable);
            console.reopened().note(&format!(
                "note: the secret in {source} {has}; aghook signs with it as it is"
            ));
        }
        let expired = profile.expired_secret_env.as_deref();
        let expired = expired.map(|name| expired_secret(name, &current));
        let expired = expired.transpose()?;
        let secrets = Secrets { current, expired };
        if secrets.guessed().is_some() {
            console.reopened().note(&format!(
                "note: anyone guesses the secret in {}; replace it before the game goes live",
                self.describe(variable)
            ));
        }
        Ok(secrets)
    }

    fn load_or(&self, default_variable: Option<&str>) -> Result<Secret, CommandError> {
        match &self.secret_file {
            Some(path) => from_file(path),
            None => from_variable(self.variable(default_variable)),
        }
    }

    pub(crate) fn is_given(&self) -> bool {
        self.secret_env.is_some() || self.secret_file.is_some()
    }

    pub(super) fn describe(&self, default_variable: Option<&str>) -> String {
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

/// The `secret_env` of the default profile, as far as the config file can be read.
fn variable_in_folder() -> Option<String> {
    let path = Path::new(Config::FILE_NAME);
    let config = path.exists().then(|| Config::read(path).ok())??;
    let (_, profile) = config.pick(None, Config::FILE_NAME).ok()?;
    profile.secret_env.clone()
}

fn surrounding_whitespace(secret: &str) -> Option<&'static str> {
    if secret.ends_with('\n') {
        Some("ends in a newline")
    } else if secret.ends_with(char::is_whitespace) {
        Some("ends in whitespace")
    } else {
        let starts = secret.starts_with(char::is_whitespace);
        starts.then_some("starts with whitespace")
    }
}

/// Reads a secret from an environment variable.
pub(crate) fn from_variable(name: &str) -> Result<Secret, CommandError> {
    from_variable_or(name, "use --secret-file FILE")
}

fn from_variable_or(name: &str, otherwise: &str) -> Result<Secret, CommandError> {
    let shown = printable(name);
    let refuse = |what: &str| CommandError::usage(format!("the secret variable {shown} {what}"));
    // Names that are invalid for a variable, such as one with `=`, are handled like unset ones.
    let error = match env::var(name).map(Secret::new) {
        Ok(Ok(secret)) => return Ok(secret),
        Ok(Err(_)) => refuse("is empty"),
        Err(VarError::NotPresent) => refuse("is not set"),
        Err(VarError::NotUnicode(_)) => return Err(refuse("is not valid UTF-8")),
    };
    Err(if shown == name {
        error.with_help(format!(
            "set it in the shell, for example with `read -rs {name}; export {name}`, or {otherwise}"
        ))
    } else {
        error.with_help(
            "pass the name of a variable, not the secret: `ps` and the shell history show the \
             command line",
        )
    })
}

/// Reads the secret that is not valid any more. A delivery signed with the current one would be genuine, so
/// a receiver that accepts it would be blamed.
fn expired_secret(name: &str, current: &Secret) -> Result<Secret, CommandError> {
    let expired = from_variable_or(name, "remove `expired_secret_env` from the profile")?;
    if expired.expose_bytes() == current.expose_bytes() {
        let message = format!(
            "the expired secret in {} is the current one",
            printable(name)
        );
        return Err(CommandError::usage(message).with_help(
            "set it to the previous secret, or remove `expired_secret_env` from the profile",
        ));
    }
    Ok(expired)
}

/// Reads a secret from a file and removes one trailing newline.
fn from_file(path: &Path) -> Result<Secret, CommandError> {
    let shown = printable_path(path);
    let refuse = |what: &str| CommandError::usage(format!("the secret file {shown} {what}"));
    let bytes = files::read_start(path, FILE_LIMIT)
        .map_err(|error| refuse(&format!("can't be read: {error}")))?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(refuse("is larger than 64 KiB"));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| refuse("is not valid UTF-8"))?;
    if let Some(line) = text.strip_suffix('\n') {
        text.truncate(line.strip_suffix('\r').unwrap_or(line).len());
    }
    Secret::new(text).map_err(|_| refuse("is empty"))
}

/// The name of a variable, or a placeholder if it may be the secret itself, passed by mistake.
pub(crate) fn printable(name: &str) -> &str {
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

/// The path of a file, or a placeholder if it may be the secret itself: the file does not exist, and
/// the text has neither a folder nor an extension.
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

    fn file_with(bytes: &[u8]) -> tempfile::TempPath {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("written");
        file.into_temp_path()
    }

    #[test]
    fn one_trailing_newline_of_a_file_is_removed() {
        for (bytes, secret) in [
            ("s3cret", "s3cret"),
            ("s3cret\n", "s3cret"),
            ("s3cret\r\n", "s3cret"),
            ("s3cret\n\n", "s3cret\n"),
            (" s3cret ", " s3cret "),
            ("\n\n", "\n"),
        ] {
            let loaded = from_file(&file_with(bytes.as_bytes())).expect("a secret");
            assert_eq!(loaded.expose_text(), secret);
        }
    }

    #[test]
    fn a_file_without_a_secret_is_refused() {
        let too_large = vec![b'x'; 64 * 1024 + 1];
        for (bytes, reason) in [
            (&b""[..], "is empty"),
            (b"\n", "is empty"),
            (b"\xff\xfe", "is not valid UTF-8"),
            (&too_large, "is larger than 64 KiB"),
        ] {
            let error = from_file(&file_with(bytes)).expect_err("refused");
            assert!(error.to_string().contains(reason), "{error}");
        }
        assert!(from_file(&file_with(&too_large[1..])).is_ok());
    }

    #[test]
    fn only_what_looks_like_a_variable_name_is_printed() {
        for name in ["AGHOOK_SECRET", "_X1", "SECRET"] {
            assert_eq!(printable(name), name);
        }
        let base32 = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
        for secret in ["", "whsec_abc", "1ABC", "A-B", "Pass", "A B", base32] {
            assert!(printable(secret).starts_with("(name hidden"), "{secret}");
        }
    }
}
