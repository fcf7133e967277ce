//! An event in a scenario file.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Error as _, MapAccess, Unexpected};
use serde_json::Value;

use super::document::Spanned;
use super::json_path::{JsonPointer, JsonPointerError};
use crate::generate::{
    ContextShape, CouponShape, EventShape, EventTime, ItemShape, RequestIdShape, Revision,
};
use crate::policy::{Written, deserialize_written};
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
    /// With `for`: whether the idempotency key is the event's `own`, or `shared` with the coupon's
    /// event. Aghanim does not document which. Default: `own`.
    pub idempotency_key: Option<KeySharing>,
    /// The player who gets the item: an ID, `{ same_as: EVENT }` for the player of another event, or
    /// `{ ending: TEXT }` for a generated ID that ends with this text. Default: one of the profile's
    /// `players`, or a new player who appears in no other event or run.
    pub player_id: Option<Shareable>,
    /// The coupon that was redeemed.
    pub coupon: CouponShape,
    /// The item that the coupon grants.
    pub item: ItemShape,
    /// Whether the event comes from the sandbox environment. Default: `false`.
    pub sandbox: Option<bool>,
    /// What caused the event: `hub.redeem`, `test` or null. Default: `hub.redeem`.
    pub trigger: Field<String>,
    /// The player and order context. Default: null.
    pub context: Field<ContextShape>,
    /// The ID of the API request that caused the event: text, null, or `true` for a generated UUID.
    /// Default: a UUID or null, depending on the seed.
    pub request_id: Field<RequestIdShape>,
    /// The ID of the transaction, `{ same_as: EVENT }` for the transaction of another event, or
    /// `{ ending: TEXT }` for a generated ID that ends with this text. Default: a new transaction.
    pub transaction_id: Option<Shareable>,
    /// When the event happened: Unix seconds, or a time relative to the start of the run, such as
    /// `T-1h`. Default: `T`, the start of the run.
    pub event_time: Option<EventTime>,
    /// The revision of the payload. Default: `source`.
    pub revision: Option<Revision>,
    /// JSON values to set in the generated event, by JSON Pointer (RFC 6901).
    pub set: IndexMap<JsonPointer, Value>,
    /// JSON Pointers (RFC 6901) to keys to remove from the event. Applied after `set`.
    pub unset: Vec<JsonPointer>,
    /// The exact body to send instead of a generated one.
    pub raw: Option<Spanned<String>>,
}

/// Whether an event shares the idempotency key of the coupon's event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeySharing {
    /// Its own key.
    Own,
    /// The key of the coupon's event.
    Shared,
}

impl EventSpec {
    /// The input for the generator. The arguments are the IDs shared with other events, already
    /// resolved.
    pub fn shape(&self, player_id: Option<String>, transaction_id: Option<String>) -> EventShape {
        EventShape {
            player_id,
            coupon: self.coupon.clone(),
            item: self.item.clone(),
            sandbox: self.sandbox,
            trigger: self.trigger.clone(),
            context: self.context.clone(),
            request_id: self.request_id.clone(),
            transaction_id,
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

#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(
    with = "Value",
    description = "An ID, `{ same_as: EVENT }` for the ID of another event, or `{ ending: TEXT }` for a generated ID that ends with this text.",
    extend("anyOf" = [
        { "type": "string" },
        {
            "type": "object",
            "properties": {
                "same_as": { "type": "string", "description": "The name of the other event." }
            },
            "required": ["same_as"],
            "additionalProperties": false
        },
        {
            "type": "object",
            "properties": {
                "ending": {
                    "type": "string",
                    "description": "The text that the generated ID ends with."
                }
            },
            "required": ["ending"],
            "additionalProperties": false
        }
    ])
)]
pub enum Shareable {
    Literal(String),
    SameAs(Spanned<String>),
    Ending(String),
}

impl Written for Shareable {
    const EXPECTED: &'static str = "text, `{ same_as: EVENT }` or `{ ending: TEXT }`";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(text) => Ok(Self::Literal(text.to_owned())),
            other => Err(E::invalid_type(other, &Self::EXPECTED)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum ShareableKey {
            SameAs,
            Ending,
        }
        let shareable = match map.next_key()? {
            Some(ShareableKey::SameAs) => Self::SameAs(map.next_value()?),
            Some(ShareableKey::Ending) => Self::Ending(map.next_value()?),
            None => return Err(M::Error::missing_field("same_as")),
        };
        match map.next_key::<ShareableKey>()? {
            Some(_) => Err(M::Error::custom(
                "expected exactly one of `same_as` and `ending`",
            )),
            None => Ok(shareable),
        }
    }
}

deserialize_written!(Shareable);

/// An ID that an event can share with another, by `same_as`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SharedId {
    Player,
    Transaction,
}

impl SharedId {
    pub(crate) const ALL: [Self; 2] = [Self::Player, Self::Transaction];

    fn of(self, spec: &EventSpec) -> Option<&Shareable> {
        match self {
            Self::Player => spec.player_id.as_ref(),
            Self::Transaction => spec.transaction_id.as_ref(),
        }
    }

    /// Follows `same_as` and `for` from the event `name` to the event that has the ID, and returns that event's
    /// name and its value. `None` if the event refers back to itself.
    pub(crate) fn owner<'events>(
        self,
        events: &'events IndexMap<String, Spanned<EventSpec>>,
        name: &'events str,
    ) -> Option<(&'events str, Option<&'events Shareable>)> {
        let mut owner = name;
        for _ in 0..=events.len() {
            let spec = events.get(owner).map(|spec| &spec.value);
            match spec.and_then(|spec| spec.coupon_event.as_ref()) {
                Some(coupon_event) => owner = &coupon_event.value,
                None => match spec.and_then(|spec| self.of(spec)) {
                    Some(Shareable::SameAs(other)) => owner = &other.value,
                    given => return Some((owner, given)),
                },
            }
        }
        None
    }
}
