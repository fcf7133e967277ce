//! Resends the failed events of a load: selects them, and prints what is sent and the results.

use std::io::Write as _;

use super::super::command_error::CommandError;
use super::super::console::Console;
use super::super::session::StartedSession;
use super::super::target_options::unreachable_error;
use super::super::{ExitCode, block_on};
use super::ReplayRun;
use crate::delivery::Delivery;
use crate::load::{
    FailedEvent, FailedEventsHead, Resent, ResentCounts, ResentTreatment, lacks_expired_secret,
    resend,
};
use crate::report::{FireReport, write_resent};
use crate::run::{AttemptLocation, RunContext, attempt_record};
use crate::transport::Target;

impl ReplayRun {
    /// Resends the selected events of a failures file.
    pub(super) fn resend(
        &self,
        head: &FailedEventsHead,
        events: Vec<FailedEvent>,
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        if self.compare.is_some() {
            let message =
                "`--compare` needs a recorded run: a failures file has no recorded responses";
            return Err(CommandError::usage(
                message,
                "remove `--compare`".to_owned(),
            ));
        }
        let all = events.len();
        let events: Vec<FailedEvent> = events
            .into_iter()
            .filter(|event| self.selects_event(event))
            .collect();
        if events.is_empty() {
            let help = "`--filter` matches event IDs, players, treatments and problems";
            let message = format!("none of the {all} events matches these filters");
            return Err(CommandError::usage(message, help.to_owned()));
        }
        let mut chosen = self.session(console)?;
        if chosen.target.is_none() && !head.built_in_receiver {
            let target = Target::parse(&head.target, &chosen.allowed).map_err(|error| {
                let message = format!("the load's target can't be used: {error}");
                CommandError::usage(message, "choose another with `--target URL`".to_owned())
            })?;
            chosen.client.set_routed_target(&target);
            chosen.target = Some(target);
        }
        let treatment = if self.as_treated {
            ResentTreatment::AsInLoad
        } else {
            ResentTreatment::Once
        };
        block_on(async {
            let session = StartedSession::start(chosen, &self.secret, console).await?;
            let context = &session.context;
            self.check_target(head, context)?;
            if lacks_expired_secret(&events, context) {
                return Err(CommandError::without_expired_secret("the profile"));
            }
            session.reach(&self.target).await?;
            print_start(head, &events, context, console)?;
            let mut printed = Ok(());
            let Resent {
                events: resent,
                unreachable,
            } = resend(context, events, treatment, |event, number, delivery| {
                if self.verbose && printed.is_ok() {
                    printed = print_attempts(event, number, delivery, context, console);
                }
            })
            .await;
            printed?;
            let unreachable =
                unreachable.map(|failure| unreachable_error(&context.target, &failure));
            session.stop().await;
            write_resent(&resent, console)?;
            // A failed event fails the command even if the target became unreachable.
            let counts = ResentCounts::of(&resent);
            match unreachable {
                _ if counts.unexpected > 0 => Ok(ExitCode::CheckFailed),
                Some(error) => Err(error),
                None if counts.undecided > 0 => Ok(ExitCode::NotCompleted),
                None => Ok(ExitCode::Success),
            }
        })
    }

    fn selects_event(&self, event: &FailedEvent) -> bool {
        let treatment = serde_json::to_value(event.treatment).unwrap_or_default();
        let treatment = treatment.as_str().unwrap_or_default().to_owned();
        let texts = [
            &event.event_id,
            &event.player_id,
            &treatment,
            &event.problem,
        ];
        let mut filters = self.filter.iter();
        self.filter.is_empty()
            || filters.any(|filter| texts.iter().any(|text| filter.matches(text)))
    }

    /// Refuses a profile's target that differs from the load's, because a live event can grant real
    /// items.
    fn check_target(
        &self,
        head: &FailedEventsHead,
        context: &RunContext,
    ) -> Result<(), CommandError> {
        let target = context.shown_target();
        if self.target.names_target() || context.built_in_receiver || target == head.target {
            return Ok(());
        }
        let load_target = if head.built_in_receiver {
            "the built-in receiver"
        } else {
            &head.target
        };
        let message =
            format!("these events failed at {load_target}, but the profile's target is {target}");
        let help = "set the target with `--target URL`, or choose another profile";
        Err(CommandError::usage(message, help.to_owned()))
    }
}

fn print_start(
    head: &FailedEventsHead,
    events: &[FailedEvent],
    context: &RunContext,
    console: &mut Console,
) -> std::io::Result<()> {
    let target = context.shown_target();
    let new = if context.built_in_receiver {
        " (a new built-in receiver with an empty ledger)"
    } else {
        ""
    };
    writeln!(
        console,
        "resending {} of {} failed events of a load on {} (--seed {} --start-time {}) to \
         {target}{new}, signed again",
        events.len(),
        head.events.saturating_add(head.left_out),
        head.target,
        head.seed,
        head.start_time
    )?;
    if head.left_out > 0 {
        writeln!(
            console,
            "{} more failed events were not recorded",
            head.left_out
        )?;
    }
    writeln!(console)
}

/// Prints every attempt of a delivery.
fn print_attempts(
    event: &FailedEvent,
    number: usize,
    delivery: &Delivery,
    context: &RunContext,
    console: &mut Console,
) -> std::io::Result<()> {
    writeln!(console, "event {}, delivery {number}", event.number)?;
    let place = AttemptLocation {
        scenario: 1,
        step: 1,
        delivery: number,
    };
    let mut report = FireReport::new(console);
    for attempt in &delivery.attempts {
        report.attempt(&attempt_record(place, "event", attempt, &context.redaction))?;
    }
    Ok(())
}
