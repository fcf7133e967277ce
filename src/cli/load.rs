//! `aghook load`: sends many events at a rate and checks the receiver.

mod live_line;
mod mix_option;
pub(super) mod report_options;
mod runner;

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;

use self::live_line::LiveLine;
use self::mix_option::MixOptions;
use self::report_options::LoadReportOptions;
use self::runner::run_load;
use super::failures_file;
use super::numbers;
use super::secret_options::{self, SecretOptions};
use super::session::{StartedSession, capabilities};
use super::target_options::TargetOptions;
use super::{CommandError, Console, ExitCode, block_on};
use crate::generate::{Generator, Seed, StartTime};
use crate::load::{
    CheckProgress, EffectSample, EffectsReport, EventMix, FailureList, Length, LoadExpectation,
    LoadReport, LoadSettings, LoadShard, ProbeCheck, Rate, SentEvents, TemplateSettings,
    TreatmentMix, check_effects, check_probe,
};
use crate::policy::DurationText;
use crate::run::{RunContext, RunOptions, profile_generator};

/// Send many events at a rate; check response times and exactly-once grants
///
/// Every event is unique and signed. Latency counts from when an event was due, so a receiver that
/// falls behind can't hide it. Without `--target` and aghook.yaml, aghook starts its built-in receiver
/// on a free port.
///
/// Exits with 0 if no check failed, 1 if an expectation failed or an event was not granted as
/// expected, 2 if the command line or a file is invalid, and 3 if the target could not be
/// reached, a check was undecided, or the load was stopped.
#[derive(Debug, Args)]
#[command(after_long_help = secret_options::SECRET_HELP, next_help_heading = "Load")]
pub struct Load {
    /// Events per second: a number, a ramp such as '100..5000 over 60s', or max for as fast as
    /// possible
    #[arg(
        long,
        value_name = "RATE",
        allow_hyphen_values = true,
        default_value = "100"
    )]
    rate: Rate,

    /// Time to send new events [default: 10s]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    duration: Option<DurationText>,

    /// Number of events to send, instead of a duration
    #[arg(
        long,
        value_name = "N",
        value_parser = numbers::events,
        allow_hyphen_values = true,
        conflicts_with = "duration"
    )]
    count: Option<NonZeroU64>,

    /// Number of connections
    #[arg(
        long,
        value_name = "N",
        value_parser = numbers::connections,
        allow_hyphen_values = true,
        default_value = "50"
    )]
    connections: NonZeroUsize,

    /// Time to send events before measuring
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    warmup: DurationText,

    /// Time allowed for pending retries and duplicates after the last new event, and for events that
    /// wait for a connection after the last one was due
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    drain: DurationText,

    /// Send only shard K of N, such as 1/4. Give all shards the same --seed and --start-time, and join
    /// their JSON reports with `aghook merge`
    #[arg(long, value_name = "K/N", requires = "start_time")]
    partition: Option<LoadShard>,

    /// Random seed
    #[arg(
        long,
        value_name = "N",
        value_parser = numbers::whole,
        allow_hyphen_values = true,
        default_value_t = 1
    )]
    seed: u64,

    /// Start time T, as Unix seconds or RFC 3339; event times are relative to it [default: now]
    #[arg(long, value_name = "T")]
    start_time: Option<StartTime>,

    #[command(flatten)]
    mix: MixOptions,

    /// Do not stop if the first responses or a probe show that the URL, an access page or the secret
    /// is wrong
    ///
    /// Then a receiver that refuses every delivery fails.
    #[arg(long)]
    skip_setup_check: bool,

    /// Check an expectation such as 'p99 < 200ms' or 'errors < 0.1%' (repeatable)
    ///
    /// With a duration: p50, p75, p90, p95, p99, p99.9, p99.99, mean, max, `service_p50`,
    /// `service_p99`, `service_p99.9`, `service_max`, `late_p99`, `late_max`. With events per second:
    /// rate. With a number or percentage: unsent, errors, timeouts, retries, undelivered, refused,
    /// exhausted, unfinished, `refused_forgeries`, `accepted_forgeries`. With a number: dropped, stalls.
    /// 'undelivered = 0' is added unless an expectation uses undelivered, errors, refused, exhausted
    /// or unfinished, and 'unsent = 0' if an event never left.
    ///
    /// Latencies count from when an event was due, service times from when it was sent; late times are
    /// the time between the two. errors: attempts without a 2xx, except responses lost on purpose.
    /// undelivered: deliveries that ended neither with a 2xx nor with an allowed refusal (docs/load.md).
    /// refused: ended by a status that is not retried. exhausted: no attempts left. unfinished: still
    /// pending after --drain. dropped: retries and duplicates that were not sent, because too many were
    /// waiting. stalls: pauses of this machine.
    ///
    /// unsent: events that were due and never left, because all connections were busy.
    ///
    /// Percentages are of events for unsent, of attempts for errors, timeouts and retries, of forgeries for
    /// `refused_forgeries` and `accepted_forgeries`, and otherwise of deliveries.
    #[arg(long, value_name = "EXPRESSION", help_heading = "Checks")]
    expect: Vec<LoadExpectation>,

    /// Number of events whose grants to check with the probe after the load: a number, all, or none
    /// [default: 1000 if the profile has the probe `quantity`]
    #[arg(long, value_name = "WHICH", help_heading = "Checks")]
    check_effects: Option<EffectSample>,

    /// File for failed events: not acknowledged, not granted as expected, or accepted forgeries
    #[arg(
        long,
        value_name = "FILE",
        default_value = "aghook-failures.jsonl",
        help_heading = "Checks"
    )]
    failures: PathBuf,

    #[command(flatten)]
    target: TargetOptions,

    #[command(flatten)]
    secret: SecretOptions,

    #[command(flatten)]
    reports: LoadReportOptions,
}

/// Reads the probe once before the load. An error if it can't work for any player.
async fn note_probe_problem(
    context: &RunContext,
    settings: &LoadSettings,
    console: &Console,
) -> Result<(), CommandError> {
    if !context.check_setup || context.built_in_receiver {
        return Ok(());
    }
    match check_probe(context, settings).await {
        ProbeCheck::Works => Ok(()),
        ProbeCheck::Unclear(reason) => {
            console.note(&format!(
                "{reason}\n  The load goes on, because the game may not know a player who holds nothing."
            ));
            Ok(())
        }
        ProbeCheck::Broken(problem) => {
            Err(CommandError::not_completed(problem.reason).with_help(problem.help))
        }
    }
}

/// Checks the effects, with a progress line.
async fn checked_effects(
    context: &RunContext,
    events: SentEvents<'_>,
    sample: EffectSample,
) -> Option<EffectsReport> {
    let progress = Arc::new(CheckProgress::default());
    let is_wanted = sample != EffectSample::None;
    let _line = is_wanted.then(|| LiveLine::of_check(Arc::clone(&progress)));
    check_effects(context, events, sample, &progress).await
}

const DEFAULT_DURATION: Duration = Duration::from_secs(10);

impl Load {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        self.check()?;
        let is_started = AtomicBool::new(false);
        let ended = self.start(&is_started, console);
        if let (Err(error), false) = (&ended, is_started.load(Ordering::Relaxed)) {
            let start = self.start_time.unwrap_or_else(StartTime::now).to_string();
            let (rate, length) = (self.rate.to_string(), self.length().to_string());
            let settings = [start, rate, length, self.warmup.to_string()];
            let report = LoadReport::not_started(error.message(), settings, self.seed);
            self.reports.write_failure(&report);
        }
        ended
    }

    fn start(
        &self,
        is_started: &AtomicBool,
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        let treatments = self.mix.treatments()?;
        let start = self.start_time.unwrap_or_else(StartTime::now);
        let seed = Seed::new(self.seed);
        let options = RunOptions {
            seed: Some(seed),
            real_time: true,
            check_setup: !self.skip_setup_check,
            ..RunOptions::starting_at(start)
        };
        let session = self.target.session(options, console)?;
        let templates = TemplateSettings {
            generator: profile_generator(&session.profile, seed, start),
            seed,
            policy: capabilities(&session)?.policy,
        };
        let event_mix = self.mix.read(&templates, console)?;
        self.reports.check_writable()?;
        self.reports.remove_earlier();
        block_on(async {
            let prepared = StartedSession::start(session, &self.secret, console).await?;
            let context = &prepared.context;
            let players = templates.generator.has_listed_players();
            let sample = EffectSample::choose(self.check_effects, context, players)
                .map_err(|(problem, help)| CommandError::usage(problem).with_help(help))?;
            prepared.reach(&self.target).await?;
            let twins = if treatments.uses_twins() { 2 } else { 1 };
            prepared.check_descriptors(self.connections.get().saturating_mul(twins))?;
            // Report unwritable files before anything is sent.
            failures_file::check_writable(&self.failures)?;
            let settings = self.settings(context, templates.generator, treatments, event_mix);
            if sample != EffectSample::None {
                note_probe_problem(context, &settings, console).await?;
            }
            if self.reports.prints_summary() {
                self.print_start(context, console);
            }
            let result = run_load(context, settings.clone(), console).await?;
            is_started.store(true, Ordering::Relaxed);
            let sent = || SentEvents::new(&settings, &result);
            let is_checked = !result.interrupted && result.setup_problem.is_none();
            let sample = if is_checked {
                sample
            } else {
                EffectSample::None
            };
            let effects = checked_effects(context, sent(), sample).await;
            // If the set-up is wrong, no event is to blame.
            let failures = match result.setup_problem {
                Some(_) => FailureList::default(),
                None => FailureList::new(&result, effects.as_ref()),
            };
            let report = LoadReport::new(&settings, context, &result, effects, &self.expect);
            let written = failures_file::write(&self.failures, &report, &failures, sent());
            prepared.stop().await;
            // Show the report even if the failures file could not be written.
            self.reports.write(&report, console)?;
            written?;
            let path = self.failures.display();
            if !failures.is_empty() {
                let count = failures.len();
                console.note(&format!(
                    "{count} failed events are in {path}; resend them, with the same duplicates and \
                     lost responses: aghook replay {path} --as-treated"
                ));
            } else if self.failures.exists() {
                console.note(&format!(
                    "{path} is from an earlier load; this one had no failed events"
                ));
            }
            Ok(report.verdict().into())
        })
    }

    fn check(&self) -> Result<(), CommandError> {
        self.reports.check()?;
        let inputs = [self.mix.files(), self.target.files(), self.secret.files()];
        self.reports.check_apart(&inputs.concat())?;
        if self.reports.is_written_to(&self.failures) {
            let path = self.failures.display();
            let message = format!("a report and the failed events would both be written to {path}");
            return Err(CommandError::usage(message).with_help("give each a different path"));
        }
        if self.duration.is_some_and(|duration| duration.0.is_zero()) {
            return Err(CommandError::usage("`--duration 0s` sends nothing")
                .with_help("use a longer time such as `--duration 30s`"));
        }
        Ok(())
    }

    fn length(&self) -> Length {
        match (self.count, self.duration) {
            (Some(count), _) => Length::Count(count.get()),
            (None, Some(duration)) => Length::Duration(duration.0),
            (None, None) => Length::Duration(DEFAULT_DURATION),
        }
    }

    fn settings(
        &self,
        context: &RunContext,
        generator: Generator,
        mix: TreatmentMix,
        event_mix: Option<EventMix>,
    ) -> LoadSettings {
        LoadSettings {
            rate: self.rate,
            length: self.length(),
            warmup: self.warmup.0,
            connections: self.connections,
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            shard: self.partition.unwrap_or_default(),
            mix,
            event_mix,
            policy: context.capabilities.policy,
            retry: context.retry.clone(),
            drain: self.drain.0,
            seed: Seed::new(self.seed),
            generator,
        }
    }

    fn print_start(&self, context: &RunContext, console: &mut Console) {
        let built_in = if context.built_in_receiver {
            " (the built-in receiver)"
        } else {
            ""
        };
        let (length, connections) = (self.length(), self.connections);
        let (version, target) = (env!("CARGO_PKG_VERSION"), context.shown_target());
        let rate = match self.rate {
            Rate::Max => "as fast as possible".to_owned(),
            rate @ Rate::Constant(_) => format!("{rate} per second"),
            rate @ Rate::Ramp { .. } => format!("at {rate}"),
        };
        console.say(&format!(
            "aghook {version}: {length}, {rate}, over {connections} connections to {target}{built_in}"
        ));
        let (seed, start, mix) = (self.seed, context.start, self.mix.reproduce_options());
        console.say(&format!(
            "reproduce with: --seed {seed} --start-time {start}{mix}\n"
        ));
    }
}
