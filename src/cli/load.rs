//! `aghook load`: many events at a rate, and whether the receiver holds.

pub(super) mod effect_check;
mod failures;
mod live_line;
mod looked;
mod mix_option;
mod numbers;
mod report;
pub(super) mod report_options;
mod sending;
pub(super) mod verdict;

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;

use self::effect_check::EffectCheck;
use self::looked::Looked;
use self::mix_option::MixOption;
use self::report_options::LoadReportOptions;
use self::sending::run_load;
use self::verdict::exit_code;
use super::ExitCode;
use super::block_on;
use super::command_error::CommandError;
use super::console::Console;
use super::secret_options::SecretOptions;
use super::session::{Session, SessionSettings};
use super::target_options::{TargetOptions, reach};
use crate::generate::{Catalogue, Generator, Seed, StartTime};
use crate::load::{
    EventSource, Expectation, FailedEventsHead, Length, LoadSettings, Mix, Partition, Rate, Share,
    Stop, TemplateSettings,
};
use crate::scenario::DurationText;

/// Send many events at a rate, and say whether the receiver holds and grants each once
///
/// Every event is unique and signed. Latencies count from when an event was due, so that a receiver
/// that falls behind can't hide it. Without a target, the receiver that is built into aghook is
/// started on a free port of this machine.
///
/// Exits with 0 if every expectation held, with 1 if one did not or an event was not granted as
/// often as it should be, with 2 if the command line or a file is wrong, and with 3 if the target
/// could not be reached, a check could not be decided, or the load was stopped.
#[derive(Debug, Args)]
#[command(after_long_help = super::arguments::SECRET_HELP)]
pub struct Load {
    /// How many events a second: a number, a ramp such as '100..5000 over 60s', or max for as fast
    /// as they can be sent
    #[arg(
        long,
        value_name = "RATE",
        allow_hyphen_values = true,
        default_value = "100",
        help_heading = "The load"
    )]
    rate: Rate,

    /// How long to send new events [default: 10s]
    #[arg(
        long,
        value_name = "DURATION",
        allow_hyphen_values = true,
        help_heading = "The load"
    )]
    duration: Option<DurationText>,

    /// How many events to send, in place of a duration
    #[arg(
        long,
        value_name = "N",
        value_parser = numbers::events,
        allow_hyphen_values = true,
        conflicts_with = "duration",
        help_heading = "The load"
    )]
    count: Option<NonZeroU64>,

    /// How many connections to keep
    #[arg(
        long,
        value_name = "N",
        value_parser = numbers::connections,
        allow_hyphen_values = true,
        default_value = "50",
        help_heading = "The load"
    )]
    connections: NonZeroUsize,

    /// How long to send events before figures are taken
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "0s",
        help_heading = "The load"
    )]
    warmup: DurationText,

    /// How long retries and duplicates may go on after the last new event
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "30s",
        help_heading = "The load"
    )]
    drain: DurationText,

    /// Send only the K-th of N shares of the load, as 1/4, beside other senders
    #[arg(
        long,
        value_name = "K/N",
        requires = "start_time",
        help_heading = "The load"
    )]
    partition: Option<Partition>,

    /// From what the events follow
    #[arg(
        long,
        value_name = "N",
        value_parser = numbers::whole,
        allow_hyphen_values = true,
        default_value_t = 1,
        help_heading = "The load"
    )]
    seed: u64,

    /// The moment from which event times count, as Unix seconds or RFC 3339 [default: now]
    #[arg(long, value_name = "T", help_heading = "The load")]
    start_time: Option<StartTime>,

    /// From what events are drawn: a scenario file, a folder or a quoted glob, as
    /// 'promo.yaml=3'; bundled, the bundled suite; random, generated events (repeatable) [default:
    /// random]
    ///
    /// The weight behind `=` says how many of the events come from there, compared with the others;
    /// left out, 1. `#` and a text or a glob picks scenarios by name or file, as in
    /// 'bundled#payload/=2'. The events of the scenarios are sent, each with a player, IDs and an
    /// idempotency key of its own; their steps are not played and their effects not looked at.
    #[arg(
        long = "mix",
        value_name = "PATH[#SCENARIO][=WEIGHT]",
        help_heading = "The mix"
    )]
    event_mix: Vec<MixOption>,

    /// The share of events that are delivered twice, as 5%: four of five once more later, one of five
    /// at the same moment, unless --together says which share that is
    #[arg(
        long,
        value_name = "SHARE",
        default_value = "0%",
        help_heading = "The mix"
    )]
    duplicates: Share,

    /// The share of events that are delivered twice at the same moment; --duplicates then is about
    /// later ones alone [default: a fifth of --duplicates]
    #[arg(long, value_name = "SHARE", help_heading = "The mix")]
    together: Option<Share>,

    /// The share of events in whose place a forgery is sent, which must be refused
    #[arg(
        long,
        value_name = "SHARE",
        default_value = "0%",
        help_heading = "The mix"
    )]
    forgeries: Share,

    /// The share of events whose first answer is lost, so that they are retried
    #[arg(
        long,
        value_name = "SHARE",
        default_value = "0%",
        help_heading = "The mix"
    )]
    lost_acks: Share,

    /// What must hold, as 'p99 < 200ms' or 'errors < 0.1%' (repeatable); beside it 'undelivered = 0',
    /// unless it says how many may fail
    #[arg(long, value_name = "EXPRESSION", help_heading = "Checks")]
    expect: Vec<Expectation>,

    /// Of how many events to look at what the player holds: all, a number, or none [default: 1000,
    /// if the profile has the probe `quantity`]
    #[arg(long, value_name = "WHICH", help_heading = "Checks")]
    check_effects: Option<Looked>,

    /// Where events are written that were not granted as they should be, if there are any
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

/// Of so many duplicates one is delivered at the same moment where nothing is said.
const ONE_OF_SO_MANY_TOGETHER: NonZeroU32 = NonZeroU32::new(5).unwrap();
/// How long a load is where nothing is said.
const DEFAULT_SECONDS: u64 = 10;

impl Load {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        self.check()?;
        let (together, later) = self.duplicates();
        let mix = Mix::new(self.forgeries, self.lost_acks, together, later)
            .map_err(|error| CommandError::usage(error.to_string(), None))?;
        let chosen = self.target.choose(console)?;
        let start = self
            .start_time
            .unwrap_or_else(|| StartTime::from_system_time(SystemTime::now()));
        let seed = Seed::new(self.seed);
        let mut generator = Generator::new(seed, start);
        if !chosen.profile.items.is_empty() {
            let catalogue = Catalogue::of(chosen.profile.items.clone());
            generator = generator.with_catalogue(Arc::new(catalogue));
        }
        if let Some(game_id) = &chosen.profile.game_id {
            generator = generator.with_game_id(game_id.clone());
        }
        let listed_players = chosen.profile.listed_players();
        let players_hold_something = !listed_players.is_empty();
        generator = generator.with_players(listed_players.into());
        let preparation = SessionSettings {
            target: chosen,
            secret: &self.secret,
            seed: Some(seed),
            start,
            strict: false,
            real_time: true,
            fail_fast: false,
            jobs: 1,
        };
        let templates = TemplateSettings {
            generator: generator.clone(),
            seed,
            policy: preparation.surroundings()?.policy,
        };
        let event_mix = mix_option::read(&self.event_mix, &templates, console)?;
        block_on(async {
            let prepared = preparation.start().await?;
            let looked = looked::at(
                self.check_effects,
                &prepared.harness,
                players_hold_something,
            )?;
            reach(&prepared.harness.client, &prepared.harness.target).await?;
            // What can't be written is known before anything is sent.
            failures::check_writable(&self.failures)?;
            let reports = self.reports.open()?;
            let source = EventSource::new(generator.clone(), mix, seed);
            let source = source.drawn_from(event_mix.clone(), prepared.harness.policy);
            let settings = LoadSettings {
                event_mix,
                ..self.settings(&prepared, generator, mix)
            };
            if self.reports.tells_people() {
                self.tell_begin(&prepared, console);
            }
            let stop = Stop::default();
            let result = run_load(&prepared, settings, &stop, console).await?;
            let check = EffectCheck {
                harness: &prepared.harness,
                source,
                result: &result,
                partition: self.partition.unwrap_or_default(),
            };
            let effects = match looked {
                Some(looked) if !result.interrupted => Some(check.look(looked).await),
                _ => None,
            };
            let head = self.head_of_failures(&prepared);
            let listed = failures::write(&self.failures, head, &check, effects.as_ref());
            let mut report = report::of(&self, &prepared, &result, mix, effects);
            report.event_mix = check.source.mix_report(&result.mixed);
            if let Some(built_in) = prepared.built_in {
                built_in.stop().await;
            }
            // What can't be written keeps nobody from the figures.
            reports.write(&report, console)?;
            let written = listed?;
            if written == 0 && self.failures.exists() {
                let path = self.failures.display();
                console.note(&format!(
                    "{path} is of an earlier load: nothing of this one is in it"
                ));
            } else if written > 0 {
                let path = self.failures.display();
                console.note(&format!(
                    "{written} events that went wrong are in {path}; just those again: aghook \
                     replay {path}"
                ));
            }
            Ok(exit_code(&report))
        })
    }

    /// Refuses options that can't be meant.
    fn check(&self) -> Result<(), CommandError> {
        self.reports.check()?;
        if self.reports.is_written_to(&self.failures) {
            let path = self.failures.display();
            let message =
                format!("a report and the events that went wrong are to be written to {path}");
            let help = "give each a path of its own".to_owned();
            return Err(CommandError::usage(message, help));
        }
        if self.duration.is_some_and(|duration| duration.0.is_zero()) {
            let help = "give it some time, as in `--duration 30s`".to_owned();
            return Err(CommandError::usage("`--duration 0s` sends nothing", help));
        }
        Ok(())
    }

    /// The shares that are delivered twice: at the same moment, and once more later. A race in a
    /// receiver is met by the first alone, so duplicates are never only later ones by default.
    fn duplicates(&self) -> (Share, Share) {
        match self.together {
            Some(together) => (together, self.duplicates),
            None => self.duplicates.split(ONE_OF_SO_MANY_TOGETHER),
        }
    }

    fn length(&self) -> Length {
        match (self.count, self.duration) {
            (Some(count), _) => Length::Count(count.get()),
            (None, Some(duration)) => Length::Duration(duration.0),
            (None, None) => Length::Duration(std::time::Duration::from_secs(DEFAULT_SECONDS)),
        }
    }

    fn settings(&self, prepared: &Session, generator: Generator, mix: Mix) -> LoadSettings {
        let cores = std::thread::available_parallelism();
        LoadSettings {
            rate: self.rate,
            length: self.length(),
            warmup: self.warmup.0,
            connections: self.connections,
            workers: cores.unwrap_or(NonZeroUsize::MIN),
            partition: self.partition.unwrap_or_default(),
            mix,
            event_mix: None,
            policy: prepared.harness.policy,
            retry: prepared.harness.retry.clone(),
            drain: self.drain.0,
            seed: Seed::new(self.seed),
            generator,
        }
    }

    fn head_of_failures(&self, prepared: &Session) -> FailedEventsHead {
        let harness = &prepared.harness;
        let target = harness.redaction.text(harness.target.as_str());
        FailedEventsHead::new(
            target.into_owned(),
            prepared.built_in.is_some(),
            self.seed,
            prepared.start.to_string(),
        )
    }

    fn tell_begin(&self, prepared: &Session, console: &mut Console) {
        let harness = &prepared.harness;
        let built_in = match prepared.built_in {
            Some(_) => " (the built-in receiver)",
            None => "",
        };
        let length = self.length();
        let rate = match self.rate {
            Rate::Max => "as fast as can be".to_owned(),
            rate @ Rate::Constant(_) => format!("{rate} a second"),
            rate @ Rate::Ramp { .. } => format!("at {rate}"),
        };
        console.say(&format!(
            "aghook {}: {length}, {rate}, over {} connections to {}{built_in}",
            env!("CARGO_PKG_VERSION"),
            self.connections,
            harness.redaction.text(harness.target.as_str()),
        ));
        console.say(&format!(
            "the same events again: --seed {} --start-time {}{}\n",
            self.seed,
            prepared.start,
            mix_option::again(&self.event_mix)
        ));
    }
}
