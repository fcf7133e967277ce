//! `aghook verify`: checks a signature, and explains a mismatch.

mod signed_file;

use std::io::Write as _;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde_json::json;

use super::body_file::BodyFile;
use super::header_lines::HeaderLines;
use super::numbers;
use super::secret_options::{self, SecretOptions};
use super::{CommandError, Console, ExitCode};
use crate::delivery::Clock;
use crate::diagnose::{
    Diagnosis, Mistake, Received, SignatureVerdict, SignedText, TimestampConcern,
    compare_signed_text, diagnose, timestamp_concern,
};
use crate::protocol::{SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const STRONG: Style = Style::new().bold();

/// Check a signature, and explain why it does not match
///
/// If the signature does not match, tries common mistakes and pairs of them, each also with a mistake in
/// how the signature is written (such as uppercase hex), and explains how to fix those that produce
/// this signature. Save the body as raw bytes: a copy from a log or a debugger often differs.
///
/// With --signed, also shows where the text that your receiver signed differs from the one that it should
/// sign.
///
/// Exits with 0 if the signature and the signed text match, 1 if one does not, and 2 if the command line or a file is
/// invalid.
#[derive(Debug, Args)]
#[command(after_long_help = secret_options::SECRET_HELP)]
pub struct Verify {
    #[command(flatten)]
    body: BodyFile,

    /// Value of X-Aghanim-Signature, or the signature that your receiver computed, to find its mistake;
    /// required without --headers
    #[arg(long, value_name = "HEX")]
    signature: Option<String>,

    /// Value of X-Aghanim-Signature-Timestamp, in Unix seconds; required without --headers
    #[arg(long, value_name = "UNIX_SECONDS", allow_hyphen_values = true)]
    timestamp: Option<String>,

    /// File with header lines (`Name: value`), such as from a log; --signature and --timestamp take
    /// precedence
    #[arg(long, value_name = "FILE")]
    headers: Option<PathBuf>,

    /// File with the text that your receiver signed, up to 4 MiB, to show where it differs from
    /// `{timestamp}.{body}`
    #[arg(long, value_name = "FILE")]
    signed: Option<PathBuf>,

    #[command(flatten)]
    secret: SecretOptions,

    /// Environment variable with another secret to try, such as an expired one (repeatable)
    #[arg(long, value_name = "VAR")]
    also_secret_env: Vec<String>,

    /// Time at which to compute the timestamp's age, in Unix seconds [default: the current time]
    #[arg(long, value_name = "UNIX_SECONDS", value_parser = numbers::unix_seconds)]
    now: Option<u64>,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

struct VerifyResult {
    diagnosis: Diagnosis,
    concern: Option<TimestampConcern>,
    secret: Option<String>,
    body_length: usize,
    signed: Option<SignedText>,
}

impl Verify {
    /// A missing option is a usage error. A header that is missing in the headers file is part of
    /// the diagnosis.
    fn check_headers(&self) -> Result<(), CommandError> {
        let missing = match (&self.headers, &self.signature, &self.timestamp) {
            (Some(_), ..) | (None, Some(_), Some(_)) => return Ok(()),
            (None, None, None) => "the signature and the timestamp are missing",
            (None, None, Some(_)) => "the signature is missing",
            (None, Some(_), None) => "the timestamp is missing",
        };
        let help = "pass `--signature HEX --timestamp SECONDS`, or `--headers FILE` with the \
                    request's header lines from a log";
        Err(CommandError::usage(missing).with_help(help))
    }

    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        self.check_headers()?;
        let (secret, secret_source) = self.secret.load_in_folder()?;
        let others = self.also_secret_env.iter();
        let others = others.map(|name| secret_options::from_variable(name));
        let others: Vec<Secret> = others.collect::<Result<_, _>>()?;
        let headers = self.headers.as_deref().map(HeaderLines::read).transpose()?;
        let headers = headers.unwrap_or_default();
        let signature = self.signature.or_else(|| headers.value(SIGNATURE_HEADER));
        let timestamp = self.timestamp.or_else(|| headers.value(TIMESTAMP_HEADER));
        let body = self.body.read(console)?;
        let received = Received {
            signature: signature.as_deref().map(str::as_bytes),
            timestamp: timestamp.as_deref().map(str::as_bytes),
            body: &body,
        };
        let diagnosis = diagnose(&received, &secret, &others);
        let signed = self.signed.as_deref().map(|path| {
            let signed = signed_file::read(path)?;
            compare_signed_text(&received, &secret, &others, &signed).ok_or_else(|| {
                CommandError::usage("`--signed` needs the timestamp")
                    .with_help("pass `--timestamp SECONDS`")
            })
        });
        let now = self.now.unwrap_or_else(|| Clock::system().unix_seconds());
        // Index 0 is the main secret.
        let name = |index: usize| match index.checked_sub(1) {
            None => Some(secret_source.clone()),
            Some(index) => {
                let name = self.also_secret_env.get(index)?;
                Some(secret_options::printable(name).to_owned())
            }
        };
        let result = VerifyResult {
            concern: received
                .timestamp
                .and_then(|timestamp| timestamp_concern(timestamp, now))
                // Without a match, only a timestamp that no sender sends is worth a warning.
                .filter(|concern| {
                    diagnosis.verdict == SignatureVerdict::Matches
                        || *concern == TimestampConcern::NotANumber
                }),
            secret: diagnosis.secret.and_then(name),
            body_length: body.len(),
            diagnosis,
            signed: signed.transpose()?,
        };
        if self.json {
            writeln!(console, "{:#}", result.to_json())?;
        } else {
            result.print(console)?;
        }
        Ok(if result.matches() && !result.signs_another_text() {
            ExitCode::Success
        } else {
            ExitCode::CheckFailed
        })
    }
}

impl VerifyResult {
    fn matches(&self) -> bool {
        self.diagnosis.verdict == SignatureVerdict::Matches
    }

    fn signs_another_text(&self) -> bool {
        let signed = self.signed.as_ref();
        signed.is_some_and(|signed| signed.difference.is_some())
    }

    fn print(&self, console: &mut Console) -> Result<(), CommandError> {
        match &self.diagnosis.verdict {
            SignatureVerdict::Matches => writeln!(
                console,
                "{GOOD}The signature matches{GOOD:#} the secret, the timestamp and the body of \
                 {} bytes.\nIf the receiver refused it nevertheless, log the body before anything parses it, \
                 and pass the signature that it received.",
                self.body_length
            )?,
            SignatureVerdict::Mistaken(mistakes) => {
                writeln!(console, "{BAD}The signature does not match.{BAD:#}")?;
                if mistakes.len() > 1 {
                    let line = "Several mistakes together explain it. Fix all of them:";
                    writeln!(console, "{line}")?;
                }
                print_mistakes(console, mistakes)?;
                if let Some(secret) = &self.secret {
                    writeln!(console, "\nSigned with the secret in: {secret}")?;
                }
            }
            SignatureVerdict::Unexplained => {
                writeln!(console, "{BAD}The signature does not match.{BAD:#}")?;
                if !self.signs_another_text() {
                    self.print_next_steps(console)?;
                }
            }
        }
        if let Some(signed) = &self.signed {
            signed_file::print(console, signed, &self.diagnosis.verdict)?;
        }
        if let Some(concern) = self.concern {
            writeln!(console, "{WARNING}warning:{WARNING:#} {concern}")?;
        }
        Ok(())
    }

    fn print_next_steps(&self, console: &mut Console) -> Result<(), CommandError> {
        writeln!(
            console,
            "No common mistake or pair of mistakes explains it ({} signatures tried).",
            self.diagnosis.tried
        )?;
        for what in &self.diagnosis.not_tried {
            writeln!(console, "Not tried, because the body is too long: {what}.")?;
        }
        writeln!(
            console,
            "\nNext steps:\n  \
             1. The secret: is it the current secret of this webhook and environment? Try others \
             with --also-secret-env.\n  \
             2. The body ({}): was it saved as raw bytes, before it was parsed or logged?\n  \
             3. Do the signature, the timestamp and the body come from the same request?",
            match self.body_length {
                0 => "empty; pass its file, or pipe it to standard input".to_owned(),
                length => format!("{length} bytes"),
            }
        )?;
        Ok(())
    }

    fn to_json(&self) -> serde_json::Value {
        let mistakes = match &self.diagnosis.verdict {
            SignatureVerdict::Mistaken(mistakes) => mistakes.as_slice(),
            SignatureVerdict::Matches | SignatureVerdict::Unexplained => &[],
        };
        let concern = self.concern.iter();
        let warnings: Vec<_> = concern
            .map(|concern| json!({"name": concern.name(), "message": concern.to_string()}))
            .collect();
        json!({
            "matches": self.matches(),
            "mistakes": mistakes,
            "secret": self.secret,
            "warnings": warnings,
            "signatures_tried": self.diagnosis.tried,
            "not_tried": self.diagnosis.not_tried,
            "body_bytes": self.body_length,
            "signed_text": self.signed.as_ref().map(signed_file::to_json),
        })
    }
}

fn print_mistakes(console: &mut Console, mistakes: &[Mistake]) -> Result<(), CommandError> {
    for mistake in mistakes {
        let (name, happened, fix) = (&mistake.name, &mistake.happened, &mistake.fix);
        writeln!(console, "\n{STRONG}{name}{STRONG:#}: {happened}")?;
        writeln!(console, "  {STRONG}fix:{STRONG:#} {fix}")?;
    }
    Ok(())
}
