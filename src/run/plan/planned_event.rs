//! An event of a plan: its body, and what the game must make of it.

use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::Value;

use crate::generate::{BodyLayout, EventShape, Generator, as_kind};
use crate::protocol::{Event, EventKind, ItemEvent};
use crate::scenario::{JsonPointer, JsonPointerError, amend};

#[derive(Debug, Clone)]
pub struct PlannedEvent {
    pub body: Bytes,
    /// How the body is written.
    pub(crate) layout: BodyLayout,
    /// The event in the form of `coupon.redeemed`, with its own `event_type`. `None` if `raw` or `set`
    /// make it an invalid event.
    pub event: Option<Event>,
}

/// The kind that an event is sent as, which decides what the paths of `set` and `unset` refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SentAs {
    /// The author chose the kind: the paths refer to the event as sent.
    Chosen(EventKind),
    /// The game's policy chose the kind: the paths refer to the `coupon.redeemed` event from which it
    /// is made.
    Usual(EventKind),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum PlannedEventError {
    #[error("can't be written as JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    #[error(
        "no ID differs from `{id}` of `{event}` only in this; give that one an `ending` with such letters"
    )]
    NoSimilarId { id: String, event: String },
    #[error(transparent)]
    Pointer(#[from] JsonPointerError),
    #[error("`{0}` is not a valid event, so its items are unknown")]
    NoItems(String),
}

impl PlannedEvent {
    /// Generates an event of a shape, then applies `set` and `unset`. Without a layout, the
    /// generator's is used.
    pub(crate) fn generate(
        generator: &mut Generator,
        shape: &EventShape,
        sent_as: SentAs,
        set: &IndexMap<JsonPointer, Value>,
        unset: &[JsonPointer],
        layout: Option<BodyLayout>,
    ) -> Result<Self, PlannedEventError> {
        let layout = layout.unwrap_or(generator.form.layout);
        Self::of(generator.event(shape), sent_as, set, unset, layout)
    }

    /// Applies `set` and `unset` to an event of a coupon, which is sent as another kind.
    pub(super) fn of(
        event: Event,
        sent_as: SentAs,
        set: &IndexMap<JsonPointer, Value>,
        unset: &[JsonPointer],
        layout: BodyLayout,
    ) -> Result<Self, PlannedEventError> {
        let (SentAs::Chosen(kind) | SentAs::Usual(kind)) = sent_as;
        if kind == EventKind::CouponRedeemed && set.is_empty() && unset.is_empty() {
            return Ok(Self {
                body: layout.text(&serde_json::to_value(&event)?).into(),
                layout,
                event: Some(event),
            });
        }
        let mut json = serde_json::to_value(&event)?;
        let event = match sent_as {
            SentAs::Usual(_) => {
                amend(&mut json, set, unset)?;
                let event = serde_json::from_value(json.clone()).ok();
                json = as_kind(json, kind);
                event.map(|event| Event {
                    event_type: json["event_type"]
                        .as_str()
                        .map_or("".into(), |text| text.to_owned().into()),
                    ..event
                })
            }
            SentAs::Chosen(_) => {
                json = as_kind(json, kind);
                amend(&mut json, set, unset)?;
                read_back(&json, kind, event)
            }
        };
        Ok(Self {
            body: layout.text(&json).into(),
            layout,
            event,
        })
    }
}

/// Reads an event as it is sent. `made_from` has the coupon, which other kinds lack.
fn read_back(json: &Value, kind: EventKind, made_from: Event) -> Option<Event> {
    if kind == EventKind::CouponRedeemed {
        return serde_json::from_value(json.clone()).ok();
    }
    let sent: ItemEvent = serde_json::from_value(json.clone()).ok()?;
    let mut event = sent.into_coupon_event()?;
    event.event_data.coupon = made_from.event_data.coupon;
    Some(event)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn planned(sent_as: SentAs, set: &[(&str, Value)]) -> (Value, Option<Event>) {
        let mut generator = Generator::new(crate::generate::Seed::new(1), "0".parse().unwrap());
        let set = set.iter();
        let set = set.map(|(pointer, value)| (pointer.parse().unwrap(), value.clone()));
        let shape = EventShape::default();
        let planned =
            PlannedEvent::generate(&mut generator, &shape, sent_as, &set.collect(), &[], None)
                .unwrap();
        (
            serde_json::from_slice(&planned.body).unwrap(),
            planned.event,
        )
    }

    #[test]
    fn paths_refer_to_the_coupon_unless_the_kind_is_chosen() {
        let (body, event) = planned(
            SentAs::Usual(EventKind::ItemAdd),
            &[("/event_data/item/quantity", json!(77))],
        );
        assert_eq!(body["event_data"]["items"][0]["quantity"], 77);
        let event = event.unwrap();
        assert_eq!(event.event_data.granted_items()[0].quantity, 77);
        assert_eq!(event.kind(), Some(EventKind::ItemAdd));

        let (body, event) = planned(
            SentAs::Chosen(EventKind::ItemRemove),
            &[("/event_data/items/0/quantity", json!(78))],
        );
        assert_eq!(body["event_type"], "item.remove");
        let event = event.unwrap();
        assert_eq!(event.event_data.granted_items()[0].quantity, 78);
        assert!(!event.event_data.coupon.code.is_empty());
    }

    #[test]
    fn another_event_type_is_sent_as_it_is_set() {
        let set = [("/event_type", json!("order.paid"))];
        for kind in EventKind::ALL {
            for sent_as in [SentAs::Usual(kind), SentAs::Chosen(kind)] {
                let (body, _) = planned(sent_as, &set);
                assert_eq!(body["event_type"], "order.paid", "{sent_as:?}");
            }
        }
    }
}
