//! `aghook load`: sends many events at a rate and checks the receiver.

mod live_line;
mod mix_option;
mod report;
pub(super) mod report_options;
mod runner;

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::Args;

use self::mix_option::MixOption;
use self::report_options::LoadReportOptions;
use self::runner::run_load;
use super::ExitCode;
use super::block_on;
use super::command_error::CommandError;
use super::console::Console;
use super::failures_file;
use super::numbers;
use super::secret_options::{self, SecretOptions};
use super::session::{StartedSession, capabilities};
use super::target_options::TargetOptions;
use crate::generate::{Generator, Seed, StartTime};
use crate::load::{
    EffectSample, EventSource, FailedEventsHead, FailureList, Length, LoadExpectation,
    LoadSettings, LoadShard, Rate, SentEvents, TemplateSettings, TreatmentMix, check_effects,
};
use crate::policy::DurationText;
use crate::policy::Percent;
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

    /// Time allowed for pending retries and duplicates after the last new event
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

    /// Source of events: a scenario file, a folder or a quoted glob, such as 'promo.yaml=3'; bundled
    /// for the bundled suite; random for generated events (repeatable) [default: random]
    ///
    /// The number after `=` is the weight relative to other sources, 1 by default. `#` and a text or
    /// a glob select scenarios by name or file, as in 'bundled#payload/=2'. aghook sends the
    /// scenarios' events, each with a unique player, IDs and idempotency key. It does not run
    /// their steps: it checks that each event is granted once, and takes from their checks only which
    /// refusals are allowed.
    #[arg(
        long = "mix",
        value_name = "PATH[#SCENARIO][=WEIGHT]",
        help_heading = "Mix"
    )]
    event_mix: Vec<MixOption>,

    /// Percentage of events to deliver twice, such as 5%. Without --together, a fifth of these are
    /// delivered twice simultaneously; the others are delivered again later
    #[arg(
        long,
        value_name = "PERCENT",
        default_value = "0%",
        help_heading = "Mix"
    )]
    duplicates: Percent,

    /// Percentage of events to deliver twice simultaneously; --duplicates then sets only later
    /// duplicates [default: a fifth of --duplicates]
    #[arg(long, value_name = "PERCENT", help_heading = "Mix")]
    together: Option<Percent>,

    /// Percentage of events to replace by a forgery, which must be refused
    #[arg(
        long,
        value_name = "PERCENT",
        default_value = "0%",
        help_heading = "Mix"
    )]
    forgeries: Percent,

    /// Percentage of events whose first response is lost, so that they are retried
    #[arg(
        long,
        value_name = "PERCENT",
        default_value = "0%",
        help_heading = "Mix"
    )]
    lost_acks: Percent,

    /// Check an expectation such as 'p99 < 200ms' or 'errors < 0.1%' (repeatable)
    ///
    /// With a duration: p50, p75, p90, p95, p99, p99.9, p99.99, mean, max, `service_p50`,
    /// `service_p99`, `service_p99.9`, `service_max`, `late_p99`, `late_max`. With events per second:
    /// rate. With a number or percentage: errors, timeouts, retries, undelivered, refused, exhausted,
    /// unfinished, `refused_forgeries`, `accepted_forgeries`. With a number: dropped, stalls.
    /// 'undelivered = 0' is added unless an expectation uses undelivered, errors, refused, exhausted
    /// or unfinished.
    ///
    /// Latencies count from when an event was due, service times from when it was sent; late times are
    /// the time between the two. errors: attempts without a 2xx, except responses lost on purpose.
    /// undelivered: deliveries that ended neither with a 2xx nor with an allowed refusal (docs/load.md).
    /// refused: ended by a status that is not retried. exhausted: no attempts left. unfinished: still
    /// pending after --drain. dropped: retries and duplicates that were not sent, because too many were
    /// waiting. stalls: pauses of this machine.
    ///
    /// Percentages are of attempts for errors, timeouts and retries, of forgeries for
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

/// By default, one of this many duplicates is simultaneous.
const DUPLICATES_PER_SIMULTANEOUS: NonZeroU32 = NonZeroU32::new(5).unwrap();
/// The default duration of a load.
const DEFAULT_SECONDS: u64 = 10;

impl Load {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        self.check()?;
        let (together, later) = self.duplicates();
        let mix = TreatmentMix::new(self.forgeries, self.lost_acks, together, later)
            .map_err(|error| CommandError::usage(error.to_string(), None))?;
        let start = self.start_time.unwrap_or_else(StartTime::now);
        let seed = Seed::new(self.seed);
        let options = RunOptions {
            seed: Some(seed),
            real_time: true,
            ..RunOptions::starting_at(start)
        };
        let session = self.target.session(options, console)?;
        let generator = profile_generator(&session.profile, seed, start);
        let templates = TemplateSettings {
            generator: generator.clone(),
            seed,
            policy: capabilities(&session)?.policy,
        };
        let event_mix = mix_option::read(&self.event_mix, &templates, console)?;
        block_on(async {
            let prepared = StartedSession::start(session, &self.secret, console).await?;
            let players = generator.has_listed_players();
            let sample = EffectSample::choose(self.check_effects, &prepared.context, players)
                .map_err(|error| CommandError::usage(error.to_string(), error.help().to_owned()))?;
            prepared.reach(&self.target).await?;
            // Report unwritable files before anything is sent.
            failures_file::check_writable(&self.failures)?;
            let reports = self.reports.open()?;
            let source = EventSource::new(generator.clone(), mix, seed);
            let source = source.drawn_from(event_mix.clone(), prepared.context.capabilities.policy);
            let settings = LoadSettings {
                event_mix,
                ..self.settings(&prepared.context, generator, mix)
            };
            if self.reports.prints_summary() {
                self.print_start(&prepared.context, console);
            }
            let result = run_load(&prepared.context, settings, console).await?;
            let shard = self.partition.unwrap_or_default();
            let sent = || SentEvents::new(source.clone(), &result, shard);
            let effects = match sample {
                _ if result.interrupted => None,
                sample => check_effects(&prepared.context, sent(), sample).await,
            };
            let failures = FailureList::new(&result, effects.as_ref());
            let head = self.failures_head(&prepared.context);
            let written = failures_file::write(&self.failures, head, &failures, sent());
            let mut report = report::create(&self, &prepared.context, &result, mix, effects);
            report.event_mix = source.mix_report(&result.mix_counts);
            prepared.stop().await;
            // Show the report even if the failures file could not be written.
            reports.write(&report, console)?;
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
            Ok(ExitCode::of_load(&report))
        })
    }

    /// Refuses contradictory options.
    fn check(&self) -> Result<(), CommandError> {
        self.reports.check()?;
        if self.reports.is_written_to(&self.failures) {
            let path = self.failures.display();
            let message = format!("a report and the failed events would both be written to {path}");
            let help = "give each a different path".to_owned();
            return Err(CommandError::usage(message, help));
        }
        if self.duration.is_some_and(|duration| duration.0.is_zero()) {
            let help = "use a longer time such as `--duration 30s`".to_owned();
            return Err(CommandError::usage("`--duration 0s` sends nothing", help));
        }
        Ok(())
    }

    /// The percentages of simultaneous and later duplicates. Only simultaneous ones can reveal a race
    /// in the receiver, so by default there are always some.
    fn duplicates(&self) -> (Percent, Percent) {
        match self.together {
            Some(together) => (together, self.duplicates),
            None => self.duplicates.split(DUPLICATES_PER_SIMULTANEOUS),
        }
    }

    fn length(&self) -> Length {
        match (self.count, self.duration) {
            (Some(count), _) => Length::Count(count.get()),
            (None, Some(duration)) => Length::Duration(duration.0),
            (None, None) => Length::Duration(std::time::Duration::from_secs(DEFAULT_SECONDS)),
        }
    }

    fn settings(
        &self,
        context: &RunContext,
        generator: Generator,
        mix: TreatmentMix,
    ) -> LoadSettings {
        let cores = std::thread::available_parallelism();
        LoadSettings {
            rate: self.rate,
            length: self.length(),
            warmup: self.warmup.0,
            connections: self.connections,
            workers: cores.unwrap_or(NonZeroUsize::MIN),
            shard: self.partition.unwrap_or_default(),
            mix,
            event_mix: None,
            policy: context.capabilities.policy,
            retry: context.retry.clone(),
            drain: self.drain.0,
            seed: Seed::new(self.seed),
            generator,
        }
    }

    fn failures_head(&self, context: &RunContext) -> FailedEventsHead {
        FailedEventsHead::new(
            context.shown_target().into_owned(),
            context.built_in_receiver,
            self.seed,
            context.start.to_string(),
        )
    }

    fn print_start(&self, context: &RunContext, console: &mut Console) {
        let built_in = if context.built_in_receiver {
            " (the built-in receiver)"
        } else {
            ""
        };
        let length = self.length();
        let rate = match self.rate {
            Rate::Max => "as fast as possible".to_owned(),
            rate @ Rate::Constant(_) => format!("{rate} per second"),
            rate @ Rate::Ramp { .. } => format!("at {rate}"),
        };
        console.say(&format!(
            "aghook {}: {length}, {rate}, over {} connections to {}{built_in}",
            env!("CARGO_PKG_VERSION"),
            self.connections,
            context.shown_target(),
        ));
        console.say(&format!(
            "reproduce with: --seed {} --start-time {}{}\n",
            self.seed,
            context.start,
            mix_option::reproduce_options(&self.event_mix)
        ));
    }
}
