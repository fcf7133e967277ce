//! `aghook sign`: prints the signature headers of a request body.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};
use url::Url;

use super::body_file::BodyFile;
use super::curl_command::curl_command;
use super::numbers;
use super::secret_options::{self, SecretOptions};
use super::{CommandError, Console, ExitCode};
use crate::delivery::Clock;
use crate::protocol::{Signer, request_headers};

/// Print the signature headers of a request body
///
/// Signs the body as Aghanim does: with HMAC-SHA256 over the timestamp, a dot and the body, keyed
/// with the webhook's secret, in lowercase hex.
#[derive(Debug, Args)]
#[command(after_long_help = secret_options::SECRET_HELP)]
pub struct Sign {
    #[command(flatten)]
    body: BodyFile,

    #[command(flatten)]
    secret: SecretOptions,

    /// Timestamp to sign, in Unix seconds [default: now]
    #[arg(long, value_name = "UNIX_SECONDS", value_parser = numbers::unix_seconds)]
    timestamp: Option<u64>,

    /// Also print a Host header
    #[arg(long, value_name = "HOST")]
    host: Option<String>,

    /// Output format
    #[arg(long = "as", value_name = "FORM", default_value = "headers")]
    format: SignFormat,

    /// URL for the curl command
    #[arg(long, value_name = "URL", required_if_eq("format", "curl"))]
    target: Option<Url>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SignFormat {
    /// One `Name: value` per line
    Headers,
    /// A curl command for a POSIX shell that sends the request to --target
    Curl,
    /// A JSON object with the headers
    Json,
    /// Only the signature
    Signature,
}

impl Sign {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let (secret, _) = self.secret.load_in_folder()?;
        let body = self.body.read(console)?;
        let timestamp = self
            .timestamp
            .unwrap_or_else(|| Clock::system().unix_seconds());
        let signature = Signer::new(&secret).sign(timestamp, &body);
        let host = self.host.as_deref();
        let mut headers = request_headers(host.unwrap_or_default(), timestamp, &signature);
        headers.retain(|(name, _)| host.is_some() || *name != "Host");
        if headers
            .iter()
            .any(|(_, value)| value.contains(char::is_control))
        {
            return Err(CommandError::usage(
                "--host can't contain control characters",
            ));
        }
        match (self.format, &self.target) {
            (SignFormat::Signature, _) => writeln!(console, "{signature}")?,
            (SignFormat::Headers, _) => {
                for (name, value) in headers {
                    writeln!(console, "{name}: {value}")?;
                }
            }
            (SignFormat::Json, _) => {
                let object: Map<String, Value> = headers
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.into()))
                    .collect();
                writeln!(console, "{:#}", Value::Object(object))?;
            }
            (SignFormat::Curl, Some(target)) => {
                if !matches!(target.scheme(), "http" | "https") {
                    return Err(CommandError::usage(format!(
                        "--target must be an http or https URL, not {target}"
                    )));
                }
                let path = self.body.path();
                let command = curl_command(target.as_str(), &headers, &[], &body, path)?;
                writeln!(console, "{command}")?;
            }
            (SignFormat::Curl, None) => {
                return Err(CommandError::usage("--as curl needs --target URL"));
            }
        }
        Ok(ExitCode::Success)
    }
}
