//! Sends failed events of a load again, with the same bodies and new signatures.

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;

use super::failed_events::{FailedEvent, FailedTreatment};
use crate::delivery::{Delivery, DeliveryPlan, deliver};
use crate::generate::Seed;
use crate::policy::{Fault, Forgery, Outcome, RetryPolicy, RetrySetting, StatusClass};
use crate::protocol::Event;
use crate::run::{ResponseRecord, RunContext, response_record};
use crate::transport::{Failure, LastByteBarrier};
use crate::verify::{EffectWatch, ExpectedInventory, GrantCount, InventoryCheck, Verdict};

/// An event of a failures file and the result of sending it again.
#[derive(Debug)]
pub(crate) struct ResentEvent {
    /// The event as recorded in the file.
    pub event: FailedEvent,
    /// The last response, or why there was none. `None` if the event was not sent.
    pub response: Option<ResponseRecord>,
    /// Whether the player now holds what the event grants. `None` if that was not checked.
    pub inventory: Option<InventoryCheck>,
}

/// How many resent events had which result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ResentCounts {
    /// Events that are as expected, as far as checked.
    pub expected: usize,
    /// Events that are not.
    pub unexpected: usize,
    /// Events for which this can't be decided.
    pub undecided: usize,
}

/// How to treat the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResentTreatment {
    /// Deliver each once.
    Once,
    /// Treat each as the load did: with duplicates, simultaneous deliveries and lost responses.
    AsInLoad,
}

/// The events that were sent again, in order.
#[derive(Debug)]
pub(crate) struct Resent {
    /// The events. Those after the target became unreachable were not sent.
    pub events: Vec<ResentEvent>,
    /// Why the target can no longer be reached, if it can't.
    pub unreachable: Option<Failure>,
}

impl ResentEvent {
    /// Whether the last response was 2xx.
    pub(crate) fn is_acknowledged(&self) -> bool {
        match &self.response {
            Some(ResponseRecord::Response { status, .. }) => StatusClass::Success.matches(*status),
            _ => false,
        }
    }

    /// Passed if the event was acknowledged (a forgery: refused) and granted as expected.
    pub(crate) fn verdict(&self) -> Verdict {
        let is_forged = self.event.forgery.is_some();
        let response = match (&self.response, self.event.forgery) {
            (Some(ResponseRecord::Response { .. }), _) if self.is_acknowledged() == is_forged => {
                Verdict::Failed
            }
            (Some(ResponseRecord::Response { .. }), _) => Verdict::Passed,
            (Some(ResponseRecord::Failure { .. }), None) => Verdict::Failed,
            (Some(ResponseRecord::Failure { .. }), Some(_)) | (None, _) => Verdict::Broken,
        };
        let inventory = match &self.inventory {
            None | Some(InventoryCheck::Passed) => Verdict::Passed,
            Some(InventoryCheck::Failed(_)) => Verdict::Failed,
            Some(InventoryCheck::Undecided(_)) => Verdict::Broken,
        };
        response.max(inventory)
    }
}

impl ResentCounts {
    /// Counts the results.
    pub(crate) fn of(events: &[ResentEvent]) -> Self {
        let mut counts = Self::default();
        for event in events {
            match event.verdict() {
                Verdict::Failed => counts.unexpected += 1,
                Verdict::Passed => counts.expected += 1,
                _ => counts.undecided += 1,
            }
        }
        counts
    }
}

/// Whether the forgeries of these events can't be sent, because the context has no expired secret.
pub(crate) fn lacks_expired_secret(events: &[FailedEvent], context: &RunContext) -> bool {
    let needs = |event: &FailedEvent| event.forgery == Some(Forgery::ExpiredSecret);
    context.expired.is_none() && events.iter().any(needs)
}

/// Sends events again, one after the other, then checks what their players hold, if the profile has
/// the probe. Passes on each delivery with its number. Stops if the target can no longer be reached.
pub(crate) async fn resend(
    context: &RunContext,
    events: Vec<FailedEvent>,
    treatment: ResentTreatment,
    mut observe: impl FnMut(&FailedEvent, usize, &Delivery),
) -> Resent {
    let resender = Resender { context, treatment };
    let mut resent = Resent {
        events: Vec::new(),
        unreachable: None,
    };
    for event in events {
        let mut response = None;
        if resent.unreachable.is_none() {
            let deliveries = Box::pin(resender.deliver(&event)).await;
            for (index, delivery) in deliveries.iter().enumerate() {
                observe(&event, index + 1, delivery);
            }
            if let Some(first) = deliveries.first()
                && let Some(last) = first.attempts.last()
            {
                let result = &last.exchange.result;
                response = Some(response_record(result, &context.redaction));
                if first.outcome == Outcome::Exhausted && result.is_err() {
                    let reached = context.client.probe_connection(&context.target).await;
                    resent.unreachable = reached.err();
                }
            }
        }
        resent.events.push(ResentEvent {
            event,
            response,
            inventory: None,
        });
    }
    if context.can_read_inventories() {
        resender.check_grants(&mut resent.events).await;
    }
    resent
}

struct Resender<'run> {
    context: &'run RunContext,
    treatment: ResentTreatment,
}

impl Resender<'_> {
    /// Delivers an event as often as its treatment demands.
    async fn deliver(&self, event: &FailedEvent) -> Vec<Delivery> {
        let mut random = Seed::of_text("replay").random();
        random.set_stream(event.number);
        let policy = match event.forgery {
            // An attacker would not retry.
            Some(_) => RetrySetting::Off.over(&self.context.retry),
            None => self.context.retry.clone(),
        };
        let mut plan = self.plan(event, &policy);
        let treatment = match self.treatment {
            ResentTreatment::Once => FailedTreatment::Plain,
            ResentTreatment::AsInLoad => event.treatment,
        };
        match treatment {
            FailedTreatment::Together => {
                let mut second = self.plan(event, &policy);
                let mut barriers = LastByteBarrier::for_participants(2).into_iter();
                (plan.barrier, second.barrier) = (barriers.next(), barriers.next());
                let mut second_random = random.clone();
                let (first, second) = tokio::join!(
                    self.send(plan, &mut random),
                    self.send(second, &mut second_random)
                );
                vec![first, second]
            }
            FailedTreatment::Duplicate => {
                let first = self.send(plan, &mut random).await;
                let second = self.send(self.plan(event, &policy), &mut random).await;
                vec![first, second]
            }
            FailedTreatment::LostAck => {
                plan.fault = Some(Fault::LostAck);
                vec![self.send(plan, &mut random).await]
            }
            FailedTreatment::Plain | FailedTreatment::Forgery => {
                vec![self.send(plan, &mut random).await]
            }
        }
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

    async fn send(&self, plan: DeliveryPlan<'_>, random: &mut ChaCha8Rng) -> Delivery {
        deliver(self.context.sender(), plan, random, |_| {}).await
    }

    /// Checks what the players hold: after the profile's grace period, or else repeatedly while an
    /// inventory is wrong.
    async fn check_grants(&self, events: &mut [ResentEvent]) {
        let mut watch = EffectWatch::new([self.context.settle]).settled().await;
        loop {
            let mut checked = Vec::new();
            let mut due = Vec::new();
            for (index, resent) in events.iter().enumerate() {
                let is_due = matches!(resent.inventory, None | Some(InventoryCheck::Failed(_)));
                if resent.response.is_some() && is_due {
                    match self.expected(resent) {
                        Ok(expected) => due.push((index, expected)),
                        Err(undecided) => checked.push((index, undecided)),
                    }
                }
            }
            let due = due.into_iter();
            self.context
                .check_inventories(due, |index, check| checked.push((index, check)))
                .await;
            let is_wrong = |(_, check): &_| matches!(check, InventoryCheck::Failed(_));
            let wrong = checked.iter().any(is_wrong);
            for (index, check) in checked {
                events[index].inventory = Some(check);
            }
            if !wrong || !watch.look_again(false).await {
                return;
            }
        }
    }

    /// What the event's player must hold, or the check if that is unknown.
    fn expected(&self, resent: &ResentEvent) -> Result<ExpectedInventory, InventoryCheck> {
        let event: Event = serde_json::from_str(&resent.event.body).map_err(|error| {
            InventoryCheck::Undecided(format!("its body is not an event: {error}"))
        })?;
        if resent.event.shares_player {
            let reason = "the load sent other events for the same player";
            return Err(InventoryCheck::Undecided(reason.to_owned()));
        }
        let count = match (resent.event.forgery, resent.is_acknowledged()) {
            (Some(_), _) => GrantCount::Never,
            (None, true) => GrantCount::Once,
            (None, false) => GrantCount::AtMostOnce,
        };
        Ok(self.context.expected_inventory(&event, count))
    }
}
