//! An event in a scenario file.

use std::iter;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Shareable;
use super::document::Spanned;
use super::json_path::{JsonPointer, JsonPointerError};
use crate::generate::{
    BodyLayout, ContextShape, CouponShape, EventShape, EventTime, IdShape, ItemShape,
    RequestIdShape, Revision, SkuOwner, SkuShape,
};
use crate::protocol::{EventKind, Field};

/// One event. All omitted values are generated from the scenario's seed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EventSpec {
    /// The type of the event: `coupon.redeemed`, `item.add` or `item.remove`. Default: the type on
    /// which the game credits coupons, by the profile's `policy.credit_on`.
    pub kind: Option<EventKind>,
    /// With `kind: item.add` or `item.remove`: the event of the coupon whose items are added or taken
    /// away. The player, the items and the transaction are those of the coupon.
    #[serde(rename = "for")]
    pub coupon_event: Option<Spanned<String>>,
    /// The player who gets the item: an ID, `{ same_as: EVENT }` for the player of another event,
    /// `{ like: EVENT, differing_in: DIFFERENCE }` for a player whose ID is easily taken for it,
    /// `{ like: EVENT, ending: TEXT }` for a player whose ID is that of another event and this text, or a
    /// generated ID: `{ ending: TEXT }`, `{ form: uuid }`, `{ form: digits }` or `{ length: N }`. Default: one of the
    /// profile's `players`, or a new player who appears in no other event or run.
    pub player_id: Option<Shareable>,
    /// The coupon that was redeemed.
    pub coupon: CouponShape,
    /// The item that the coupon grants.
    pub item: ItemShape,
    /// The items that the coupon grants, instead of `item`. Needs a `revision` with `items`.
    pub items: Option<Vec<ItemShape>>,
    /// Whether the event comes from the sandbox environment. Default: `false`.
    pub sandbox: Option<bool>,
    /// What caused the event: `hub.redeem`, `test` or null. Default: `hub.redeem`.
    pub trigger: Field<String>,
    /// The player and order context. Default: null.
    pub context: Field<ContextShape>,
    /// The ID of the API request that caused the event: text, null, or `true` for a generated UUID.
    /// Default: a UUID or null, depending on the seed.
    pub request_id: Field<RequestIdShape>,
    /// The ID of the transaction, `{ same_as: EVENT }` for the transaction of another event, or a
    /// generated ID in another form, such as `{ length: 31 }`. Default: a new transaction.
    pub transaction_id: Option<Shareable>,
    /// The idempotency key, `{ same_as: EVENT }` for the key of another event, `{ like: EVENT,
    /// differing_in: DIFFERENCE }` for one that is easily taken for it, or a generated key in another
    /// form: `{ form: uuid }` or `{ length: N }`. With `for`: `own`, or `shared` with the event of the
    /// coupon; Aghanim does not document which. Default: a new key.
    pub idempotency_key: Option<Shareable>,
    /// When the event happened: Unix seconds, or a time relative to the start of the run, such as
    /// `T-1h`. Default: `T`, the start of the run.
    pub event_time: Option<EventTime>,
    /// The revision of the payload. Default: `source`.
    pub revision: Option<Revision>,
    /// How the JSON of the event is written: see the list of values. Default: the profile's `layout`,
    /// or `compact`.
    pub layout: Option<BodyLayout>,
    /// JSON values to set in the generated event, by JSON Pointer (RFC 6901).
    pub set: IndexMap<JsonPointer, Value>,
    /// JSON Pointers (RFC 6901) to keys to remove from the event. Applied after `set`.
    pub unset: Vec<JsonPointer>,
    /// The exact body to send instead of a generated one.
    pub raw: Option<Spanned<String>>,
}

impl EventSpec {
    /// Whether the idempotency key is said to be that of the coupon's event.
    pub(crate) fn shares_key(&self) -> bool {
        self.idempotency_key == Some(Shareable::Own(IdShape::Given("shared".to_owned())))
    }

    /// Whether the idempotency key is said not to be that of the coupon's event.
    pub(crate) fn has_own_key(&self) -> bool {
        self.idempotency_key == Some(Shareable::Own(IdShape::Given("own".to_owned())))
    }

    /// The lengths of SKUs that the event asks for.
    pub fn sku_lengths(&self) -> impl Iterator<Item = usize> {
        self.skus().filter_map(|sku| match sku {
            SkuShape::Length(length) => Some(*length),
            _ => None,
        })
    }

    /// The names of the events whose items' SKUs this one uses.
    pub(crate) fn sku_owners(&self) -> impl Iterator<Item = &str> {
        self.skus().filter_map(|sku| match sku {
            SkuShape::SameAs(SkuOwner::Event(event)) | SkuShape::Like { event, .. } => {
                Some(event.as_str())
            }
            _ => None,
        })
    }

    /// What precedes the SKU of another event's item in an SKU of this one.
    pub(crate) fn sku_beginning(&self) -> Option<&str> {
        self.skus().find_map(|sku| match sku {
            SkuShape::Like { beginning, .. } => Some(beginning.as_str()),
            _ => None,
        })
    }

    fn skus(&self) -> impl Iterator<Item = &SkuShape> {
        let items = iter::once(&self.item).chain(self.items.iter().flatten());
        items.flat_map(ItemShape::skus)
    }

    /// The input for the generator. The arguments are the IDs that can be shared with other events,
    /// already resolved.
    pub fn shape(
        &self,
        player_id: Option<IdShape>,
        transaction_id: Option<IdShape>,
        idempotency_key: Option<IdShape>,
    ) -> EventShape {
        EventShape {
            player_id,
            coupon: self.coupon.clone(),
            item: self.item.clone(),
            items: self.items.clone(),
            sandbox: self.sandbox,
            trigger: self.trigger.clone(),
            context: self.context.clone(),
            request_id: self.request_id.clone(),
            transaction_id,
            idempotency_key,
            event_time: self.event_time,
            revision: self.revision,
        }
    }
}

/// Applies `set` and then `unset` to an event's JSON.
pub(crate) fn amend(
    event: &mut Value,
    set: &IndexMap<JsonPointer, Value>,
    unset: &[JsonPointer],
) -> Result<(), JsonPointerError> {
    for (pointer, value) in set {
        pointer.set(event, value.clone())?;
    }
    for pointer in unset {
        pointer.remove(event)?;
    }
    Ok(())
}
