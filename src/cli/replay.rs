//! `aghook replay`: a recorded run sent again, or the events that went wrong in a load.

mod failed_events;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use url::Url;

use self::failed_events::FailuresFile;
use super::command_error::CommandError;
use super::console::Console;
use super::files::Filter;
use super::preparation::Preparation;
use super::report::{read_through, unreadable};
use super::secret_options::SecretOptions;
use super::secrets::Secrets;
use super::target_options::{ChosenTarget, TargetOptions, reach};
use super::{ExitCode, block_on};
use crate::delivery::Target;
use crate::generate::StartTime;
use crate::harness::{RunStarted, ScenarioStarted};
use crate::journal::{CompareBy, Journal, Replay, ReplayEnded, Signatures, SkipReason};
use crate::report::{Detail, ReplayReport};
use crate::scenario::Profile;

/// Send a recorded run again, or just the events that went wrong in a load
///
/// Of a recorded run, the answers are compared with those of then. Requests are sent one after the other in their recorded order: the same bytes with the same
/// headers, signature and timestamp included, or signed afresh. They go to --target, else to the
/// profile's target, else to where they went then. A run against the built-in receiver can be sent to
/// a new one with --resign.
///
/// Of a file that `aghook load` wrote with --failures, each event is delivered again with the same
/// body, signed afresh, to the load's target or to --target. It is told of each what was answered,
/// and whether it is granted as often as it should be now, if the profile has the probe `quantity`.
///
/// Exits with 0 if the answers are the same, or every event of the file is right now; with 1 if one
/// differs or is wrong; with 2 if the file can't be read; and with 3 if the target could not be
/// reached, nothing was compared, or of an event it can't be told.
#[derive(Debug, Args)]
#[command(after_long_help = super::arguments::SECRET_HELP)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line, and any of them go together"
)]
pub struct ReplayRun {
    /// The folder of the recorded run, a file of the JSON report, or a load's failures
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// Sign deliveries afresh, for a receiver that checks the timestamp's age or has another secret;
    /// a forgery is forged again
    #[arg(long)]
    resign: bool,

    /// What of the answers of a recorded run is compared [default: body]
    #[arg(long, value_name = "WHAT")]
    compare: Option<Compare>,

    /// Treat each event of a load's failures as the load did: delivered again, twice at the same
    /// moment, or with its first answer lost [default: each is delivered once]
    #[arg(long)]
    as_treated: bool,

    /// Only scenarios whose name or file has this text, or matches this glob (repeatable: any of
    /// them); of a load's failures, only events whose ID, player, treatment or problem has it
    #[arg(long, value_name = "EXPR")]
    filter: Vec<Filter>,

    /// Wait between the attempts of a delivery as long as the retry policy did
    #[arg(long)]
    real_time: bool,

    /// Tell of every request, not only of those whose answer differs
    #[arg(short, long)]
    verbose: bool,

    #[command(flatten)]
    target: TargetOptions,

    #[command(flatten)]
    secret: SecretOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Compare {
    /// The status alone, or why there was no answer
    Status,
    /// The body as well
    Body,
}

impl ReplayRun {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        if let Some(failures) = FailuresFile::read(&self.run)? {
            return self.resend(failures, console);
        }
        if self.as_treated {
            let message = "`--as-treated` is for the failures of a load, and this is none";
            let help = "name the file that `aghook load` wrote, aghook-failures.jsonl if nothing \
                        else was said";
            return Err(CommandError::usage(message, help.to_owned()));
        }
        if let Err(error) = Journal::open(&self.run)
            && error.is_not_a_journal()
        {
            let message = format!("{error}, and no failures of a load either");
            let help = "name the folder that `aghook run --record DIR` wrote, a file of the JSON \
                        report, or the file that `aghook load` wrote of what went wrong";
            return Err(CommandError::usage(message, help.to_owned()));
        }
        // All of the journal is looked at before any of it is sent.
        let whole = read_through(&self.run)?;
        let (journal, started) = Journal::open(&self.run).map_err(|error| unreadable(&error))?;
        let chosen = self.choose(&started, console)?;
        let recorded_target = Url::parse(&started.target).map_err(|error| {
            let message = format!("the recorded target {} is no URL: {error}", started.target);
            CommandError::usage(message, None)
        })?;
        let code = block_on(self.send(journal, &started, &recorded_target, chosen, console))?;
        whole.tell_if_incomplete(console);
        Ok(code)
    }

    /// The receiver that is meant. The probes are not read, so nothing of them has to be there.
    fn choose(
        &self,
        started: &RunStarted,
        console: &Console,
    ) -> Result<ChosenTarget, CommandError> {
        let mut chosen = self.target.choose(console)?;
        chosen.profile.probes.clear();
        if chosen.target.is_some() {
            return Ok(chosen);
        }
        if !started.built_in_receiver {
            let target = Target::parse(&started.target, &chosen.allowed).map_err(|error| {
                let message = format!("the recorded target can't be used: {error}");
                CommandError::usage(message, "name another with `--target URL`".to_owned())
            })?;
            chosen.target = Some(target);
        } else if !self.resign {
            return Err(CommandError::usage(
                "the run was sent to the built-in receiver, whose secret only that run knew",
                "send it to a new one with `--resign`, or to another receiver with `--target URL`"
                    .to_owned(),
            ));
        }
        Ok(chosen)
    }

    /// Only to sign afresh, the secret has to be known. Otherwise it is only kept out of the output.
    fn secrets(&self, profile: &Profile) -> Result<Secrets, CommandError> {
        let loaded = Secrets::load(&self.secret, profile);
        if self.resign || self.secret.is_given() {
            return loaded;
        }
        loaded.or_else(|_| Secrets::random())
    }

    /// How sending again is prepared, be it a recorded run or failed events.
    fn preparation(&self, target: ChosenTarget) -> Preparation<'_> {
        Preparation {
            target,
            secret: &self.secret,
            seed: None,
            start: StartTime::from_system_time(SystemTime::now()),
            strict: false,
            real_time: self.real_time,
            fail_fast: false,
            jobs: 1,
        }
    }

    async fn send(
        &self,
        journal: Journal,
        started: &RunStarted,
        recorded_target: &Url,
        chosen: ChosenTarget,
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        let prepared = self
            .preparation(chosen)
            .start_with(|profile| self.secrets(profile))
            .await?;
        let harness = &prepared.harness;
        reach(&harness.client, &harness.target).await?;
        let (signatures, how) = if self.resign {
            (Signatures::Fresh, "signed afresh")
        } else {
            (Signatures::AsRecorded, "exactly as they were")
        };
        let target = harness.redaction.text(harness.target.as_str());
        let recorded_by = &started.aghook_version;
        writeln!(
            console,
            "a run that aghook {recorded_by} recorded, sent again to {target}: {how}\n"
        )?;
        let compare_by = match self.compare {
            Some(Compare::Status) => CompareBy::Status,
            Some(Compare::Body) | None => CompareBy::Body,
        };
        let replay = Replay {
            context: harness,
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
        let ended = replay
            .run(
                journal,
                |scenario| self.means(scenario),
                |replayed| {
                    if written.is_ok() {
                        written = report.replayed(replayed);
                    }
                },
            )
            .await
            .map_err(|error| unreadable(&error))?;
        written?;
        if let Some(built_in) = prepared.built_in {
            built_in.stop().await;
        }
        if ended.scenarios == 0 && !self.filter.is_empty() {
            let help = "look for their names with `aghook report`".to_owned();
            return Err(CommandError::usage(
                "no scenario is meant by these options",
                help,
            ));
        }
        report.ended(&ended, signatures, compare_by)?;
        verdict(&ended)
    }

    fn means(&self, scenario: &ScenarioStarted) -> bool {
        let means =
            |filter: &Filter| filter.matches(&scenario.name) || filter.matches(&scenario.file);
        self.filter.is_empty() || self.filter.iter().any(means)
    }
}

/// What differs is certain, whatever else went wrong. A replay that compared nothing is no success.
fn verdict(ended: &ReplayEnded) -> Result<ExitCode, CommandError> {
    if ended.different > 0 {
        return Ok(ExitCode::CheckFailed);
    }
    if let Some(reason) = &ended.aborted {
        let message = format!("the target can't be reached any more: {reason}");
        let help = "look for a crash in the receiver's log".to_owned();
        return Err(CommandError::not_completed(message, help));
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
    Ok(ExitCode::ChecksHeld)
}
