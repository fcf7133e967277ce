//! `aghook run`: runs scenarios against a receiver.

mod repetition;
mod watch;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};

use clap::Args;

use super::event_sink::{EventSink, Recording};
use super::interrupt::{interrupted_once, interrupted_twice};
use super::numbers;
use super::report_options::ReportOptions;
use super::scenario_selection::ScenarioSelection;
use super::secret_options::{self, SecretOptions};
use super::session::{StartedSession, capabilities};
use super::snapshot_options::SnapshotOptions;
use super::target_options::TargetOptions;
use super::{CommandError, Console, ExitCode, block_on, scenario_selection};
use crate::generate::{Seed, StartTime};
use crate::report::write_dry_run;
use crate::run::{Plan, RunEvent, RunOptions};
use crate::snapshots::SnapshotReview;
use repetition::{FailureRates, RepeatOptions, UntilFailure};
use watch::watch;

/// Run scenarios against a receiver
///
/// Checks the receiver's responses and that every coupon is granted exactly once. Without
/// `--target` and aghook.yaml, aghook starts its built-in receiver on a free port.
///
/// Exits with 0 if no `must` check failed, 1 if one failed, 2 if the command line or a file is invalid,
/// and 3 if the target could not be reached, a check could not be completed (broken), or nothing was
/// checked.
#[derive(Debug, Args)]
#[command(after_long_help = secret_options::SECRET_HELP, next_help_heading = "Run")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent command-line flag"
)]
pub struct Run {
    #[command(flatten)]
    scenarios: ScenarioSelection,

    #[command(flatten)]
    target: TargetOptions,

    #[command(flatten)]
    secret: SecretOptions,

    /// Random seed: changes the players, items and IDs in the scenarios [default: each scenario's seed]
    #[arg(long, value_name = "N", value_parser = numbers::whole)]
    seed: Option<u64>,

    /// Start time T, as Unix seconds or RFC 3339; event times are relative to it [default: now]
    ///
    /// Runs with the same seed and start time send the same bodies.
    #[arg(long, value_name = "T")]
    start_time: Option<StartTime>,

    /// Number of scenarios to run simultaneously [default: 8, and up to 32 over a slow link]
    #[arg(long, value_name = "N", value_parser = numbers::scenarios)]
    jobs: Option<NonZeroUsize>,

    /// Stop after the first failing scenario
    #[arg(long)]
    fail_fast: bool,

    /// Do not stop if the first scenarios show that the URL, an access page, the secret or a probe is
    /// wrong
    ///
    /// Then a receiver that refuses every genuine delivery fails.
    #[arg(long)]
    skip_setup_check: bool,

    /// Treat warnings (failed `should` checks) and "not checked" results as failures
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    repetition: RepeatOptions,

    /// Run again when a scenario file, the config or its file of players changes, until Ctrl-C
    #[arg(long)]
    #[arg(conflicts_with_all = ["until_failure", "record", "start_time", "outline_only"])]
    watch: bool,

    /// Wait for pauses and retry delays instead of skipping them
    #[arg(long)]
    real_time: bool,

    /// Print what would be sent and checked, without sending anything
    ///
    /// Lists the events, steps, effects and probes of each scenario, and what would not be checked
    /// and why. Needs no secret and no receiver.
    #[arg(long = "dry-run", conflicts_with_all = ["report", "record"])]
    outline_only: bool,

    #[command(flatten)]
    snapshots: SnapshotOptions,

    #[command(flatten)]
    reports: ReportOptions,

    /// Record the run to this folder, for `aghook report` and `aghook replay`
    ///
    /// Writes one file, `run.jsonl`, with every request and response, but without the webhook's
    /// secret. Never overwrites a recorded run.
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    record: Option<PathBuf>,
}

impl Run {
    pub(super) fn run(self, console: &Console) -> Result<ExitCode, CommandError> {
        self.reports.check()?;
        let interrupted = AtomicBool::new(false);
        let run = || self.run_once(&interrupted, console);
        if self.watch {
            let files = || [self.scenarios.files(), self.target.files()].concat();
            return watch(run, &interrupted, files, console);
        }
        run()
    }

    fn run_once(
        &self,
        interrupted: &AtomicBool,
        console: &Console,
    ) -> Result<ExitCode, CommandError> {
        let cases = self.scenarios.read(console)?;
        let rates = &FailureRates::new(&cases);
        let review = self.snapshots.settings(&cases, &self.scenarios)?;
        let start = self.start_time.unwrap_or_else(StartTime::now);
        let options = RunOptions {
            seed: self.seed.map(Seed::new),
            strict: self.strict,
            real_time: self.real_time,
            check_setup: !self.skip_setup_check,
            jobs: self.jobs,
            ..RunOptions::starting_at(start)
        };
        let mut session = self.target.session(options, console)?;
        session.players = self.scenarios.own_shard(&session.players).into();
        let cases = self.repetition.of_one_run(cases);
        let plans = session
            .plans(cases.iter().cloned())
            .map_err(|problems| scenario_selection::diagnostics_error(&problems, console))?;
        note_shared_players(session.players.len(), &plans, console);
        if self.outline_only {
            let capabilities = capabilities(&session)?;
            let outlines = plans.iter().map(|plan| plan.dry_run(&capabilities));
            write_dry_run(&mut console.reopened(), &outlines.collect::<Vec<_>>())?;
            return Ok(ExitCode::Success);
        }

        self.reports.check_writable()?;
        let stop = &AtomicBool::new(false);
        let mut until_failure = self.repetition.until_failure.then(|| UntilFailure {
            options: &self.repetition,
            cases: &cases,
            session: session.clone(),
            rates,
            stop,
            fail_fast: self.fail_fast,
            console,
            latest: Mutex::default(),
        });
        // Reports are written on another thread, so that a slow reader does not delay deliveries.
        std::thread::scope(|scope| {
            block_on(async move {
                let session = StartedSession::start(session, &self.secret, console).await?;
                tokio::select! {
                    biased;
                    () = interrupted_once() => {
                        interrupted.store(true, Ordering::Relaxed);
                        return Err(CommandError::not_completed("interrupted"));
                    }
                    reached = session.reach(&self.target) => reached?,
                }
                // Opening truncates the reports of earlier runs, so it comes after all other errors.
                let recording = self.record.as_deref().map(Recording::create).transpose()?;
                let reports = self.reports.open(console);
                let (sender, receiver) = mpsc::channel();
                let writer = scope.spawn(move || reports.follow(&receiver));
                let review =
                    review.map(|review| SnapshotReview::new(review, session.snapshots.clone()));
                let stop_on_failure = self.fail_fast.then_some(stop);
                let sink = EventSink::new(review, stop_on_failure, recording, sender);
                let interrupt = || {
                    stop.store(true, Ordering::Relaxed);
                    interrupted.store(true, Ordering::Relaxed);
                };
                let completed = tokio::select! {
                    // Install the Ctrl-C handler before the first request is sent.
                    biased;
                    () = interrupted_twice(interrupt, STOPPING, console) => false,
                    () = run_plans(session, &plans, until_failure.as_mut(), &sink, rates, stop) => true,
                };
                // Only now it is known which run is the last, or where a second Ctrl-C cut it off.
                let latest = until_failure.iter().flat_map(UntilFailure::take_latest);
                latest.for_each(|event| sink.accept(event));
                let (ended, recorded) = sink.finish();
                let written = writer.join().unwrap_or_else(|_| {
                    Err(CommandError::not_completed("the report thread panicked"))
                });
                let code = match ended {
                    Some(ended) if completed => ended.outcome().into(),
                    _ => ExitCode::NotCompleted,
                };
                if let Some(rates) = rates.text() {
                    console.note(&rates);
                }
                written.and(recorded).map(|()| code)
            })
        })
    }
}

/// Prints a note if the list of players is too short for all scenarios to use different players.
fn note_shared_players(listed: usize, plans: &[Plan], console: &Console) {
    let needed: usize = plans.iter().map(|plan| plan.listed_players).sum();
    if listed > 0 && listed < needed {
        console.note(&format!(
            "`players` lists {listed} players, but the scenarios need {needed}: scenarios that \
             share a player run one after the other"
        ));
    }
}

const STOPPING: &str = "stopping: running scenarios finish first; press Ctrl-C again to stop now";

/// Runs the plans, or repeats them until a run fails.
async fn run_plans(
    mut session: StartedSession,
    plans: &[Plan],
    until_failure: Option<&mut UntilFailure<'_>>,
    sink: &EventSink<'_>,
    rates: &FailureRates,
    stop: &AtomicBool,
) {
    if let Some(until_failure) = until_failure {
        until_failure.run(&mut session.context).await;
    } else {
        let accept = |event: RunEvent| {
            rates.count(&event);
            sink.accept(event);
        };
        session.context.run(plans, &accept, stop).await;
    }
    session.stop().await;
}
