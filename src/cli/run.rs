//! `aghook run`: scenarios in, a verdict out.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::SystemTime;

use clap::Args;

use super::ExitCode;
use super::command_error::CommandError;
use super::console::Console;
use super::files::ScenarioOptions;
use super::kept::{Kept, Recording, Told};
use super::preparation::{Preparation, PreparedRun};
use super::report_options::ReportOptions;
use super::secret_options::SecretOptions;
use super::snapshot_options::SnapshotOptions;
use super::target_options::{TargetOptions, reach};
use super::{block_on, files};
use crate::generate::{Seed, StartTime};
use crate::harness::{FORMAT_VERSION, Plan, PlanSettings, RunEvent, RunStarted};
use crate::report::write_outlines;
use crate::scenario::document::Diagnostics;
use crate::snapshots::SnapshotReview;

/// Run scenarios against a receiver, and say whether it answers right and grants once
///
/// Without a target, the receiver that is built into aghook is started on a free port of this
/// machine, and the scenarios run against that.
///
/// Exits with 0 if every check held, with 1 if one failed, with 2 if a file or the command line is
/// wrong, and with 3 if the target could not be reached, a check could not be decided, or nothing
/// was checked.
#[derive(Debug, Args)]
#[command(after_long_help = super::arguments::SECRET_HELP)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line, and any of them go together"
)]
pub struct Run {
    #[command(flatten)]
    scenarios: ScenarioOptions,

    #[command(flatten)]
    target: TargetOptions,

    #[command(flatten)]
    secret: SecretOptions,

    /// Mix this seed into every scenario's own, for other events of the same kinds
    #[arg(long, value_name = "N", help_heading = "The run")]
    seed: Option<u64>,

    /// The moment from which event times count, as Unix seconds or RFC 3339 [default: now]; the
    /// same seed and start time send the same bytes
    #[arg(long, value_name = "T", help_heading = "The run")]
    start_time: Option<StartTime>,

    /// How many scenarios run at the same time [default: 8]
    #[arg(long, value_name = "N", help_heading = "The run", value_parser = parse_jobs)]
    jobs: Option<NonZeroUsize>,

    /// Begin no scenario after the first that failed
    #[arg(long, help_heading = "The run")]
    fail_fast: bool,

    /// Count warnings, and what could not be checked, as failures
    #[arg(long, help_heading = "The run")]
    strict: bool,

    /// Wait for pauses and between retries, in place of skipping ahead
    #[arg(long, help_heading = "The run")]
    real_time: bool,

    /// Print what would be sent and checked, and send nothing
    ///
    /// Says of each scenario which events it has, what its steps do, which effects are looked at by
    /// which probe, and what would not be checked and why. It needs no secret and no receiver.
    #[arg(long = "dry-run", help_heading = "The run", conflicts_with_all = ["report", "record"])]
    outline_only: bool,

    #[command(flatten)]
    snapshots: SnapshotOptions,

    #[command(flatten)]
    reports: ReportOptions,

    /// Keep the run in this folder, for `aghook report` and `aghook replay`
    ///
    /// The folder gets one file, `run.jsonl`, with every request and answer. A recorded run is never
    /// written over. The webhook's secret is not in it.
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    record: Option<PathBuf>,
}

/// Scenarios mostly wait for the receiver, so more of them than cores keep it busy.
const DEFAULT_JOBS: usize = 8;

fn parse_jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "expected a whole number of 1 or more".to_owned())
}

impl Run {
    pub(super) fn run(self, console: &Console) -> Result<ExitCode, CommandError> {
        self.reports.check()?;
        let cases = self.scenarios.read(console)?;
        let review = self.snapshots.settings(&cases, &self.scenarios)?;
        let preparation = Preparation {
            target: self.target.choose(console)?,
            secret: &self.secret,
            seed: self.seed.map(Seed::new),
            start: self
                .start_time
                .unwrap_or_else(|| StartTime::from_system_time(SystemTime::now())),
            strict: self.strict,
            real_time: self.real_time,
            fail_fast: self.fail_fast,
            jobs: self.jobs.map_or(DEFAULT_JOBS, NonZeroUsize::get),
        };
        let mut plan_settings = preparation.plan_settings();
        plan_settings.players = self.scenarios.own_share(&plan_settings.players).into();
        let mut plans = Vec::new();
        let mut problems = Diagnostics::default();
        for case in cases {
            match Plan::new(case, &plan_settings) {
                Ok(plan) => {
                    // The next scenario has players of its own, as far as the list reaches.
                    plan_settings.first_player += plan.listed_players;
                    plans.push(plan);
                }
                Err(found) => problems.extend(found.0),
            }
        }
        problems
            .into_result()
            .map_err(|problems| files::wrong(&problems, console))?;

        tell_of_shared_players(&plan_settings, console);
        if self.outline_only {
            let surroundings = preparation.surroundings()?;
            let outlines: Vec<_> = plans
                .iter()
                .map(|plan| plan.dry_run(&surroundings))
                .collect();
            write_outlines(&mut console.reopened(), &outlines)?;
            return Ok(ExitCode::ChecksHeld);
        }

        self.reports.check_writable()?;
        // Reports write on a thread of their own, so that a slow reader holds no delivery up.
        std::thread::scope(|scope| {
            block_on(async move {
                let run = preparation.start().await?;
                reach(&run.harness.client, &run.harness.target).await?;
                // Only now, when the run can begin: this empties the files of the run before.
                let recording = self.record.as_deref().map(Recording::begin).transpose()?;
                let reports = self.reports.open(console);
                let (events, seen) = mpsc::channel();
                let writer = scope.spawn(move || reports.follow(&seen));
                let review =
                    review.map(|review| SnapshotReview::new(review, run.snapshots.clone()));
                let stop = AtomicBool::new(false);
                let stop_on_failure = self.fail_fast.then_some(&stop);
                let told = Told::new(review, stop_on_failure, recording, events);
                let completed = follow(run, &plans, &told, &stop, console.reopened()).await;
                let Kept { ended, recorded } = told.end();
                let written = writer.join().unwrap_or_else(|_| {
                    Err(CommandError::not_completed(
                        "a report ended unexpectedly",
                        None,
                    ))
                });
                let code = match ended {
                    Some(ended) if completed => ExitCode::of_run(&ended),
                    _ => ExitCode::NotCompleted,
                };
                written.and(recorded).map(|()| code)
            })
        })
    }
}

/// Says so where the list of players is too short for every scenario to have its own.
fn tell_of_shared_players(settings: &PlanSettings, console: &Console) {
    let (listed, needed) = (settings.players.len(), settings.first_player);
    if listed > 0 && listed < needed {
        console.reopened().note(&format!(
            "`players` has {listed}, and {needed} would give each scenario its own: those that \
             share a player take turns"
        ));
    }
}

/// Runs the plans to their end, or until Ctrl-C has let those end that are under way. A second
/// Ctrl-C waits for nothing: the run has no end then, and the answer is `false`.
async fn follow(
    run: PreparedRun,
    plans: &[Plan],
    told: &Told<'_>,
    stop: &AtomicBool,
    console: Console,
) -> bool {
    let tell = |event: RunEvent| told.tell(event);
    tell(RunEvent::RunStarted(RunStarted {
        format_version: FORMAT_VERSION,
        aghook_version: env!("CARGO_PKG_VERSION").into(),
        target: run
            .harness
            .redaction
            .text(run.harness.target.as_str())
            .into_owned(),
        built_in_receiver: run.built_in.is_some(),
        start_time: run.start.to_string(),
        seed: run.seed.map(|seed| seed.number()),
        scenarios: plans.len(),
    }));
    tokio::select! {
        // Ctrl-C is listened for before the first request leaves.
        biased;
        () = interrupted_twice(stop, console) => return false,
        _ = run.harness.run(plans, &tell, stop) => {}
    }
    if let Some(built_in) = run.built_in {
        built_in.stop().await;
    }
    true
}

/// Asks the run to stop on the first Ctrl-C, and completes on the second.
async fn interrupted_twice(stop: &AtomicBool, mut console: Console) {
    // Where the signal can't be listened for, Ctrl-C ends the program as usual.
    if tokio::signal::ctrl_c().await.is_ok() {
        stop.store(true, Ordering::Relaxed);
        let tell = async {
            console.note("stopping: what is under way ends first; Ctrl-C again ends at once");
        };
        // Listens before it tells, so that no second Ctrl-C is missed, however soon it comes.
        let (again, ()) = tokio::join!(biased; tokio::signal::ctrl_c(), tell);
        if again.is_ok() {
            return;
        }
    }
    std::future::pending::<()>().await;
}
