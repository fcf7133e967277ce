//! The events that went wrong in a load, sent again: just those, with the same bodies, signed
//! afresh.

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
use super::super::preparation::PreparedRun;
use super::super::target_options::reach;
use super::super::{ExitCode, block_on};
use super::ReplayRun;
use crate::delivery::{Delivery, DeliveryPlan, Gate, Outcome, Target, deliver};
use crate::generate::Seed;
use crate::harness::{
    AttemptLocation, ExpectedHoldings, GrantCount, HoldingsCheck, ResponseRecord, RunContext,
    attempt_record, response_record,
};
use crate::load::{
    FailedEvent, FailedEventsHead, FailedTreatment, begins_failed_events, read_failed_events,
};
use crate::protocol::Event;
use crate::report::{FiredReport, ResentEvent, count_resent, write_resent};
use crate::scenario::{Fault, Forgery, RetryPolicy, RetrySetting};

/// The longest first line that is looked at.
const LONGEST_HEAD: u64 = 64 * 1024;
/// How many players are looked at at a time.
const AT_A_TIME: usize = 16;
/// How long effects may take to show where the profile does not say, and the pause between looks.
const DEFAULT_SETTLE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(100);

/// A failures file that was read whole.
pub(super) struct FailuresFile {
    head: FailedEventsHead,
    events: Vec<FailedEvent>,
}

impl FailuresFile {
    /// Reads a file of a load's failures; none if it is something else, or not there.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, CommandError> {
        let Ok(file) = File::open(path) else {
            return Ok(None);
        };
        let mut file = BufReader::new(file);
        let mut first = Vec::new();
        let read = file
            .by_ref()
            .take(LONGEST_HEAD)
            .read_until(b'\n', &mut first);
        let first = first.strip_suffix(b"\n").unwrap_or(&first);
        if read.is_err() || !begins_failed_events(first) || file.rewind().is_err() {
            return Ok(None);
        }
        let (head, events) = read_failed_events(file).map_err(|error| {
            CommandError::usage(
                format!(
                    "{} is no whole file of a load's failures: {error}",
                    path.display()
                ),
                "nothing was sent; take the file as `aghook load` wrote it, or choose some of its \
                 events with `--filter`"
                    .to_owned(),
            )
        })?;
        Ok(Some(Self { head, events }))
    }
}

impl ReplayRun {
    /// Sends the events of a failures file that are meant.
    pub(super) fn resend(
        &self,
        file: FailuresFile,
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        if self.compare.is_some() {
            let message =
                "`--compare` is for recorded runs: of a load's failures no answer was kept";
            return Err(CommandError::usage(message, "leave it out".to_owned()));
        }
        let FailuresFile { head, events } = file;
        let all = events.len();
        let events: Vec<FailedEvent> = events
            .into_iter()
            .filter(|event| self.means_event(event))
            .collect();
        if events.is_empty() {
            let help = "`--filter` is looked for in event IDs, players, treatments and problems";
            let message = format!("none of the {all} events is meant by these options");
            return Err(CommandError::usage(message, help.to_owned()));
        }
        let mut chosen = self.target.choose(console)?;
        if chosen.target.is_none() && !head.built_in_receiver {
            let target = Target::parse(&head.target, &chosen.allowed).map_err(|error| {
                let message = format!("the load's target can't be used: {error}");
                CommandError::usage(message, "name another with `--target URL`".to_owned())
            })?;
            chosen.target = Some(target);
        }
        let preparation = self.preparation(chosen);
        block_on(async {
            let prepared = preparation.start().await?;
            self.check_target(&head, &prepared)?;
            check_forgeries(&events, &prepared.harness)?;
            reach(&prepared.harness.client, &prepared.harness.target).await?;
            tell_begin(&head, &events, &prepared, console)?;
            let resending = Resending {
                harness: &prepared.harness,
                as_treated: self.as_treated,
                verbose: self.verbose,
                started: Instant::now(),
            };
            let mut resent = Vec::new();
            let mut gone = None;
            for event in events {
                let answer = match gone {
                    None => Some(Box::pin(resending.send(&event, &mut gone, console)).await?),
                    Some(_) => None,
                };
                resent.push(ResentEvent {
                    event,
                    answer,
                    holdings: None,
                });
            }
            resending.look(&mut resent).await;
            if let Some(built_in) = prepared.built_in {
                built_in.stop().await;
            }
            write_resent(&resent, console)?;
            verdict(&resent, gone)
        })
    }

    fn means_event(&self, event: &FailedEvent) -> bool {
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

    /// A live event can grant real items: where it goes is said, or the same as before.
    fn check_target(
        &self,
        head: &FailedEventsHead,
        prepared: &PreparedRun,
    ) -> Result<(), CommandError> {
        let harness = &prepared.harness;
        let target = harness.redaction.text(harness.target.as_str());
        if self.target.names_target() || prepared.built_in.is_some() || target == head.target {
            return Ok(());
        }
        let then = if head.built_in_receiver {
            "the built-in receiver"
        } else {
            &head.target
        };
        let message =
            format!("these events went wrong at {then}, and the profile's target is {target}");
        let help = "say which is meant with `--target URL`, or choose another profile";
        Err(CommandError::usage(message, help.to_owned()))
    }
}

/// Without the old secret, what is sent for `expired_secret` would be another forgery.
fn check_forgeries(events: &[FailedEvent], harness: &RunContext) -> Result<(), CommandError> {
    let mut forgeries = events.iter().filter_map(|event| event.forgery);
    if harness.expired.is_some() || !forgeries.any(|forgery| forgery == Forgery::ExpiredSecret) {
        return Ok(());
    }
    let message = "the forgery `expired_secret` needs the secret before the present one";
    let help = "name it as `expired_secret_env` in the profile";
    Err(CommandError::usage(message, help.to_owned()))
}

fn tell_begin(
    head: &FailedEventsHead,
    events: &[FailedEvent],
    prepared: &PreparedRun,
    console: &mut Console,
) -> std::io::Result<()> {
    let harness = &prepared.harness;
    let target = harness.redaction.text(harness.target.as_str());
    let new = match prepared.built_in {
        Some(_) => " (a new built-in receiver, which holds nothing yet)",
        None => "",
    };
    writeln!(
        console,
        "{} of {} events that went wrong in a load of {} (--seed {} --start-time {}), signed afresh \
         and sent to {target}{new}",
        events.len(),
        head.events.saturating_add(head.left_out),
        head.target,
        head.seed,
        head.start_time
    )?;
    if head.left_out > 0 {
        writeln!(console, "{} were too many to be kept", head.left_out)?;
    }
    writeln!(console)
}

/// Sends events again, and looks what they brought.
struct Resending<'run> {
    harness: &'run RunContext,
    as_treated: bool,
    verbose: bool,
    started: Instant,
}

impl Resending<'_> {
    /// Delivers an event and says what the last answer was; `gone` is set if nobody is there any
    /// more.
    async fn send(
        &self,
        event: &FailedEvent,
        gone: &mut Option<CommandError>,
        console: &mut Console,
    ) -> Result<ResponseRecord, CommandError> {
        let harness = self.harness;
        let mut random = Seed::of_text("replay").random();
        random.set_stream(event.number);
        let treatment = if self.as_treated {
            event.treatment
        } else {
            FailedTreatment::Plain
        };
        let once = match event.forgery {
            // It is not the sender who makes it.
            Some(_) => RetrySetting::Off.over(&harness.retry),
            None => harness.retry.clone(),
        };
        let mut plan = self.plan(event, &once);
        if treatment == FailedTreatment::LostAck {
            plan.fault = Some(Fault::LostAck);
        }
        let delivery = match treatment {
            FailedTreatment::Together => {
                let mut gates = Gate::for_participants(2).into_iter();
                let mut twin = self.plan(event, &once);
                (plan.gate, twin.gate) = (gates.next(), gates.next());
                let mut of_twin = random.clone();
                let (own, twin) = tokio::join!(
                    self.deliver(plan, &mut random),
                    self.deliver(twin, &mut of_twin)
                );
                self.tell(event, 2, &twin, console)?;
                own
            }
            FailedTreatment::Duplicate => {
                let own = self.deliver(plan, &mut random).await;
                let again = self.deliver(self.plan(event, &once), &mut random).await;
                self.tell(event, 2, &again, console)?;
                own
            }
            _ => self.deliver(plan, &mut random).await,
        };
        self.tell(event, 1, &delivery, console)?;
        let last = delivery.attempts.last().map(|last| &last.exchange.result);
        let Some(last) = last else {
            let message = "an event was not sent, though it was its turn";
            return Err(CommandError::not_completed(message, None));
        };
        if delivery.outcome == Outcome::Exhausted && last.is_err() {
            *gone = reach(&harness.client, &harness.target).await.err();
        }
        Ok(response_record(last, &harness.redaction))
    }

    fn plan<'plan>(
        &'plan self,
        event: &FailedEvent,
        policy: &'plan RetryPolicy,
    ) -> DeliveryPlan<'plan> {
        let body = Bytes::copy_from_slice(event.body.as_bytes());
        DeliveryPlan {
            forgery: event.forgery,
            ..DeliveryPlan::new(&self.harness.target, body, policy)
        }
    }

    async fn deliver(&self, plan: DeliveryPlan<'_>, random: &mut ChaCha8Rng) -> Delivery {
        deliver(self.harness.sender(), plan, random, |_| {}).await
    }

    /// Shows every attempt, where that is wanted.
    fn tell(
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
        let mut report = FiredReport::new(console);
        for attempt in &delivery.attempts {
            let record = attempt_record(place, "event", attempt, &self.harness.redaction);
            report.attempt(&record)?;
        }
        Ok(())
    }

    /// Reads what the players hold, where there is a probe for it. What is wrong is read again for a
    /// while, unless the profile says how long effects take.
    async fn look(&self, resent: &mut [ResentEvent]) {
        if !self.harness.probes.contains_key(PROBE) {
            return;
        }
        let patience = match self.harness.settle {
            Some(settle) => {
                tokio::time::sleep(settle.saturating_sub(self.started.elapsed())).await;
                Duration::ZERO
            }
            None => DEFAULT_SETTLE,
        };
        let from = Instant::now();
        loop {
            let due = resent.iter_mut().filter(|one| {
                let is_wrong = matches!(one.holdings, Some(HoldingsCheck::Failed(_)));
                one.answer.is_some() && (one.holdings.is_none() || is_wrong)
            });
            let looks = due.map(|one| async {
                let holdings = self.holdings(one).await;
                one.holdings = Some(holdings);
            });
            let mut looks = stream::iter(looks).buffer_unordered(AT_A_TIME);
            while looks.next().await.is_some() {}
            drop(looks);
            let is_wrong =
                |one: &ResentEvent| matches!(one.holdings, Some(HoldingsCheck::Failed(_)));
            if !resent.iter().any(is_wrong) || from.elapsed() >= patience {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn holdings(&self, one: &ResentEvent) -> HoldingsCheck {
        let event: Event = match serde_json::from_str(&one.event.body) {
            Ok(event) => event,
            Err(error) => {
                return HoldingsCheck::Undecided(format!("its body is no event: {error}"));
            }
        };
        if one.event.shares_player {
            let reason = "the load had other events of the same player";
            return HoldingsCheck::Undecided(reason.to_owned());
        }
        let Some(probe) = self.harness.probes.get(PROBE) else {
            return HoldingsCheck::Undecided("there is no probe `quantity`".to_owned());
        };
        let demand = match (one.event.forgery, one.is_acknowledged()) {
            (Some(_), _) => GrantCount::Never,
            (None, true) => GrantCount::Once,
            (None, false) => GrantCount::AtMostOnce,
        };
        let claims = ExpectedHoldings::new(&event, demand, self.harness.policy)
            .with_held_once(&self.harness.held_once);
        let hidden = |text: String| self.harness.redaction.text(&text).into_owned();
        match claims.check(probe, &self.harness.client).await {
            HoldingsCheck::Passed => HoldingsCheck::Passed,
            HoldingsCheck::Failed(problem) => HoldingsCheck::Failed(hidden(problem)),
            HoldingsCheck::Undecided(reason) => HoldingsCheck::Undecided(hidden(reason)),
        }
    }
}

/// What is wrong is certain, whatever else went wrong.
fn verdict(resent: &[ResentEvent], gone: Option<CommandError>) -> Result<ExitCode, CommandError> {
    let counts = count_resent(resent);
    match gone {
        _ if counts.wrong > 0 => Ok(ExitCode::CheckFailed),
        Some(error) => Err(error),
        None if counts.undecided > 0 => Ok(ExitCode::NotCompleted),
        None => Ok(ExitCode::ChecksHeld),
    }
}
