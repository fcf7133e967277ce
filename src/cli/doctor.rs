//! `aghook doctor`: checks the set-up in a few seconds.

use std::io::Write as _;

use clap::Args;

use super::scenario_selection::diagnostics_error;
use super::secret_options::{self, SecretOptions};
use super::target_options::TargetOptions;
use super::{CommandError, Console, ExitCode, block_on};
use crate::generate::StartTime;
use crate::report::write_finding;
use crate::run::{Finding, ItemEvents, RunOptions, checkup_case};
use crate::verify::Verdict;

/// Check the set-up: the URL, the secret, the probes and the hooks
///
/// Connects, reads the probes, delivers one event twice, a bundle, and one event for each of the first 20
/// listed `items`, sends forgeries and calls harmless hooks. Names what is wrong, and the line of the
/// profile to change. The events are live ones, which the game grants.
///
/// Exits with 0 if the set-up works, 1 if the receiver has a bug, 2 if the command line or a file is
/// invalid, and 3 if the set-up is wrong.
#[derive(Debug, Args)]
#[command(after_long_help = secret_options::SECRET_HELP)]
pub struct Doctor {
    #[command(flatten)]
    target: TargetOptions,

    #[command(flatten)]
    secret: SecretOptions,
}

impl Doctor {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let start = StartTime::now();
        let options = RunOptions::starting_at(start);
        let session = self.target.session(options, console)?;
        session.target()?;
        let rendered = |problems| diagnostics_error(&problems, console);
        let plans = checkup_case().and_then(|cases| session.plans(cases));
        let mut plans = plans.map_err(rendered)?;
        let secrets = self.secret.load_all(&session.profile, console)?;
        let profile = session.profile_name.clone();
        let secret_source = self.secret.describe(session.profile.secret_env.as_deref());
        let items = ItemEvents::of(&session.profile, start);
        let context = session.context(&secrets)?;
        let mut findings = Vec::new();
        let code = block_on(async {
            let Some(plan) = plans.pop() else {
                return Ok(ExitCode::NotCompleted);
            };
            let report = |finding: Finding| {
                let place = finding.key.and_then(|key| match key {
                    "secret_env" => Some(format!("the secret is in {secret_source}")),
                    key => self.target.place(profile.as_deref(), key),
                });
                // A closed pipe ends the report, not the check-up.
                let _ = write_finding(console, &finding, place.as_deref());
                findings.push(finding.verdict);
            };
            self.target.wait(&context.client, &context.target).await;
            Box::pin(context.check_up(plan, &secrets, &items, report)).await;
            Ok(code(&findings))
        })?;
        let text = match code {
            ExitCode::Success => "the set-up works",
            ExitCode::CheckFailed => "the set-up works, and the receiver has a bug",
            _ => "the set-up is wrong",
        };
        writeln!(console, "\n{text}")?;
        console.flush()?;
        Ok(code)
    }
}

/// A wrong set-up says nothing about the receiver, so it decides.
fn code(findings: &[Verdict]) -> ExitCode {
    if findings.contains(&Verdict::Broken) {
        ExitCode::NotCompleted
    } else if findings.contains(&Verdict::Failed) {
        ExitCode::CheckFailed
    } else {
        ExitCode::Success
    }
}
