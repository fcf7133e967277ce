//! Resends the failed events of a load: selects them, and prints what is sent and the results.

use std::io::Write as _;

use super::super::interrupt::interrupted_once;
use super::super::scenario_selection::is_selected;
use super::super::session::StartedSession;
use super::super::target_options::unreachable_error;
use super::super::{CommandError, Console, ExitCode, block_on};
use super::ReplayRun;
use crate::delivery::Delivery;
use crate::load::{FailedEvent, FailedEventsHead, ResentEvent, lacks_expired_secret, resend};
use crate::report::{FireReport, write_resent};
use crate::run::{AttemptLocation, RunContext, attempt_record};
use crate::verify::Verdict;

impl ReplayRun {
    pub(super) fn resend(
        &self,
        head: &FailedEventsHead,
        mut events: Vec<FailedEvent>,
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        if self.compare.is_some() {
            let message =
                "`--compare` needs a recorded run: a failures file has no recorded responses";
            return Err(CommandError::usage(message).with_help("remove `--compare`"));
        }
        let all = events.len();
        events.retain(|event| self.selects_event(event));
        if events.is_empty() {
            let help = "`--filter` matches event IDs, players, treatments and problems";
            let message = format!("none of the {all} events matches these filters");
            return Err(CommandError::usage(message).with_help(help));
        }
        let recorded = (!head.built_in_receiver).then_some(head.target.as_str());
        let chosen = self.session(recorded, "load's", console)?;
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
            let observe = |event: &FailedEvent, number, delivery: &Delivery| {
                if self.verbose && printed.is_ok() {
                    printed = print_attempts(event, number, delivery, context, console);
                }
            };
            let (resent, unreachable) = resend(
                context,
                events,
                self.as_treated,
                interrupted_once(),
                observe,
            )
            .await;
            printed?;
            let unreachable =
                unreachable.map(|failure| unreachable_error(&context.target, &failure));
            session.stop().await;
            write_resent(&resent, console)?;
            // A failed event fails the command even if the target became unreachable.
            let worst = resent.iter().map(ResentEvent::verdict).max();
            match (worst.unwrap_or(Verdict::Passed), unreachable) {
                (Verdict::Passed | Verdict::Broken, Some(error)) => Err(error),
                (worst, _) => Ok(worst.into()),
            }
        })
    }

    fn selects_event(&self, event: &FailedEvent) -> bool {
        let treatment = serde_json::to_value(event.treatment).unwrap_or_default();
        let treatment = treatment.as_str().unwrap_or_default();
        let (id, player, problem) = (&event.event_id, &event.player_id, &event.problem);
        is_selected(&self.filter, &[id, player, treatment, problem])
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
        Err(CommandError::usage(message).with_help(help))
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
    if let more @ 1.. = head.left_out {
        writeln!(console, "{more} more failed events were not recorded")?;
    }
    writeln!(console)
}

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
    let mut report = FireReport::new(console, true);
    for attempt in &delivery.attempts {
        report.attempt(&attempt_record(place, "event", attempt, &context.redaction))?;
    }
    Ok(())
}
