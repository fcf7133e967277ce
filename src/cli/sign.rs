//! `aghook sign`: the signature headers for a body.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};
use url::Url;

use super::body_file::BodyFile;
use super::clock;
use super::command_error::CommandError;
use super::console::Console;
use super::curl_command::curl_command;
use super::secret_options::SecretOptions;
use super::{ExitCode, arguments};
use crate::protocol::{Signer, request_headers};

/// Print the signature headers for a body
///
/// Signs the body as Aghanim does: lowercase hex of HMAC-SHA256 over the timestamp, a dot and the
/// body's bytes, with the webhook's secret as the key.
#[derive(Debug, Args)]
#[command(after_long_help = arguments::SECRET_HELP)]
pub struct Sign {
    #[command(flatten)]
    body: BodyFile,

    #[command(flatten)]
    secret: SecretOptions,

    /// The time to sign, in Unix seconds [default: now]
    #[arg(long, value_name = "UNIX_SECONDS")]
    timestamp: Option<u64>,

    /// Print a Host header as well
    #[arg(long, value_name = "HOST")]
    host: Option<String>,

    /// What to print
    #[arg(long = "as", value_name = "FORM", default_value = "headers")]
    form: Form,

    /// Where the curl command sends the request
    #[arg(long, value_name = "URL", required_if_eq("form", "curl"))]
    target: Option<Url>,
}

/// What `aghook sign` prints.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// One `Name: value` a line
    Headers,
    /// A curl command for a POSIX shell that sends the request to `--target`
    Curl,
    /// A JSON object of the headers
    Json,
    /// The signature alone
    Signature,
}

impl Sign {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let secret = self.secret.load()?;
        let body = self.body.read(console)?;
        let timestamp = self.timestamp.unwrap_or_else(clock::unix_seconds);
        let signature = Signer::new(&secret).sign(timestamp, &body);
        let host = self.host.as_deref();
        let mut headers = request_headers(host.unwrap_or_default(), timestamp, &signature);
        headers.retain(|(name, _)| host.is_some() || *name != "Host");
        if headers
            .iter()
            .any(|(_, value)| value.contains(char::is_control))
        {
            return Err(CommandError::usage(
                "--host can't hold control characters",
                None,
            ));
        }
        match (self.form, &self.target) {
            (Form::Signature, _) => writeln!(console, "{signature}")?,
            (Form::Headers, _) => {
                for (name, value) in headers {
                    writeln!(console, "{name}: {value}")?;
                }
            }
            (Form::Json, _) => {
                let object: Map<String, Value> = headers
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.into()))
                    .collect();
                writeln!(console, "{:#}", Value::Object(object))?;
            }
            (Form::Curl, Some(target)) => {
                if !matches!(target.scheme(), "http" | "https") {
                    return Err(CommandError::usage(
                        format!("--target must be an http or https URL, not {target}"),
                        None,
                    ));
                }
                let command = curl_command(target.as_str(), &headers, &body, self.body.path())?;
                writeln!(console, "{command}")?;
            }
            (Form::Curl, None) => {
                return Err(CommandError::usage("--as curl needs --target URL", None));
            }
        }
        console.flush()?;
        Ok(ExitCode::ChecksHeld)
    }
}
