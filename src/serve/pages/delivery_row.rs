//! A delivery as one line of a list.

use super::moment::Moment;
use crate::serve::model::{Delivery, DeliveryState, Webhook};
use crate::serve::store::queue::RELAYED;

pub(super) struct DeliveryRow {
    pub(super) id: i64,
    pub(super) state: State,
    pub(super) event_type: String,
    pub(super) player: String,
    pub(super) code: String,
    /// Where it goes.
    pub(super) url: String,
    pub(super) created: Moment,
    pub(super) attempts: String,
    /// What is special about it.
    pub(super) notes: Vec<String>,
}

impl DeliveryRow {
    pub(super) fn new(delivery: Delivery, webhooks: &[Webhook]) -> Self {
        let webhook = webhooks
            .iter()
            .find(|webhook| webhook.id == delivery.webhook_id);
        Self {
            id: delivery.id,
            state: State(delivery.state),
            url: destination(&delivery, webhook),
            created: Moment(delivery.created_at),
            attempts: match delivery.attempts {
                1 => "1 attempt".to_owned(),
                number => format!("{number} attempts"),
            },
            notes: notes(&delivery),
            event_type: delivery.event_type,
            player: delivery.player_id,
            code: delivery.code,
        }
    }
}

/// Where a delivery goes.
pub(super) fn destination(delivery: &Delivery, webhook: Option<&Webhook>) -> String {
    match webhook {
        Some(webhook) => webhook.settings.url.clone(),
        None if delivery.webhook_id == RELAYED => "the target of aghook run".to_owned(),
        None => "a deleted webhook".to_owned(),
    }
}

/// What the webhook's faults do to a delivery.
pub(super) fn notes(delivery: &Delivery) -> Vec<String> {
    let all = [
        delivery
            .forgery
            .map(|forgery| format!("forgery: {}", forgery.name())),
        delivery
            .duplicate_of
            .map(|other| format!("duplicate of {other}")),
        delivery
            .loses_response
            .then(|| "first response lost".to_owned()),
        delivery.held.then(|| "waits to be overtaken".to_owned()),
    ];
    all.into_iter().flatten().collect()
}

/// A state with its mark. The color comes from the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State(pub(super) DeliveryState);

impl State {
    pub(super) fn name(self) -> &'static str {
        self.0.name()
    }

    pub(super) fn mark(self) -> &'static str {
        match self.0 {
            DeliveryState::Pending => "…",
            DeliveryState::Delivered => "✓",
            DeliveryState::Refused | DeliveryState::Exhausted => "✗",
            DeliveryState::Canceled => "–",
        }
    }
}
