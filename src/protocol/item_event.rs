//! The `event_data` of `item.add` and `item.remove`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::event::{Coupon, EventData};
use super::{Event, Field, Item, Text};

/// An `item.add` or `item.remove` event, whose envelope is that of `coupon.redeemed`. `[P]`
pub(crate) type ItemEvent = Event<ItemEventData>;

/// The items to add or to take away. `[P]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ItemEventData {
    pub(crate) player_id: Text,
    pub(crate) items: Vec<Item>,
    /// Why, as text for people, such as `Order paid ord_…`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(crate) reason: Field<Text>,
    /// Deprecated: the ID of the first item.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(crate) item_id: Field<Text>,
    /// Deprecated: the SKU of the first item.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(crate) sku: Field<Text>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl ItemEvent {
    /// The same items as those of a coupon without a code; `None` if there are none.
    pub(crate) fn into_coupon_event(self) -> Option<Event> {
        let data = self.event_data;
        let item = data.items.first()?.clone();
        let is_single = data.items.len() == 1;
        Some(Event {
            event_data: EventData {
                player_id: data.player_id,
                coupon: Coupon {
                    code: "".into(),
                    sku: item.sku.clone(),
                    redeemed_at: self.event_time,
                    unknown: Map::new(),
                },
                item: Field::Value(Box::new(item)),
                items: if is_single {
                    Field::Absent
                } else {
                    Field::Value(data.items)
                },
                unknown: data.unknown,
            },
            event_type: self.event_type,
            event_time: self.event_time,
            event_id: self.event_id,
            idempotency_key: self.idempotency_key,
            request_id: self.request_id,
            sandbox: self.sandbox,
            trigger: self.trigger,
            transaction_id: self.transaction_id,
            context: self.context,
            game_id: self.game_id,
            unknown: self.unknown,
        })
    }
}
