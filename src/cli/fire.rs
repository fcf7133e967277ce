//! `aghook fire`: sends a single custom event.

use std::io::Write;
use std::num::NonZeroU32;

use clap::{Args, ValueEnum};

use super::command_error::CommandError;
use super::console::Console;
use super::curl_command::{curl_command, session_options};
use super::event_options::EventOptions;
use super::invalid_value::InvalidValue;
use super::numbers;
use super::secret_options::{self, SecretOptions};
use super::target_options::TargetOptions;
use super::{ExitCode, block_on};
use crate::delivery::{
    Clock, DeliveryPlan, ForgeInput, Sender, SignedRequest, TimestampAllocator, deliver, forge,
    sign,
};
use crate::generate::{Generator, Seed, StartTime};
use crate::policy::{Forgery, RetryPolicy, RetrySetting};
use crate::probe::{PreparedHeaders, REDACTED, Redaction};
use crate::report::FireReport;
use crate::run::{
    AttemptLocation, PlannedEvent, RunOptions, Session, SessionError, attempt_record,
};
use crate::scenario::document::nearest;
use crate::transport::{RateLimit, Target};
use crate::verify::{DeliveryVerdict, Verdict};

/// Send a custom event and show the response
///
/// Prints the request, every response and the verdict.
///
/// Exits with 0 if the event was accepted (2xx) or the forgery was refused (4xx), 1 if not, 2 if the
/// command line or a file is invalid, and 3 if the target could not be reached.
#[derive(Debug, Args)]
#[command(after_long_help = secret_options::SECRET_HELP)]
pub struct Fire {
    /// Send a forgery instead of the event; see `aghook list --what forgeries`
    #[arg(long, value_name = "NAME", value_parser = parse_forgery)]
    forge: Option<Forgery>,

    /// Deliver each event N times
    #[arg(long, value_name = "N", default_value = "1", value_parser = numbers::repetitions)]
    times: NonZeroU32,

    /// Do not retry
    #[arg(long)]
    no_retry: bool,

    /// Print the request without sending it
    #[arg(long)]
    dry_run: bool,

    /// Output format of --dry-run
    #[arg(
        long = "as",
        value_name = "FORM",
        default_value = "http",
        requires = "dry_run"
    )]
    format: FireFormat,

    #[command(flatten)]
    event: EventOptions,

    #[command(flatten)]
    target: TargetOptions,

    #[command(flatten)]
    secret: SecretOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FireFormat {
    /// The whole HTTP request
    Http,
    /// A curl command for a POSIX shell
    Curl,
    /// Only the body; needs no secret and no target
    Json,
}

fn parse_forgery(text: &str) -> Result<Forgery, InvalidValue> {
    let known = || Forgery::ALL.iter().map(|forgery| forgery.name());
    let found = Forgery::ALL.iter().find(|forgery| forgery.name() == text);
    found.copied().ok_or_else(|| match nearest(text, known()) {
        Some(name) => InvalidValue::new(format!("did you mean `{name}`?")),
        None => InvalidValue::new(format!("known: {}", known().collect::<Vec<_>>().join(", "))),
    })
}

impl Fire {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let start = StartTime::now();
        let chosen = self
            .target
            .session(RunOptions::starting_at(start), console)?;
        self.check_forgery(&chosen)?;
        let events = self.event.generate(&chosen.profile)?;
        if self.dry_run {
            return self.print(&chosen, &events, &mut console.unstyled());
        }
        let target = chosen.target()?.clone();
        let secrets = self.secret.load_all(&chosen.profile, console)?;
        let (signer, expired) = (secrets.signer(), secrets.expired_signer());
        let PreparedHeaders { headers, redaction } =
            PreparedHeaders::new(&chosen.headers).map_err(SessionError::from)?;
        let redaction = redaction.and([&Redaction::new(secrets.all())]);
        block_on(async {
            self.target.reach(&chosen.client, &target).await?;
            let (clock, timestamps) = (Clock::system(), TimestampAllocator::default());
            let rate_limit = chosen.profile.max_rate.map(RateLimit::new);
            let sender = Sender {
                client: &chosen.client,
                clock: &clock,
                signer: &signer,
                expired: expired.as_ref(),
                headers: &headers,
                timestamps: &timestamps,
                rate_limit: rate_limit.as_ref(),
            };
            self.send(
                sender,
                &target,
                &self.policy(&chosen),
                &events,
                &redaction,
                console,
            )
            .await
        })
    }

    async fn send(
        &self,
        sender: Sender<'_>,
        target: &Target,
        policy: &RetryPolicy,
        events: &[PlannedEvent],
        redaction: &Redaction,
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        let seed = Seed::of_text("fire");
        let start = StartTime::now();
        let mut random = seed.random();
        let mut report = FireReport::new(console);
        let (mut all, mut as_expected, mut unknown) = (0, 0, 0);
        let deliveries = events
            .iter()
            .flat_map(|event| (0..self.times.get()).map(move |_| event));
        for (index, event) in deliveries.enumerate() {
            let plan = DeliveryPlan {
                forgery: self.forge,
                event_ids: Some(Generator::new(seed.derive(&index.to_string()), start)),
                ..DeliveryPlan::new(target, event.body.clone(), policy)
            };
            let place = AttemptLocation {
                scenario: 1,
                step: 1,
                delivery: index + 1,
            };
            let mut written = Ok(());
            let delivery = deliver(sender, plan, &mut random, |attempt| {
                let record = attempt_record(place, "event", attempt, redaction);
                if written.is_ok() {
                    written = report.attempt(&record);
                }
            })
            .await;
            written?;
            let Some(judged) = DeliveryVerdict::new(self.forge, &delivery) else {
                continue;
            };
            all += 1;
            match judged.verdict {
                Verdict::Passed => as_expected += 1,
                Verdict::Broken => unknown += 1,
                _ => {}
            }
            let last = delivery.attempts.last();
            let failure = last.and_then(|attempt| attempt.exchange.result.as_ref().err());
            let better = match failure {
                Some(failure) => sender.client.explain_closed(target, failure).await,
                None => None,
            };
            let (message, help) = match &better {
                Some(failure) => (failure.to_string(), Some(failure.hint())),
                None => (judged.message, judged.help.as_deref()),
            };
            report.verdict(judged.verdict, &redaction.text(&message), help)?;
        }
        report.ended(all, as_expected)?;
        Ok(if as_expected + unknown < all {
            ExitCode::CheckFailed
        } else if unknown > 0 {
            ExitCode::NotCompleted
        } else {
            ExitCode::Success
        })
    }

    /// The profile's retry policy. A forgery is never retried, because an attacker would not retry.
    fn policy(&self, chosen: &Session) -> RetryPolicy {
        let policy = chosen.profile.retry_policy();
        if self.no_retry || self.forge.is_some() {
            return RetrySetting::Off.over(&policy);
        }
        policy
    }

    /// Without the old secret, the forgery `expired_secret` can't be sent.
    fn check_forgery(&self, chosen: &Session) -> Result<(), CommandError> {
        if self.forge != Some(Forgery::ExpiredSecret) || chosen.profile.expired_secret_env.is_some()
        {
            return Ok(());
        }
        Err(CommandError::without_expired_secret(
            "a profile of aghook.yaml",
        ))
    }

    fn print(
        &self,
        chosen: &Session,
        events: &[PlannedEvent],
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        for event in events {
            if self.format == FireFormat::Json {
                console.write_all(&event.body)?;
                writeln!(console)?;
                continue;
            }
            let target = chosen.target()?;
            let signed = self.sign(chosen, target, event, console)?;
            if self.format == FireFormat::Curl {
                let mut headers = signed.headers.clone();
                // curl derives it from the URL.
                headers.retain(|(name, _)| *name != "Host");
                writeln!(
                    console,
                    "{}",
                    curl_command(
                        target.as_str(),
                        &headers,
                        &session_options(chosen, target)?,
                        &signed.body,
                        None
                    )?
                )?;
                continue;
            }
            writeln!(console, "POST {} HTTP/1.1", target.path_and_query())?;
            for (name, value) in &signed.headers {
                writeln!(console, "{name}: {value}")?;
            }
            for (name, _) in chosen.headers.iter() {
                writeln!(console, "{name}: {REDACTED}")?;
            }
            writeln!(console, "Content-Length: {}\n", signed.body.len())?;
            console.write_all(&signed.body)?;
            writeln!(console)?;
        }
        console.flush()?;
        Ok(ExitCode::Success)
    }

    fn sign(
        &self,
        chosen: &Session,
        target: &Target,
        event: &PlannedEvent,
        console: &Console,
    ) -> Result<SignedRequest, CommandError> {
        let secrets = self.secret.load_all(&chosen.profile, console)?;
        let (signer, expired) = (secrets.signer(), secrets.expired_signer());
        let input = ForgeInput {
            host: target.authority(),
            body: &event.body,
            timestamp: Clock::system().unix_seconds(),
            signer: &signer,
            expired: expired.as_ref(),
        };
        Ok(match self.forge {
            Some(forgery) => forge(forgery, &input, &mut Seed::of_text("fire").random()),
            None => sign(&input),
        })
    }
}
