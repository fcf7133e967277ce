//! `aghook receive`: runs the built-in receiver and logs its requests.

use std::fmt;
use std::io::Write as _;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use http::StatusCode;

use super::interrupt::ended_by_user;
use super::listen_address::parse_address;
use super::secret_options::{self, SecretOptions, from_variable};
use super::{CommandError, ExitCode, InvalidValue};
use crate::policy::DurationText;
use crate::receiver::{
    BundleHandling, CreditedEvent, Decision, Flaw, ReceivedRequest, Receiver, ReceiverError,
    ReceiverSettings, Store, Variant,
};

/// Run the built-in receiver, a correct game back end that grants every coupon once
///
/// It is a test tool: its /debug endpoints, which show what a player holds, have no authentication.
/// It therefore listens on loopback only, unless --allow-remote is given. Stop it with Ctrl-C.
#[derive(Debug, Args)]
#[command(after_long_help = secret_options::SECRET_HELP)]
pub struct ReceiveOptions {
    /// Address and port to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090", value_parser = parse_address)]
    listen: SocketAddr,

    /// Number of instances, which share the ledger; the others listen on the next ports
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=16))]
    instances: u8,

    /// Path of the webhook
    #[arg(long, value_name = "PATH", default_value = ReceiverSettings::DEFAULT_PATH)]
    path: String,

    /// Store the ledger in this SQLite file, which is created if missing [default: in memory]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,

    /// Statuses of the first responses, such as 503,503,200; only a 2xx grants
    #[arg(long, value_name = "STATUS,…", value_delimiter = ',', value_parser = parse_status)]
    respond: Vec<StatusCode>,

    /// Maximum difference between a timestamp and this computer's clock, such as 5m or 90s
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    tolerance: DurationText,

    /// Grant the items in a bundle, or the bundle's own SKU
    #[arg(long, value_enum, default_value_t = Bundles::Nested)]
    bundles: Bundles,

    /// Event that credits a coupon; the other one is acknowledged
    #[arg(long, value_enum, value_name = "TYPE", default_value_t = Credited::CouponRedeemed)]
    credit_on: Credited,

    /// Grant the fallback item instead of this SKU (repeatable)
    #[arg(long, value_name = "SKU", num_args = 1..)]
    cannot_grant: Vec<String>,

    /// Grant items for sandbox events
    #[arg(long)]
    grant_sandbox: bool,

    /// Grant items for the dashboard's test events
    #[arg(long)]
    grant_test: bool,

    /// Simulate a bug of real receivers; see `aghook list --what flaws` (repeatable)
    #[arg(long = "flaw", value_name = "NAME", num_args = 1.., value_parser = flaw_parser())]
    #[arg(hide_possible_values = true)]
    flaws: Vec<Flaw>,

    /// Use another correct implementation choice; see `aghook list --what variants` (repeatable)
    #[arg(long = "variant", value_name = "NAME", num_args = 1.., value_parser = variant_parser())]
    #[arg(hide_possible_values = true)]
    variants: Vec<Variant>,

    /// Environment variable with the previous secret, for the flaw `expired_secret_accepted`
    #[arg(long, value_name = "VAR")]
    expired_secret_env: Option<String>,

    /// Delay between the grant and the response with the flaw `slow_answer`
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    answer_delay: DurationText,

    /// Crash at the N-th new delivery, before its response
    ///
    /// With the flaws `grant_before_key` and `key_before_grant`, the crash happens between their two
    /// transactions. Otherwise it happens after the single transaction.
    #[arg(long, value_name = "N")]
    crash_after: Option<NonZeroU64>,

    /// Allow --listen on an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,

    #[command(flatten)]
    secret: SecretOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bundles {
    /// Every plain item in the bundle, at any depth
    Nested,
    /// Each part of the bundle by its own SKU, even if it is a bundle itself
    Parts,
    /// The bundle's own SKU
    Sku,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Credited {
    /// The event of the redeemed coupon
    #[value(name = "coupon.redeemed")]
    CouponRedeemed,
    /// The event that adds items
    #[value(name = "item.add")]
    ItemAdd,
    /// Whichever arrives first
    Either,
}

pub(super) async fn receive(options: ReceiveOptions) -> Result<ExitCode, CommandError> {
    let counts = Arc::new(Mutex::new(RequestCounts::default()));
    let mut settings = options.settings()?;
    let observed = Arc::clone(&counts);
    settings.observer = Some(Arc::new(move |record: &ReceivedRequest| {
        let counts = observed.lock();
        counts.unwrap_or_else(PoisonError::into_inner).count(record);
        say(&request_line(record));
    }));
    let path = settings.path.clone();
    let (flaws, variants) = (settings.flaws.clone(), settings.variants.clone());
    let receiver = Receiver::bind(settings)
        .await
        .map_err(|error| explain(&error))?;
    let address = receiver.address();
    for address in receiver.addresses() {
        say(&format!("webhook  http://{address}{path}"));
    }
    say(&format!(
        "probe    http://{address}/debug/players/{{player_id}}/items/{{sku}}"
    ));
    for flaw in flaws {
        say(&format!("flaw     {flaw}: {}", flaw.about()));
    }
    for variant in variants {
        say(&format!("variant  {variant}: {}", variant.about()));
    }
    let served = receiver.serve(ended_by_user()).await;
    served.map_err(|error| explain(&error))?;
    let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    say(&counts.to_string());
    Ok(ExitCode::Success)
}

impl ReceiveOptions {
    fn settings(self) -> Result<ReceiverSettings, CommandError> {
        let secret = self.secret.load()?;
        let expired_secret = self.expired_secret_env.as_deref();
        Ok(ReceiverSettings {
            listen: self.listen,
            instances: self.instances,
            allow_remote: self.allow_remote,
            path: self.path,
            store: self.store.map_or(Store::Memory, Store::File),
            tolerance: self.tolerance.0,
            bundles: match self.bundles {
                Bundles::Nested => BundleHandling::Nested,
                Bundles::Parts => BundleHandling::Parts,
                Bundles::Sku => BundleHandling::Sku,
            },
            credit_on: match self.credit_on {
                Credited::CouponRedeemed => CreditedEvent::CouponRedeemed,
                Credited::ItemAdd => CreditedEvent::ItemAdd,
                Credited::Either => CreditedEvent::Either,
            },
            cannot_grant: self.cannot_grant.into_iter().collect(),
            grant_sandbox: self.grant_sandbox,
            grant_test: self.grant_test,
            respond: self.respond,
            flaws: self.flaws.into_iter().collect(),
            variants: self.variants.into_iter().collect(),
            expired_secret: expired_secret.map(from_variable).transpose()?,
            answer_delay: self.answer_delay.0,
            crash_after: self.crash_after,
            ..ReceiverSettings::new(secret)
        })
    }
}

/// Invalid settings are usage errors; all other errors mean that the receiver could not run.
fn explain(error: &ReceiverError) -> CommandError {
    let help = error.help();
    let option = match error {
        ReceiverError::Listen { .. } | ReceiverError::Ledger(_) => {
            return CommandError::not_completed(error).maybe_help(help);
        }
        ReceiverError::RemoteAddress(_) => " (--allow-remote)",
        ReceiverError::NoExpiredSecret => " (--expired-secret-env VAR)",
        ReceiverError::Path(_)
        | ReceiverError::ScriptedStatus(_)
        | ReceiverError::ConflictingFlaws(..)
        | ReceiverError::ConflictingVariants(..) => "",
    };
    CommandError::usage(error).maybe_help(help.map(|help| format!("{help}{option}")))
}

#[derive(Debug, Default)]
struct RequestCounts {
    requests: u64,
    granted: u64,
    not_granted: u64,
    redelivered: u64,
    refused: u64,
}

impl RequestCounts {
    fn count(&mut self, record: &ReceivedRequest) {
        self.requests += 1;
        match record.decision {
            Decision::Granted => self.granted += 1,
            Decision::Skipped(_) => self.not_granted += 1,
            Decision::Redelivery { .. } => self.redelivered += 1,
            Decision::Refused(_) => self.refused += 1,
            _ => {}
        }
    }
}

impl fmt::Display for RequestCounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} requests: {} granted, {} acknowledged without a grant, {} redeliveries, {} refused",
            self.requests, self.granted, self.not_granted, self.redelivered, self.refused,
        )
    }
}

/// One request on one line. Text from the peer is escaped, so that it can't add lines or control the
/// terminal.
fn request_line(record: &ReceivedRequest) -> String {
    let (status, path) = (record.status.as_u16(), record.path.escape_debug());
    let player = record.player_id.as_ref();
    let player = player.map_or_else(String::new, |player| format!(" player {player:?}"));
    // The reason of a refusal may quote the body.
    let decision = record.decision.to_string();
    let decision = decision.replace(char::is_control, "\u{fffd}");
    format!("{status} {} {path}{player}: {decision}", record.method)
}

/// Prints a line. The receiver keeps running if the reader, such as `head`, closes the pipe.
fn say(line: &str) {
    let mut output = anstream::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

/// Rejects an unknown name and suggests similar ones, as does `variant_parser`.
fn flaw_parser() -> impl TypedValueParser<Value = Flaw> {
    PossibleValuesParser::new(Flaw::ALL.map(Flaw::name))
        .try_map(|name| Flaw::from_name(&name).ok_or("unknown flaw"))
}

fn variant_parser() -> impl TypedValueParser<Value = Variant> {
    PossibleValuesParser::new(Variant::ALL.map(Variant::name))
        .try_map(|name| Variant::from_name(&name).ok_or("unknown variant"))
}

fn parse_status(text: &str) -> Result<StatusCode, InvalidValue> {
    text.trim()
        .parse()
        .ok()
        .filter(|status: &StatusCode| (200..600).contains(&status.as_u16()))
        .ok_or_else(|| InvalidValue::expected("a status from 200 to 599"))
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn text_from_the_peer_is_escaped() {
        let record = ReceivedRequest {
            method: Method::POST,
            path: "/webhooks/aghanim".to_owned(),
            player_id: Some("P1\n\u{1b}[2J".to_owned()),
            decision: Decision::Granted,
            status: StatusCode::OK,
        };
        assert_eq!(
            request_line(&record),
            r#"200 POST /webhooks/aghanim player "P1\n\u{1b}[2J": granted"#
        );
    }

    #[test]
    fn only_statuses_from_200_to_599_are_accepted() {
        assert_eq!(parse_status("503"), Ok(StatusCode::SERVICE_UNAVAILABLE));
        for invalid in ["", "100", "600", "ok"] {
            assert!(parse_status(invalid).is_err(), "{invalid}");
        }
    }
}
