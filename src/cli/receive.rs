//! `aghook receive`: the reference receiver on the command line. Nothing but wiring and lines.

use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use http::StatusCode;

use crate::cli::command_error::CommandError;
use crate::cli::exit_code::ExitCode;
use crate::cli::secret_options::{SecretOptions, from_variable};
use crate::receiver::{
    BundleHandling, Decision, Flaw, ReceivedRequest, Receiver, ReceiverError, ReceiverSettings,
    Store, Variant,
};
use crate::scenario::DurationText;

/// Run the reference receiver: a sound game back end that grants every coupon once
///
/// It is a test tool. Its /debug endpoints, by which a test sees what a player holds, ask for no
/// password, so it listens on loopback only unless it is told otherwise. It ends at Ctrl-C.
#[derive(Debug, Args)]
#[command(after_long_help = super::arguments::SECRET_HELP)]
pub struct ReceiveOptions {
    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090", value_parser = parse_address)]
    listen: SocketAddr,

    /// The path that takes deliveries
    #[arg(long, value_name = "PATH", default_value = ReceiverSettings::DEFAULT_PATH)]
    path: String,

    /// Keep the ledger in this file, which is made if there is none [default: in memory]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,

    /// Answer the first deliveries with these statuses; only what is answered with 2xx is granted
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = parse_status)]
    respond: Vec<StatusCode>,

    /// How far a signature's timestamp may be from this computer's clock, as 5m or 90s
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    tolerance: DurationText,

    /// Grant what is in a bundle, or the bundle's own SKU
    #[arg(long, value_enum, default_value_t = Bundles::Nested)]
    bundles: Bundles,

    /// An SKU that can't be granted, so that its item gives way to the fallback item (repeatable)
    #[arg(long, value_name = "SKU", num_args = 1..)]
    cannot_grant: Vec<String>,

    /// Let events of the sandbox environment change what a player holds
    #[arg(long)]
    grant_sandbox: bool,

    /// Let test events of the dashboard change what a player holds
    #[arg(long)]
    grant_test: bool,

    /// Show a bug that real receivers have; `aghook list --what flaws` names them (repeatable)
    #[arg(long = "flaw", value_name = "NAME", num_args = 1.., value_parser = flaw_parser())]
    #[arg(hide_possible_values = true)]
    flaws: Vec<Flaw>,

    /// Differ as other sound receivers do; `aghook list --what variants` names the ways (repeatable)
    #[arg(long = "variant", value_name = "NAME", num_args = 1.., value_parser = variant_parser())]
    #[arg(hide_possible_values = true)]
    variants: Vec<Variant>,

    /// The environment variable that holds the secret before the present one, for the flaw
    /// `expired_secret_accepted`
    #[arg(long, value_name = "VAR")]
    expired_secret_env: Option<String>,

    /// How long the flaw `slow_answer` waits between the grant and the answer
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    answer_delay: DurationText,

    /// Crash while the N-th new delivery is written down, before its answer: between the two
    /// transactions of the flaws `grant_before_key` and `key_before_grant`, after the only one
    /// otherwise
    #[arg(long, value_name = "N")]
    crash_after: Option<NonZeroU64>,

    /// Allow an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,

    #[command(flatten)]
    secret: SecretOptions,
}

/// An address and a port. `localhost` is this machine by its IPv4 address, whatever else the name
/// stands for here.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let address = match host {
        "localhost" => format!("127.0.0.1:{port}"),
        _ => text.to_owned(),
    };
    address.parse().map_err(|_| {
        "expected an IP address and a port, as in `127.0.0.1:8090`, `localhost:8090` or \
         `[::1]:8090`"
            .to_owned()
    })
}

/// What a bundle stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bundles {
    /// Every plain item inside it, at any depth
    Nested,
    /// The bundle's own SKU
    Sku,
}

/// Runs the receiver until Ctrl-C.
pub(super) async fn receive(options: ReceiveOptions) -> Result<ExitCode, CommandError> {
    let log = Arc::new(Log::default());
    let mut settings = options.settings()?;
    let told = Arc::clone(&log);
    settings.observer = Some(Arc::new(move |record: &ReceivedRequest| told.tell(record)));
    let path = settings.path.clone();
    let (flaws, variants) = (settings.flaws.clone(), settings.variants.clone());
    let receiver = Receiver::bind(settings)
        .await
        .map_err(|error| explain(&error))?;
    let address = receiver.address();
    say(&format!("webhook  http://{address}{path}"));
    say(&format!(
        "probe    http://{address}/debug/players/{{player_id}}/items/{{sku}}"
    ));
    for flaw in flaws {
        say(&format!("flaw     {flaw}: {}", flaw.about()));
    }
    for variant in variants {
        say(&format!("variant  {variant}: {}", variant.about()));
    }
    receiver
        .serve(interrupted())
        .await
        .map_err(|error| explain(&error))?;
    say(&log.summary());
    Ok(ExitCode::ChecksHeld)
}

impl ReceiveOptions {
    fn settings(self) -> Result<ReceiverSettings, CommandError> {
        let mut settings = ReceiverSettings::new(self.secret.load()?);
        settings.listen = self.listen;
        settings.allow_remote = self.allow_remote;
        settings.path = self.path;
        settings.store = self.store.map_or(Store::Memory, Store::File);
        settings.tolerance = self.tolerance.0;
        settings.bundles = match self.bundles {
            Bundles::Nested => BundleHandling::Nested,
            Bundles::Sku => BundleHandling::Sku,
        };
        settings.cannot_grant = self.cannot_grant.into_iter().collect();
        settings.grant_sandbox = self.grant_sandbox;
        settings.grant_test = self.grant_test;
        settings.respond = self.respond;
        settings.flaws = self.flaws.into_iter().collect();
        settings.variants = self.variants.into_iter().collect();
        settings.expired_secret = self
            .expired_secret_env
            .as_deref()
            .map(from_variable)
            .transpose()?;
        settings.answer_delay = self.answer_delay.0;
        settings.crash_after = self.crash_after;
        Ok(settings)
    }
}

/// Completes on Ctrl-C. Where the signal can't be listened for, Ctrl-C ends the program as usual.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A flaw of the settings is the command line's; anything else keeps the receiver from its work.
fn explain(error: &ReceiverError) -> CommandError {
    let help = error.help();
    let message = error.to_string();
    match error {
        ReceiverError::RemoteAddress(_) => {
            CommandError::usage(message, help.map(|help| format!("{help} (--allow-remote)")))
        }
        ReceiverError::NoExpiredSecret => {
            let option = |help| format!("{help} (--expired-secret-env VAR)");
            CommandError::usage(message, help.map(option))
        }
        ReceiverError::Path(_)
        | ReceiverError::ScriptedStatus(_)
        | ReceiverError::ConflictingFlaws(..)
        | ReceiverError::ConflictingVariants(..) => CommandError::usage(message, help),
        ReceiverError::Listen { .. } | ReceiverError::Ledger(_) => {
            CommandError::not_completed(message, help)
        }
    }
}

/// Counts what it prints.
#[derive(Debug, Default)]
struct Log {
    requests: AtomicU64,
    granted: AtomicU64,
    skipped: AtomicU64,
    redelivered: AtomicU64,
    refused: AtomicU64,
}

impl Log {
    fn tell(&self, record: &ReceivedRequest) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(counter) = self.counter(&record.decision) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        say(&Line(record).to_string());
    }

    fn counter(&self, decision: &Decision) -> Option<&AtomicU64> {
        match decision {
            Decision::Granted => Some(&self.granted),
            Decision::Skipped(_) => Some(&self.skipped),
            Decision::Redelivery { .. } => Some(&self.redelivered),
            Decision::Refused(_) => Some(&self.refused),
            _ => None,
        }
    }

    fn summary(&self) -> String {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        format!(
            "{} requests: {} granted, {} acknowledged without a grant, {} redeliveries, {} refused",
            count(&self.requests),
            count(&self.granted),
            count(&self.skipped),
            count(&self.redelivered),
            count(&self.refused),
        )
    }
}

/// One request on one line. What the peer chose is escaped, so that it can neither break the line
/// nor steer the terminal.
struct Line<'a>(&'a ReceivedRequest);

impl fmt::Display for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.0;
        let path = record.path.escape_debug();
        write!(
            formatter,
            "{} {} {path}",
            record.status.as_u16(),
            record.method
        )?;
        if let Some(player_id) = &record.player_id {
            write!(formatter, " player {player_id:?}")?;
        }
        // A refusal may quote the body.
        let decision = record.decision.to_string();
        let decision = decision.replace(char::is_control, "\u{fffd}");
        write!(formatter, ": {decision}")
    }
}

/// Prints a line. A reader that went away, as `head` does, is no reason to stop receiving.
fn say(line: &str) {
    let mut output = anstream::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

/// Refuses an unknown name with the nearest ones.
fn flaw_parser() -> impl TypedValueParser<Value = Flaw> {
    PossibleValuesParser::new(Flaw::ALL.map(Flaw::name))
        .try_map(|name| Flaw::from_name(&name).ok_or("there is no such flaw"))
}

/// Refuses an unknown name with the nearest ones.
fn variant_parser() -> impl TypedValueParser<Value = Variant> {
    PossibleValuesParser::new(Variant::ALL.map(Variant::name))
        .try_map(|name| Variant::from_name(&name).ok_or("there is no such variant"))
}

fn parse_status(text: &str) -> Result<StatusCode, String> {
    text.trim()
        .parse()
        .ok()
        .filter(|status: &StatusCode| (200..600).contains(&status.as_u16()))
        .ok_or_else(|| "a status from 200 to 599 was expected".to_owned())
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn a_line_can_not_be_broken_by_the_peer() {
        let record = ReceivedRequest {
            method: Method::POST,
            path: "/webhooks/aghanim".to_owned(),
            player_id: Some("P1\n\u{1b}[2J".to_owned()),
            decision: Decision::Granted,
            status: StatusCode::OK,
        };
        assert_eq!(
            Line(&record).to_string(),
            r#"200 POST /webhooks/aghanim player "P1\n\u{1b}[2J": granted"#
        );
    }

    #[test]
    fn a_status_that_can_not_be_scripted_is_refused() {
        assert_eq!(parse_status("503"), Ok(StatusCode::SERVICE_UNAVAILABLE));
        for bad in ["", "100", "600", "ok"] {
            assert!(parse_status(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn localhost_is_an_address_and_other_names_are_none() {
        let address = |text: &str| parse_address(text).map(|address| address.to_string());
        assert_eq!(address("localhost:80").as_deref(), Ok("127.0.0.1:80"));
        assert_eq!(address("[::1]:0").as_deref(), Ok("[::1]:0"));
        for text in [
            "localhost",
            "localhost:",
            "game.localhost:80",
            "127.0.0.1",
            "",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
