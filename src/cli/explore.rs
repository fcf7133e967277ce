//! `aghook explore`: looks for failures that no scenario lists, and writes each as a scenario.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::corpus_folder;
use super::interrupt::{interrupted_twice, restart_ended};
use super::numbers;
use super::report_options::ReportOptions;
use super::secret_options::{self, SecretOptions};
use super::session::StartedSession;
use super::target_options::TargetOptions;
use super::{CommandError, Console, ExitCode, block_on};
use crate::explore::{ExploreEnd, ExploreSettings, Explorer, Kind};
use crate::generate::{Seed, StartTime};
use crate::policy::DurationText;
use crate::run::{FORMAT_VERSION, RunContext, RunEnded, RunEvent, RunOptions, RunStarted};
use crate::scenario::{Hook, bundled_suite};

const REDRAW_EVERY: Duration = Duration::from_millis(250);
/// How often a line is written if standard error is no terminal.
const WRITE_EVERY: Duration = Duration::from_secs(10);
const STOPPING: &str = "stopping: running cases finish first; press Ctrl-C again to stop now";

/// Look for bugs that no scenario lists
///
/// Draws lawful histories of deliveries, redeliveries, faults and forgeries, and checks after each that
/// every coupon was granted exactly once. Shrinks a history that fails to a small scenario, and writes
/// it to a file that `aghook run` runs.
///
/// Exits with 0 if nothing failed, 1 if something failed, 2 if the command line or a file is invalid, and
/// 3 if the target could not be reached or a check could not be completed (broken).
#[derive(Debug, Args)]
#[command(after_long_help = secret_options::SECRET_HELP, next_help_heading = "Explore")]
pub struct Explore {
    #[command(flatten)]
    target: TargetOptions,

    #[command(flatten)]
    secret: SecretOptions,

    /// Start no more cases after this time. Shrinking failures and finding their cause may take as long
    /// again, at least 20s and at most 60s
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    budget: DurationText,

    /// Start no more than N cases [default: as many as the budget allows]
    #[arg(long, value_name = "N", value_parser = numbers::cases)]
    cases: Option<NonZeroU64>,

    /// Random seed of the cases [default: random]
    #[arg(long, value_name = "N", value_parser = numbers::whole)]
    seed: Option<u64>,

    /// Start time T, as Unix seconds or RFC 3339; event times are relative to it [default: now]
    #[arg(long, value_name = "T")]
    start_time: Option<StartTime>,

    /// Try only these kinds of events and steps, such as bundle,redelivery; `restart` means all restarts
    /// [default: all]
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    only: Vec<Kind>,

    /// Leave out these kinds of events and steps; `restart` means all restarts
    #[arg(
        long,
        value_name = "KINDS",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    without: Vec<Kind>,

    /// Stop after the first failure
    #[arg(long)]
    fail_fast: bool,

    /// Do not stop if the plain deliveries at the start show that the set-up does not work
    #[arg(long)]
    skip_setup_check: bool,

    /// Folder for the scenarios that fail
    #[arg(long, value_name = "DIR", default_value = "explored")]
    save: PathBuf,

    /// Folder that keeps interesting cases. Begin with those in it, and add new ones, up to 200
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,

    #[command(flatten)]
    reports: ReportOptions,
}

impl Explore {
    pub(super) fn run(self, console: &Console) -> Result<ExitCode, CommandError> {
        self.reports.check()?;
        let inputs = [self.target.files(), self.secret.files()];
        self.reports.check_apart(&inputs.concat())?;
        let ended = self.explore(console);
        self.reports.replace_unopened(&ended, console);
        ended
    }

    fn explore(&self, console: &Console) -> Result<ExitCode, CommandError> {
        let seed = match self.seed {
            Some(seed) => Seed::new(seed),
            None => Seed::new(random_number()?),
        };
        let options = RunOptions::starting_at(self.start_time.unwrap_or_else(StartTime::now));
        let options = RunOptions {
            check_setup: !self.skip_setup_check,
            ..options
        };
        let session = self.target.session(options, console)?;
        self.reports.check_writable()?;
        // A profile that does not suit the whole suite can still be explored, without naming a cause.
        let suite = bundled_suite().and_then(|cases| session.plans(cases));
        let suite = suite.unwrap_or_default();
        let plan_settings = session.plan_settings();
        let settings = ExploreSettings {
            seed,
            kinds: self.kinds(),
            may_restart: !self.without.contains(&Kind::Restart),
            skus: session.profile.plain_skus(),
            budget: self.budget.0,
            cases: self.cases.map(NonZeroU64::get),
            fail_fast: self.fail_fast,
            corpus: self
                .corpus
                .as_deref()
                .map_or(Ok(Vec::new()), corpus_folder::read)?,
        };
        let skip_setup_check = self.skip_setup_check;
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            block_on(async {
                let session = StartedSession::start(session, &self.secret, console).await?;
                session.reach(&self.target).await?;
                session.check_jobs()?;
                if !session.context.can_read_inventories() {
                    let message = "exploring needs the probe `quantity`";
                    let help = "add `probes: { quantity: … }` to a profile in aghook.yaml";
                    return Err(CommandError::usage(message).with_help(help));
                }
                let explorer = Explorer::new(&session.context, plan_settings, settings, &stop);
                let interrupt = || stop.store(true, Ordering::Relaxed);
                let restart = session.context.hooks.get(Hook::RESTART);
                let stop_now = async {
                    interrupted_twice(interrupt, STOPPING, console).await;
                    restart_ended(restart, console).await;
                };
                let work = async {
                    if let Some(events) =
                        explorer.setup_problem().await.filter(|_| !skip_setup_check)
                    {
                        return Err(events);
                    }
                    explorer.explore().await;
                    Ok(if explorer.has_found() {
                        explorer.likely_causes(suite).await
                    } else {
                        Vec::new()
                    })
                };
                let likely_causes = tokio::select! {
                    biased;
                    () = stop_now => Ok(Vec::new()),
                    () = show_progress(&explorer) => {
                        return Err(CommandError::not_completed("the progress line ended"));
                    }
                    causes = work => causes,
                };
                let reports = self.reports.open(console);
                let (sender, receiver) = mpsc::channel();
                let writer = scope.spawn(move || reports.follow(&receiver));
                let accept = |event| _ = sender.send(event);
                let code = match likely_causes {
                    Ok(causes) => self.report(explorer.end(causes), &session.context, accept),
                    Err(events) => {
                        events.into_iter().for_each(accept);
                        Ok(ExitCode::NotCompleted)
                    }
                };
                drop(sender);
                session.stop().await;
                let written = writer.join().unwrap_or_else(|_| {
                    Err(CommandError::not_completed("the report thread panicked"))
                });
                let code = code?;
                written?;
                Ok(
                    if stop.load(Ordering::Relaxed) && code == ExitCode::Success {
                        ExitCode::NotCompleted
                    } else {
                        code
                    },
                )
            })
        })
    }

    fn kinds(&self) -> BTreeSet<Kind> {
        let only = if self.only.is_empty() {
            Kind::ALL
        } else {
            &self.only
        };
        let meant = |kinds: &[Kind]| Kind::meant_by(kinds.iter().copied());
        &meant(only) - &meant(&self.without)
    }

    /// Saves the failures, and reports them as a run.
    fn report(
        &self,
        ended: ExploreEnd,
        context: &RunContext,
        send: impl Fn(RunEvent),
    ) -> Result<ExitCode, CommandError> {
        send(RunEvent::RunStarted(RunStarted {
            format_version: FORMAT_VERSION,
            aghook_version: env!("CARGO_PKG_VERSION").into(),
            target: context.shown_target().into_owned(),
            built_in_receiver: context.built_in_receiver,
            start_time: context.start.to_string(),
            seed: Some(ended.explored.seed),
            scenarios: ended.cases.total(),
        }));
        if let Some(folder) = &self.corpus {
            corpus_folder::add(folder, &ended.kept)?;
        }
        for found in ended.found {
            let path =
                save(&self.save, &found.file_stem(), &found.scenario()).map_err(|error| {
                    let folder = self.save.display();
                    CommandError::not_completed(format!(
                        "can't save a scenario in {folder}: {error}"
                    ))
                    .with_help("choose a writable folder with `--save`")
                })?;
            for event in found.into_events(&path.display().to_string()) {
                send(event);
            }
        }
        for event in ended.broken {
            send(event);
        }
        let run_ended = RunEnded {
            scenarios: ended.cases,
            checks: ended.checks,
            not_run: 0,
            setup_problem: None,
            refused_items: None,
            receiver_stopped: ended.receiver_stopped,
            likely_causes: ended.likely_causes,
            since_baseline: None,
            explored: Some(ended.explored),
            took: ended.took,
            held_back: Duration::ZERO,
        };
        let code = run_ended.outcome().into();
        send(RunEvent::RunEnded(run_ended));
        Ok(code)
    }
}

/// Draws a progress line on a terminal, and writes a line now and then elsewhere.
async fn show_progress(explorer: &Explorer<'_>) {
    if ProgressDrawTarget::stderr().is_hidden() {
        let started = Instant::now();
        loop {
            tokio::time::sleep(WRITE_EVERY).await;
            let (seconds, progress) = (started.elapsed().as_secs(), explorer.progress());
            // If standard error is closed, nobody reads it.
            let _ = writeln!(
                io::stderr(),
                "explore, {seconds} s: {progress}; Ctrl-C keeps what is found"
            );
        }
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{elapsed} {msg}") {
        bar.set_style(style);
    }
    loop {
        bar.set_message(explorer.progress().to_string());
        bar.tick();
        tokio::time::sleep(REDRAW_EVERY).await;
    }
}

/// Writes a new file, and never replaces one.
fn save(folder: &Path, stem: &str, text: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    for number in 1_u32.. {
        let name = match number {
            1 => format!("{stem}.yaml"),
            number => format!("{stem}_{number}.yaml"),
        };
        let path = folder.join(name);
        match fs::File::create_new(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn random_number() -> Result<u64, CommandError> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)
        .map_err(|error| CommandError::not_completed(format!("can't choose a seed: {error}")))?;
    Ok(u32::from_le_bytes(bytes).into())
}
