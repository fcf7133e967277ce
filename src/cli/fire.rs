//! `aghook fire`: sends a single custom event.

mod contents;
mod quantities;

use std::io::Write;
use std::num::NonZeroU32;

use clap::{Args, ValueEnum};

use super::curl_command::{curl_command, session_options};
use super::event_options::EventOptions;
use super::invalid_value::suggestion;
use super::numbers;
use super::secret_options::{self, SecretOptions};
use super::target_options::TargetOptions;
use super::{CommandError, Console, ExitCode, InvalidValue, block_on};
use crate::delivery::{DeliveryPlan, ForgeInput, SignedRequest, deliver, forge, sign};
use crate::diagnose::MARK_BUNDLES;
use crate::generate::{Generator, Seed, StartTime};
use crate::policy::{Forgery, RetrySetting};
use crate::probe::REDACTED;
use crate::report::FireReport;
use crate::run::{AttemptLocation, PlannedEvent, RunContext, RunOptions, Session, attempt_record};
use crate::scenario::Hooks;
use crate::verify::{DeliveryVerdict, Verdict};
use quantities::QuantityReader;

/// Send a custom event and show the response
///
/// Prints the request and every response in a few lines, then the verdict, and how the quantities
/// that the player holds changed, if the profile has the probe `quantity`. For a bundle or a fallback, also
/// whether exactly its contents were granted.
///
/// Exits with 0 if the event was accepted (2xx) or the forgery was refused (4xx), 1 if not or if other
/// contents of a bundle were granted, 2 if the
/// command line or a file is invalid, and 3 if the target could not be reached or
/// the probe does not work.
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

    /// Show every request and response in full
    #[arg(short, long)]
    verbose: bool,

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
    let known = Forgery::ALL.iter().map(|forgery| forgery.name());
    let found = Forgery::ALL.iter().find(|forgery| forgery.name() == text);
    found
        .copied()
        .ok_or_else(|| InvalidValue::new(suggestion(text, known)))
}

impl Fire {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let options = RunOptions::starting_at(StartTime::now());
        let session = self.target.session(options, console)?;
        if self.forge == Some(Forgery::ExpiredSecret)
            && session.profile.expired_secret_env.is_none()
        {
            let profile = "a profile of aghook.yaml";
            return Err(CommandError::without_expired_secret(profile));
        }
        let events = self.event.generate(&session.profile)?;
        if self.dry_run {
            self.print(session, &events, &mut console.unstyled())?;
            return Ok(ExitCode::Success);
        }
        let probe = quantities::prepare(&session);
        let secret_env = session.profile.secret_env.clone();
        let context = self.context(session, console)?;
        let quantities = QuantityReader::new(&context, probe);
        block_on(async {
            self.target.reach(&context.client, &context.target).await?;
            let secret_env = secret_env.as_deref();
            self.send(&context, &events, &quantities, secret_env, console)
                .await
        })
    }

    /// Leaves out the profile's hooks, which are not needed, so that their variables do not have to
    /// be set.
    fn context(&self, mut session: Session, console: &Console) -> Result<RunContext, CommandError> {
        session.target()?;
        let secrets = self.secret.load_all(&session.profile, console)?;
        session.profile.probes.clear();
        session.profile.script = None;
        session.profile.restart = None;
        session.profile.hooks = Hooks::default();
        let context = session.context(&secrets)?;
        if self.forge.is_some() && self.forge == context.capabilities.guessed_secret {
            let message = "the webhook's secret is the guess of this forgery, so it is no forgery";
            return Err(CommandError::usage(message)
                .with_help("replace the secret, in the game and at Aghanim"));
        }
        Ok(context)
    }

    async fn send(
        &self,
        context: &RunContext,
        events: &[PlannedEvent],
        quantities: &QuantityReader<'_>,
        secret_env: Option<&str>,
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        let seed = Seed::of_text("fire");
        let start = StartTime::now();
        let mut random = seed.random();
        let policy = if self.no_retry || self.forge.is_some() {
            // An attacker would not retry.
            RetrySetting::Off.over(&context.retry)
        } else {
            context.retry.clone()
        };
        let mut report = FireReport::new(console, self.verbose);
        let (mut delivery, mut all, mut as_expected) = (0, 0, 0);
        let mut worst = Verdict::Passed;
        for event in events {
            let before = quantities.before(event).await;
            let mut is_accepted = false;
            for _ in 0..self.times.get() {
                delivery += 1;
                let plan = DeliveryPlan {
                    forgery: self.forge,
                    event_ids: Some(Generator::new(seed.derive(&delivery.to_string()), start)),
                    ..DeliveryPlan::new(&context.target, event.body.clone(), &policy)
                };
                let place = AttemptLocation {
                    scenario: 1,
                    step: 1,
                    delivery,
                };
                let mut written = Ok(());
                let delivered = deliver(context.sender(), plan, &mut random, |attempt| {
                    let record = attempt_record(place, "event", attempt, &context.redaction);
                    if written.is_ok() {
                        written = report.attempt(&record);
                    }
                })
                .await;
                written?;
                let Some(judged) = DeliveryVerdict::new(self.forge, &delivered) else {
                    continue;
                };
                all += 1;
                is_accepted |= judged.verdict == Verdict::Passed && self.forge.is_none();
                as_expected += usize::from(judged.verdict == Verdict::Passed);
                let last = delivered.attempts.last();
                let failure = last.and_then(|attempt| attempt.exchange.result.as_ref().err());
                let better = match failure {
                    Some(failure) => {
                        let explained = context.client.explain_closed(&context.target, failure);
                        explained.await
                    }
                    None => None,
                };
                let (verdict, message, help) = match &better {
                    Some(failure) => (Verdict::Broken, failure.to_string(), Some(failure.hint())),
                    None => (judged.verdict, judged.message, judged.help.as_deref()),
                };
                worst = worst.max(verdict);
                let status = match last.map(|attempt| attempt.exchange.result.as_ref()) {
                    Some(Ok(response)) => response.status,
                    _ => 0,
                };
                let is_bundle = self.event.bundle && self.forge.is_none();
                let help = match status {
                    // Another status is not about the item.
                    400 | 404 | 422 if is_bundle => Some(MARK_BUNDLES),
                    _ => help,
                };
                let help = help.map(|help| self.secret.in_help(help, secret_env));
                let message = context.redaction.text(&message);
                report.verdict(verdict, &message, help.as_deref())?;
            }
            let changes = match before {
                Ok(before) => quantities.changes(&before, is_accepted).await,
                Err(reason) => Err(reason),
            };
            if changes.as_ref().is_err_and(|not_read| not_read.is_broken) {
                worst = worst.max(Verdict::Broken);
            }
            let (changes, contents) = match changes {
                Ok(changes) => (Ok(changes.lines), changes.contents),
                Err(not_read) => (Err(not_read.reason), None),
            };
            report.quantities(&changes)?;
            if let Some(contents) = contents {
                report.verdict(contents.verdict, &contents.text, contents.advice)?;
                if contents.verdict == Verdict::Failed {
                    worst = worst.max(Verdict::Failed);
                }
            }
            if let Some(problem) = quantities
                .problem()
                .filter(|_| is_accepted && changes.is_ok())
            {
                report.probe_problem(&problem)?;
                worst = worst.max(Verdict::Broken);
            }
        }
        report.ended(all, as_expected)?;
        Ok(worst.into())
    }

    fn print(
        &self,
        mut session: Session,
        events: &[PlannedEvent],
        console: &mut Console,
    ) -> Result<(), CommandError> {
        if self.format == FireFormat::Json {
            for event in events {
                console.write_all(&event.body)?;
                writeln!(console)?;
            }
            return Ok(console.flush()?);
        }
        let options = session_options(&session, session.target()?)?;
        // Their values are not shown, so their variables need not be set.
        let headers = std::mem::take(&mut session.headers);
        let context = self.context(session, console)?;
        let target = &context.target;
        for event in events {
            let mut signed = self.sign(&context, event);
            if self.format == FireFormat::Curl {
                // curl derives it from the URL.
                signed.headers.retain(|(name, _)| *name != "Host");
                let url = target.as_str();
                let command = curl_command(url, &signed.headers, &options, &signed.body, None)?;
                writeln!(console, "{command}")?;
                continue;
            }
            writeln!(console, "POST {} HTTP/1.1", target.path_and_query())?;
            for (name, value) in &signed.headers {
                writeln!(console, "{name}: {value}")?;
            }
            for (name, _) in headers.iter() {
                writeln!(console, "{name}: {REDACTED}")?;
            }
            writeln!(console, "Content-Length: {}\n", signed.body.len())?;
            console.write_all(&signed.body)?;
            writeln!(console)?;
        }
        Ok(console.flush()?)
    }

    fn sign(&self, context: &RunContext, event: &PlannedEvent) -> SignedRequest {
        let input = ForgeInput {
            host: context.target.authority(),
            body: &event.body,
            timestamp: context.clock.unix_seconds(),
            signer: &context.signer,
            expired: context.expired.as_ref(),
        };
        match self.forge {
            Some(forgery) => forge(forgery, &input, &mut Seed::of_text("fire").random()),
            None => sign(&input),
        }
    }
}
