//! `aghook run`: runs scenarios against a receiver.

mod repetition;
mod watch;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use clap::Args;

use super::event_sink::{EventSink, Recording};
use super::interrupt::{interrupted_once, interrupted_twice, restart_ended};
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
use crate::run::{Journal, Plan, RunEvent, RunOptions, ScenarioResults, Session};
use crate::scenario::Hook;
use crate::snapshots::SnapshotReview;
use crate::transport::{Client, Target};
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

    /// Let the local Aghanim at this URL make the deliveries, so that its dashboard shows them
    ///
    /// Deliveries with a fault, a form on the wire or `together` are still made directly.
    #[arg(long, value_name = "URL")]
    #[arg(conflicts_with_all = ["connect_to", "unix_socket", "client_cert", "http_version"])]
    via: Option<String>,

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

    /// Treat warnings (failed `should` checks) and "not checked" results as failures, except for what the
    /// profile's lists of items, players and targets rule out
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
    #[arg(long = "dry-run", conflicts_with_all = ["report", "record", "baseline"])]
    outline_only: bool,

    #[command(flatten)]
    snapshots: SnapshotOptions,

    #[command(flatten)]
    reports: ReportOptions,

    /// Compare with an earlier run: which scenarios newly fail, still fail, and are fixed
    ///
    /// The folder of a recorded run, or a JSON report. Does not change the exit code.
    #[arg(long, value_name = "RUN", help_heading = "Reports")]
    baseline: Option<PathBuf>,

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
        let inputs = [
            self.scenarios.files(),
            self.target.files(),
            self.secret.files(),
            self.baseline.iter().cloned().collect(),
        ];
        self.reports.check_apart(&inputs.concat())?;
        let interrupted = AtomicBool::new(false);
        let run = || {
            let unstarted = Mutex::new(Some(1));
            let ended = self.run_once(&interrupted, &unstarted, console);
            let scenarios = unstarted
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner);
            if let (Err(error), Some(scenarios), false) = (&ended, scenarios, self.outline_only) {
                self.reports
                    .write_failure(error.message(), scenarios, console);
            }
            ended
        };
        if self.watch {
            let files = || [self.scenarios.files(), self.target.files()].concat();
            return watch(run, &interrupted, files, console);
        }
        run()
    }

    /// The endpoint of the local Aghanim that makes the deliveries.
    fn relay(&self, session: &Session) -> Result<Option<Target>, CommandError> {
        let Some(url) = &self.via else {
            return Ok(None);
        };
        let relay =
            Target::parse(url, &session.allowed).and_then(|url| url.with_path("/local/relay"));
        let relay = relay.map_err(|error| CommandError::usage(format!("--via: {error}")))?;
        session.client.set_relay(&relay);
        Ok(Some(relay))
    }

    fn run_once(
        &self,
        interrupted: &AtomicBool,
        // How many scenarios there are; none once the reports are open.
        unstarted: &Mutex<Option<usize>>,
        console: &Console,
    ) -> Result<ExitCode, CommandError> {
        let cases = self.scenarios.read(console)?;
        let rates = &FailureRates::new(&cases);
        let baseline = self.baseline.as_deref();
        let baseline = baseline.map(read_results).transpose()?;
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
        *unstarted.lock().unwrap_or_else(PoisonError::into_inner) = Some(plans.len());
        note_shared_players(session.players.len(), &plans, console);
        if self.outline_only {
            session.check_hooks()?;
            let capabilities = capabilities(&session)?;
            let outlines = plans.iter().map(|plan| plan.dry_run(&capabilities));
            write_dry_run(&mut console.reopened(), &outlines.collect::<Vec<_>>())?;
            return Ok(ExitCode::Success);
        }

        let relay = self.relay(&session)?;
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
                session.check_jobs()?;
                if let Some(relay) = relay {
                    reach_relay(&session.context.client, &relay).await?;
                }
                // Opening truncates the reports of earlier runs, so it comes after all other errors.
                let recording = self.record.as_deref().map(Recording::create).transpose()?;
                *unstarted.lock().unwrap_or_else(PoisonError::into_inner) = None;
                let reports = self.reports.open(console);
                let (sender, receiver) = mpsc::channel();
                let writer = scope.spawn(move || reports.follow(&receiver));
                let review =
                    review.map(|review| SnapshotReview::new(review, session.snapshots.clone()));
                let stop_on_failure = self.fail_fast.then_some(stop);
                let sink = EventSink::new(review, baseline, stop_on_failure, recording, sender);
                let interrupt = || {
                    stop.store(true, Ordering::Relaxed);
                    interrupted.store(true, Ordering::Relaxed);
                };
                let restart = session.context.hooks.get(Hook::RESTART).cloned();
                let stop_now = async {
                    interrupted_twice(interrupt, STOPPING, console).await;
                    restart_ended(restart.as_ref(), console).await;
                };
                let completed = tokio::select! {
                    // Install the Ctrl-C handler before the first request is sent.
                    biased;
                    () = stop_now => false,
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

fn read_results(path: &Path) -> Result<ScenarioResults, CommandError> {
    let (journal, _) = Journal::open(path)?;
    let mut results = ScenarioResults::default();
    for event in journal {
        results.observe(&event?);
    }
    Ok(results)
}

async fn reach_relay(client: &Client, relay: &Target) -> Result<(), CommandError> {
    let reached = client.probe_connection(relay).await;
    reached.map_err(|failure| {
        let message = format!(
            "the local Aghanim at {} can't be reached: {failure}",
            relay.origin()
        );
        CommandError::not_completed(message).with_help("start it with `aghook serve`")
    })
}

/// Prints a note if the list of players is too short for all scenarios to use different players.
fn note_shared_players(listed: usize, plans: &[Plan], console: &Console) {
    let needed: usize = plans.iter().map(|plan| plan.listed_players).sum();
    if listed > 0 && listed < needed {
        console.note(&format!(
            "`players` lists {listed} players, and the scenarios would use {needed}: those that share a \
             player run one after the other. This takes longer, but finds the same"
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
