//! `aghook replay`: resends a recorded run, the failed events of a load, or a capture.

mod captured;
mod failed_events;

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use url::Url;

use super::failures_file;
use super::interrupt::interrupted_once;
use super::report::summarize_journal;
use super::scenario_selection::{Filter, is_selected};
use super::secret_options::{self, SecretOptions};
use super::session::{StartedSession, random_secrets};
use super::target_options::TargetOptions;
use super::{CommandError, Console, ExitCode, block_on};
use crate::capture::is_capture_file;
use crate::generate::StartTime;
use crate::report::{Detail, ReplayReport};
use crate::run::{
    CompareBy, Journal, Replay, ReplayEnded, RunOptions, RunStarted, ScenarioStarted, Secrets,
    Session, Signatures, SkipReason,
};
use crate::scenario::Profile;
use crate::transport::Target;

/// Resend a recorded run, the failed events of a load, or a capture
///
/// Recorded run: sends the requests one after the other in their recorded order, and compares the
/// responses with the recorded ones. The bytes are the same, including headers, signature and
/// timestamp; --resign signs them again. The requests go to --target if given, otherwise to the
/// profile's target, otherwise to the recorded target. If the run used the built-in receiver, aghook
/// starts a new one; this needs --resign.
///
/// Failures file of `aghook load`: delivers each event again with the same body and a new signature,
/// to --target or to the load's target. Prints the response to each event and, if the profile has
/// the probe `quantity`, whether the event is now granted exactly once.
///
/// Capture of `aghook capture` or `aghook import`: delivers each event again in the recorded order and
/// layout, with new IDs and players and a new signature, and compares the status with the recorded one.
///
/// Exits with 0 if the responses are the same or every event passes, 1 if a response differs or an
/// event fails, 2 if the command line or the file is invalid, and 3 if the target could not be
/// reached, nothing was compared, or an event is undecided.
#[derive(Debug, Args)]
#[command(after_long_help = secret_options::SECRET_HELP)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent command-line flag"
)]
pub struct ReplayRun {
    /// Folder of a recorded run, a JSON report, a failures file of a load, or a capture
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// Sign requests again, for a receiver that checks the timestamp or has another secret; forgeries
    /// are forged again
    #[arg(long)]
    resign: bool,

    /// What to compare in the responses of a recorded run [default: body]
    #[arg(long, value_name = "WHAT")]
    compare: Option<Compare>,

    /// Repeat the load's treatment of each failed event: a duplicate, two simultaneous deliveries, or
    /// a lost first response [default: one delivery per event]
    #[arg(long)]
    as_treated: bool,

    /// Select scenarios whose name or file contains this text or matches this glob (repeatable: any
    /// of them); in a failures file, match the event ID, player, treatment or problem
    #[arg(long, value_name = "EXPR")]
    filter: Vec<Filter>,

    /// Wait between the attempts of a delivery, as in the recorded run
    #[arg(long)]
    real_time: bool,

    /// Show every request, not only those with a different response
    #[arg(short, long)]
    verbose: bool,

    #[command(flatten)]
    target: TargetOptions,

    #[command(flatten)]
    secret: SecretOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Compare {
    /// Only the status, or the reason why there was no response
    Status,
    /// The status and the body
    Body,
}

impl ReplayRun {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        if is_capture_file(&self.run) {
            return self.send_captured(console);
        }
        if let Some((head, events)) = failures_file::read(&self.run)? {
            return self.resend(&head, events, console);
        }
        if self.as_treated {
            let message = "`--as-treated` needs a failures file of a load";
            let help = "pass the file that `aghook load --failures` wrote, by default \
                        aghook-failures.jsonl";
            return Err(CommandError::usage(message).with_help(help));
        }
        if let Err(error) = Journal::open(&self.run)
            && error.is_not_a_journal()
        {
            let message = format!("{error}; it is not a failures file of a load either");
            let help = "pass the folder of `aghook run --record DIR`, a file of the JSON report, \
                        or the failures file of `aghook load`";
            return Err(CommandError::usage(message).with_help(help));
        }
        // Check the whole journal before sending anything.
        let summary = summarize_journal(&self.run)?;
        let (journal, started) = Journal::open(&self.run)?;
        let chosen = self.choose(&started, console)?;
        let target = &started.target;
        let recorded_target = Url::parse(target).map_err(|error| {
            CommandError::usage(format!("invalid recorded target {target}: {error}"))
        })?;
        let code = block_on(self.send(journal, &started, &recorded_target, chosen, console))?;
        summary.note_if_incomplete(console);
        Ok(code)
    }

    /// Chooses the receiver. Removes its probes, which are not needed, so that their variables do
    /// not have to be set.
    fn choose(&self, started: &RunStarted, console: &Console) -> Result<Session, CommandError> {
        let recorded = (!started.built_in_receiver).then_some(started.target.as_str());
        let mut chosen = self.session(recorded, "recorded", console)?;
        chosen.profile.probes.clear();
        if chosen.target.is_none() && !self.resign {
            let message = "the run used the built-in receiver, whose secret is not recorded";
            let help =
                "send it to a new one with `--resign`, or to another receiver with `--target URL`";
            return Err(CommandError::usage(message).with_help(help));
        }
        Ok(chosen)
    }

    /// Loads the secrets. They are only required to sign again; otherwise they are only used to
    /// redact the output.
    fn secrets(&self, profile: &Profile, console: &Console) -> Result<Secrets, CommandError> {
        let loaded = self.secret.load_all(profile, console);
        if self.resign || self.secret.is_given() {
            return loaded;
        }
        loaded.or_else(|_| random_secrets())
    }

    /// The session, with `recorded_target` unless another target is chosen.
    fn session(
        &self,
        recorded_target: Option<&str>,
        source: &str,
        console: &Console,
    ) -> Result<Session, CommandError> {
        let options = RunOptions {
            real_time: self.real_time,
            ..RunOptions::starting_at(StartTime::now())
        };
        let mut session = self.target.session(options, console)?;
        if let (None, Some(url)) = (&session.target, recorded_target) {
            let target = Target::parse(url, &session.allowed).map_err(|error| {
                CommandError::usage(format!("the {source} target can't be used: {error}"))
                    .with_help("choose another with `--target URL`")
            })?;
            session.client.set_routed_target(&target);
            session.target = Some(target);
        }
        Ok(session)
    }

    async fn send(
        &self,
        journal: Journal,
        started: &RunStarted,
        recorded_target: &Url,
        chosen: Session,
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        let session =
            StartedSession::start_with(chosen, |profile| self.secrets(profile, console)).await?;
        let context = &session.context;
        session.reach(&self.target).await?;
        let (signatures, how) = if self.resign {
            (Signatures::Fresh, "signed again")
        } else {
            (Signatures::AsRecorded, "unchanged")
        };
        let target = context.shown_target();
        let version = &started.aghook_version;
        let line = format!("resending a run recorded by aghook {version} to {target}, {how}");
        writeln!(console, "{line}\n")?;
        let compare_by = match self.compare {
            Some(Compare::Status) => CompareBy::Status,
            Some(Compare::Body) | None => CompareBy::Body,
        };
        let replay = Replay {
            context,
            recorded_target,
            signatures,
            compare_by,
        };
        let detail = if self.verbose {
            Detail::Verbose
        } else {
            Detail::Normal
        };
        let mut report = ReplayReport::new(console, detail);
        let mut written = Ok(());
        let observe = |scenario: &str, attempt: &_, result: &_| {
            if written.is_ok() {
                written = report.replayed(scenario, attempt, result);
            }
        };
        let selects = |scenario: &_| self.selects(scenario);
        let ended = replay
            .run(journal, selects, interrupted_once(), observe)
            .await?;
        written?;
        session.stop().await;
        if ended.scenarios == 0 && !self.filter.is_empty() {
            let help = "`aghook report` shows the names of the scenarios";
            return Err(CommandError::usage("no scenario matches these filters").with_help(help));
        }
        report.ended(&ended, signatures, compare_by)?;
        verdict(&ended)
    }

    fn selects(&self, scenario: &ScenarioStarted) -> bool {
        is_selected(&self.filter, &[&scenario.name, &scenario.file])
    }
}

/// A difference fails the replay even if other errors occurred. A replay that compared nothing does
/// not succeed.
fn verdict(ended: &ReplayEnded) -> Result<ExitCode, CommandError> {
    if ended.different > 0 {
        return Ok(ExitCode::CheckFailed);
    }
    if let Some(reason) = &ended.aborted {
        let message = format!("the target can no longer be reached: {reason}");
        let help = "look for a crash in the receiver's log";
        return Err(CommandError::not_completed(message).with_help(help));
    }
    let hook_failed = |reason: &SkipReason| {
        matches!(
            reason,
            SkipReason::ScriptFailed(_) | SkipReason::RestartFailed(_)
        )
    };
    if ended.same == 0 || ended.skipped.keys().any(hook_failed) {
        return Ok(ExitCode::NotCompleted);
    }
    Ok(ExitCode::Success)
}
