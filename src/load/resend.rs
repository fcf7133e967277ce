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

#[derive(Debug)]
pub(crate) struct ResentEvent {
    pub event: FailedEvent,
    /// The last response, or why there was none. `None` if the event was not sent.
    pub response: Option<ResponseRecord>,
    /// Whether the player now holds what the event grants. `None` if that was not checked.
    pub inventory: Option<InventoryCheck>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ResentCounts {
    pub expected: usize,
    pub unexpected: usize,
    pub undecided: usize,
}

impl ResentEvent {
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
            Some(InventoryCheck::Failed { .. }) => Verdict::Failed,
            Some(InventoryCheck::Undecided(_)) => Verdict::Broken,
        };
        response.max(inventory)
    }
}

impl ResentCounts {
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
/// the probe. Delivers each event once, or `as_treated` in the load: with duplicates, simultaneous
/// deliveries and lost responses. Passes on each delivery with its number.
///
/// Stops if the target can no longer be reached, and returns why. The events after that are not sent, nor
/// those after `stop`.
pub(crate) async fn resend(
    context: &RunContext,
    events: Vec<FailedEvent>,
    as_treated: bool,
    stop: impl Future<Output = ()>,
    mut observe: impl FnMut(&FailedEvent, usize, &Delivery),
) -> (Vec<ResentEvent>, Option<Failure>) {
    let (mut resent, mut unreachable) = (Vec::new(), None);
    let mut stop = std::pin::pin!(stop);
    let mut is_stopped = false;
    for event in events {
        let mut response = None;
        if unreachable.is_none() && !is_stopped {
            let redelivered = Box::pin(redeliver(context, &event, as_treated));
            let deliveries = tokio::select! {
                biased;
                () = &mut stop => {
                    is_stopped = true;
                    Vec::new()
                }
                deliveries = redelivered => deliveries,
            };
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
                    unreachable = reached.err();
                }
            }
        }
        resent.push(ResentEvent {
            event,
            response,
            inventory: None,
        });
    }
    if context.can_read_inventories() && !is_stopped {
        check_grants(context, &mut resent).await;
    }
    (resent, unreachable)
}

async fn redeliver(context: &RunContext, event: &FailedEvent, as_treated: bool) -> Vec<Delivery> {
    let mut random = Seed::of_text("replay").random();
    random.set_stream(event.number);
    let policy = match event.forgery {
        // An attacker would not retry.
        Some(_) => RetrySetting::Off.over(&context.retry),
        None => context.retry.clone(),
    };
    let mut plan = plan_of(context, event, &policy);
    let treatment = if as_treated {
        event.treatment
    } else {
        FailedTreatment::Plain
    };
    plan.fault = (treatment == FailedTreatment::LostAck).then_some(Fault::LostAck);
    match treatment {
        FailedTreatment::Together => {
            let mut second = plan_of(context, event, &policy);
            let mut barriers = LastByteBarrier::for_participants(2).into_iter();
            (plan.barrier, second.barrier) = (barriers.next(), barriers.next());
            let mut second_random = random.clone();
            let (first, second) = tokio::join!(
                send(context, plan, &mut random),
                send(context, second, &mut second_random)
            );
            vec![first, second]
        }
        FailedTreatment::Duplicate => {
            let first = send(context, plan, &mut random).await;
            let second = send(context, plan_of(context, event, &policy), &mut random).await;
            vec![first, second]
        }
        FailedTreatment::Plain | FailedTreatment::LostAck | FailedTreatment::Forgery => {
            vec![send(context, plan, &mut random).await]
        }
    }
}

fn plan_of<'plan>(
    context: &'plan RunContext,
    event: &FailedEvent,
    policy: &'plan RetryPolicy,
) -> DeliveryPlan<'plan> {
    let body = Bytes::copy_from_slice(event.body.as_bytes());
    DeliveryPlan {
        forgery: event.forgery,
        ..DeliveryPlan::new(&context.target, body, policy)
    }
}

async fn send(context: &RunContext, plan: DeliveryPlan<'_>, random: &mut ChaCha8Rng) -> Delivery {
    deliver(context.sender(), plan, random, |_| {}).await
}

/// Checks what the players hold: after the profile's grace period, or else repeatedly while an
/// inventory is wrong.
async fn check_grants(context: &RunContext, events: &mut [ResentEvent]) {
    let mut watch = EffectWatch::new([context.settle]).settled().await;
    loop {
        let mut checked = Vec::new();
        let mut due = Vec::new();
        for (index, resent) in events.iter().enumerate() {
            let is_due = matches!(resent.inventory, None | Some(InventoryCheck::Failed { .. }));
            if resent.response.is_some() && is_due {
                match expected(context, resent) {
                    Ok(expected) => due.push((index, expected)),
                    Err(undecided) => checked.push((index, undecided)),
                }
            }
        }
        let due = due.into_iter();
        context
            .check_inventories(due, |index, check| checked.push((index, check)))
            .await;
        let is_wrong = |(_, check): &_| matches!(check, InventoryCheck::Failed { .. });
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
fn expected(
    context: &RunContext,
    resent: &ResentEvent,
) -> Result<ExpectedInventory, InventoryCheck> {
    let event: Event = serde_json::from_str(&resent.event.body)
        .map_err(|error| InventoryCheck::Undecided(format!("its body is not an event: {error}")))?;
    if resent.event.shares_player {
        let reason = "the load sent other events for the same player";
        return Err(InventoryCheck::Undecided(reason.to_owned()));
    }
    let count = match (resent.event.forgery, resent.is_acknowledged()) {
        (Some(_), _) => GrantCount::Never,
        (None, true) => GrantCount::Once,
        (None, false) => GrantCount::AtMostOnce,
    };
    Ok(context.expected_inventory(&event, count))
}
