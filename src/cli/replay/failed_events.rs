//! Resends the failed events of a load, with the same bodies and new signatures.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use rand_chacha::ChaCha8Rng;

use super::super::command_error::CommandError;
use super::super::console::Console;
use super::super::load::effect_check::PROBE;
use super::super::session::StartedSession;
use super::super::target_options::reach;
use super::super::{ExitCode, block_on};
use super::ReplayRun;
use crate::delivery::{Delivery, DeliveryPlan, deliver};
use crate::generate::Seed;
use crate::load::{
    FailedEvent, FailedEventsHead, FailedTreatment, begins_failed_events, read_failed_events,
};
use crate::policy::Outcome;
use crate::policy::{Fault, Forgery, RetryPolicy, RetrySetting};
use crate::protocol::Event;
use crate::report::{FireReport, ResentEvent, count_resent, write_resent};
use crate::run::{AttemptLocation, ResponseRecord, RunContext, attempt_record, response_record};
use crate::transport::{LastByteBarrier, Target};
use crate::verify::{ExpectedInventory, GrantCount, InventoryCheck};

/// The maximum length of the first line.
const MAX_HEAD_LENGTH: u64 = 64 * 1024;
/// The number of players to probe simultaneously.
const CONCURRENT_PROBES: usize = 16;
/// How long effects may take to show if the profile has no `settle`.
const DEFAULT_SETTLE: Duration = Duration::from_secs(2);
/// The pause between two reads of a probe.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);

/// The content of a failures file.
pub(super) struct FailuresFile {
    head: FailedEventsHead,
    events: Vec<FailedEvent>,
}

impl FailuresFile {
    /// Reads a failures file; `None` if the file is of another kind or does not exist.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, CommandError> {
        let Ok(file) = File::open(path) else {
            return Ok(None);
        };
        let mut file = BufReader::new(file);
        let mut first = Vec::new();
        let read = file
            .by_ref()
            .take(MAX_HEAD_LENGTH)
            .read_until(b'\n', &mut first);
        let first = first.strip_suffix(b"\n").unwrap_or(&first);
        if read.is_err() || !begins_failed_events(first) || file.rewind().is_err() {
            return Ok(None);
        }
        let (head, events) = read_failed_events(file).map_err(|error| {
            CommandError::usage(
                format!("invalid failures file {}: {error}", path.display()),
                "nothing was sent; use the unchanged file of `aghook load`, and select events with \
                 `--filter`"
                    .to_owned(),
            )
        })?;
        Ok(Some(Self { head, events }))
    }
}

impl ReplayRun {
    /// Resends the selected events of a failures file.
    pub(super) fn resend(
        &self,
        file: FailuresFile,
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
        let FailuresFile { head, events } = file;
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
            chosen.target = Some(target);
        }
        block_on(async {
            let session = StartedSession::start(chosen, &self.secret).await?;
            self.check_target(&head, &session.context)?;
            check_forgeries(&events, &session.context)?;
            session.reach().await?;
            print_start(&head, &events, &session.context, console)?;
            let resender = FailedEventResender {
                context: &session.context,
                as_treated: self.as_treated,
                verbose: self.verbose,
                started: Instant::now(),
            };
            let mut resent = Vec::new();
            let mut unreachable = None;
            for event in events {
                let response = match unreachable {
                    None => {
                        let sending = resender.send(&event, &mut unreachable, console);
                        Some(Box::pin(sending).await?)
                    }
                    Some(_) => None,
                };
                resent.push(ResentEvent {
                    event,
                    response,
                    inventory: None,
                });
            }
            resender.check_grants(&mut resent).await;
            session.stop().await;
            write_resent(&resent, console)?;
            verdict(&resent, unreachable)
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

/// Without the old secret, the forgery `expired_secret` can't be sent.
fn check_forgeries(events: &[FailedEvent], context: &RunContext) -> Result<(), CommandError> {
    let mut forgeries = events.iter().filter_map(|event| event.forgery);
    if context.expired.is_some() || !forgeries.any(|forgery| forgery == Forgery::ExpiredSecret) {
        return Ok(());
    }
    let message = "the forgery `expired_secret` needs the previous secret";
    let help = "set `expired_secret_env` in the profile to the environment variable that holds it";
    Err(CommandError::usage(message, help.to_owned()))
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

/// Resends events and checks their grants.
struct FailedEventResender<'run> {
    context: &'run RunContext,
    as_treated: bool,
    verbose: bool,
    started: Instant,
}

impl FailedEventResender<'_> {
    /// Delivers an event and returns the last response. Sets `unreachable` if the target can no
    /// longer be reached.
    async fn send(
        &self,
        event: &FailedEvent,
        unreachable: &mut Option<CommandError>,
        console: &mut Console,
    ) -> Result<ResponseRecord, CommandError> {
        let context = self.context;
        let mut random = Seed::of_text("replay").random();
        random.set_stream(event.number);
        let treatment = if self.as_treated {
            event.treatment
        } else {
            FailedTreatment::Plain
        };
        let policy = match event.forgery {
            // An attacker would not retry.
            Some(_) => RetrySetting::Off.over(&context.retry),
            None => context.retry.clone(),
        };
        let mut plan = self.plan(event, &policy);
        if treatment == FailedTreatment::LostAck {
            plan.fault = Some(Fault::LostAck);
        }
        let delivery = match treatment {
            FailedTreatment::Together => {
                let mut barriers = LastByteBarrier::for_participants(2).into_iter();
                let mut second_plan = self.plan(event, &policy);
                (plan.barrier, second_plan.barrier) = (barriers.next(), barriers.next());
                let mut second_random = random.clone();
                let (first, second) = tokio::join!(
                    self.deliver(plan, &mut random),
                    self.deliver(second_plan, &mut second_random)
                );
                self.print_attempts(event, 2, &second, console)?;
                first
            }
            FailedTreatment::Duplicate => {
                let first = self.deliver(plan, &mut random).await;
                let second = self.deliver(self.plan(event, &policy), &mut random).await;
                self.print_attempts(event, 2, &second, console)?;
                first
            }
            _ => self.deliver(plan, &mut random).await,
        };
        self.print_attempts(event, 1, &delivery, console)?;
        let last = delivery.attempts.last().map(|last| &last.exchange.result);
        let Some(last) = last else {
            let message = "a delivery had no attempts";
            return Err(CommandError::not_completed(message, None));
        };
        if delivery.outcome == Outcome::Exhausted && last.is_err() {
            *unreachable = reach(&context.client, &context.target).await.err();
        }
        Ok(response_record(last, &context.redaction))
    }

    fn plan<'plan>(
        &'plan self,
        event: &FailedEvent,
        policy: &'plan RetryPolicy,
    ) -> DeliveryPlan<'plan> {
        let body = Bytes::copy_from_slice(event.body.as_bytes());
        DeliveryPlan {
            forgery: event.forgery,
            ..DeliveryPlan::new(&self.context.target, body, policy)
        }
    }

    async fn deliver(&self, plan: DeliveryPlan<'_>, random: &mut ChaCha8Rng) -> Delivery {
        deliver(self.context.sender(), plan, random, |_| {}).await
    }

    /// Prints every attempt, with `--verbose`.
    fn print_attempts(
        &self,
        event: &FailedEvent,
        number: usize,
        delivery: &Delivery,
        console: &mut Console,
    ) -> std::io::Result<()> {
        if !self.verbose {
            return Ok(());
        }
        writeln!(console, "event {}, delivery {number}", event.number)?;
        let place = AttemptLocation {
            scenario: 1,
            step: 1,
            delivery: number,
        };
        let mut report = FireReport::new(console);
        for attempt in &delivery.attempts {
            let record = attempt_record(place, "event", attempt, &self.context.redaction);
            report.attempt(&record)?;
        }
        Ok(())
    }

    /// Checks what the players hold, if the profile has the probe. Waits for the profile's `settle`,
    /// or else retries failed checks for a while.
    async fn check_grants(&self, resent: &mut [ResentEvent]) {
        if !self.context.probes.contains_key(PROBE) {
            return;
        }
        let retry_time = match self.context.settle {
            Some(settle) => {
                tokio::time::sleep(settle.saturating_sub(self.started.elapsed())).await;
                Duration::ZERO
            }
            None => DEFAULT_SETTLE,
        };
        let from = Instant::now();
        loop {
            let due = resent.iter_mut().filter(|resent| {
                let is_wrong = matches!(resent.inventory, Some(InventoryCheck::Failed(_)));
                resent.response.is_some() && (resent.inventory.is_none() || is_wrong)
            });
            let checks = due.map(|resent| async {
                let inventory = self.inventory(resent).await;
                resent.inventory = Some(inventory);
            });
            let mut checks = stream::iter(checks).buffer_unordered(CONCURRENT_PROBES);
            while checks.next().await.is_some() {}
            drop(checks);
            let is_wrong =
                |resent: &ResentEvent| matches!(resent.inventory, Some(InventoryCheck::Failed(_)));
            if !resent.iter().any(is_wrong) || from.elapsed() >= retry_time {
                return;
            }
            tokio::time::sleep(PROBE_INTERVAL).await;
        }
    }

    async fn inventory(&self, resent: &ResentEvent) -> InventoryCheck {
        let event: Event = match serde_json::from_str(&resent.event.body) {
            Ok(event) => event,
            Err(error) => {
                return InventoryCheck::Undecided(format!("its body is not an event: {error}"));
            }
        };
        if resent.event.shares_player {
            let reason = "the load sent other events for the same player";
            return InventoryCheck::Undecided(reason.to_owned());
        }
        let Some(probe) = self.context.probes.get(PROBE) else {
            return InventoryCheck::Undecided("the profile has no probe `quantity`".to_owned());
        };
        let count = match (resent.event.forgery, resent.is_acknowledged()) {
            (Some(_), _) => GrantCount::Never,
            (None, true) => GrantCount::Once,
            (None, false) => GrantCount::AtMostOnce,
        };
        let expectation = ExpectedInventory::new(&event, count, self.context.policy)
            .with_held_once(&self.context.held_once);
        let redacted = |text: String| self.context.redaction.text(&text).into_owned();
        match expectation.check(probe, &self.context.client).await {
            InventoryCheck::Passed => InventoryCheck::Passed,
            InventoryCheck::Failed(problem) => InventoryCheck::Failed(redacted(problem)),
            InventoryCheck::Undecided(reason) => InventoryCheck::Undecided(redacted(reason)),
        }
    }
}

/// A failed event fails the command even if the target became unreachable.
fn verdict(
    resent: &[ResentEvent],
    unreachable: Option<CommandError>,
) -> Result<ExitCode, CommandError> {
    let counts = count_resent(resent);
    match unreachable {
        _ if counts.unexpected > 0 => Ok(ExitCode::CheckFailed),
        Some(error) => Err(error),
        None if counts.undecided > 0 => Ok(ExitCode::NotCompleted),
        None => Ok(ExitCode::Success),
    }
}
