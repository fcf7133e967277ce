//! The `coupon.redeemed` event, as sent in a request body.

use std::slice;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{EventKind, Field, Item, Text};

/// The event, with its keys in the order of the documented example. `[S]`
///
/// Source: `docs/protocol.md`, "The event". Unknown keys are kept and written last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event<Data = EventData> {
    /// The event type, such as `coupon.redeemed`.
    pub event_type: Text,
    /// What happened.
    pub event_data: Data,
    /// When the event happened, in Unix seconds.
    pub event_time: u64,
    /// The event's ID, such as `whevt_…`.
    pub event_id: Text,
    /// Ensures that the action happens once even if the webhook is retried, such as `idmpt_…`.
    pub idempotency_key: Text,
    /// The ID of the API request that triggered the event, if any.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub request_id: Field<Text>,
    /// Whether the event comes from the sandbox environment.
    pub sandbox: bool,
    /// What triggered the event: `hub.redeem` or `test`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub trigger: Field<Text>,
    /// The transaction's ID, such as `whtx_…`. Events of one transaction may share it.
    pub transaction_id: Text,
    /// The order and the player behind the event.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub context: Field<EventContext>,
    /// The game's ID, such as `gm_…`.
    pub game_id: Text,
    /// Undocumented keys.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Event {
    /// The event type of a redeemed coupon.
    pub const COUPON_REDEEMED: &'static str = EventKind::CouponRedeemed.name();
    /// The trigger of a coupon for a free item. `[S]`
    pub const TRIGGER_REDEEM: &'static str = "hub.redeem";
    /// The trigger of "Send test event" in the dashboard. `[S]`
    pub const TRIGGER_TEST: &'static str = "test";

    /// The kind of the event, if this crate knows its type.
    pub fn kind(&self) -> Option<EventKind> {
        EventKind::of_type(&self.event_type)
    }

    /// Whether "Send test event" triggered this event.
    pub fn is_test(&self) -> bool {
        let trigger = self.trigger.value();
        trigger.is_some_and(|trigger| trigger == Self::TRIGGER_TEST)
    }

    /// Serializes this event as compact JSON, as it is sent.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut body = Vec::with_capacity(2048);
        serde_json::to_writer(&mut body, self)?;
        Ok(body)
    }
}

/// `item`, `items` or both say what the player gets: one of them must not be empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct EventData {
    pub player_id: Text,
    pub coupon: Coupon,
    /// The item, unless only `items` is sent. `[A]`
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub item: Field<Box<Item>>,
    /// Everything that the player gets, since the payload revision of 2026-05-25. `[P]` We assume
    /// that `item` stays and is the first of them, or that it is absent. `[A]`
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub items: Field<Vec<Item>>,
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Serialize for EventData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for EventData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let data = Self::deserialize(deserializer)?;
        if data.granted_items().is_empty() {
            return Err(D::Error::missing_field("item"));
        }
        Ok(data)
    }
}

impl EventData {
    /// What the player gets: `items` if there are any, otherwise `item`. `[A]`
    pub fn granted_items(&self) -> &[Item] {
        match self.items.value() {
            Some(items) if !items.is_empty() => items,
            _ => self.item.value().map_or(&[], |item| slice::from_ref(item)),
        }
    }

    /// Every item in the event: `item`, and those of `items`.
    pub fn named_items(&self) -> impl Iterator<Item = &Item> {
        let item = self.item.value().map(Box::as_ref);
        item.into_iter().chain(self.items.as_slice())
    }

    /// The SKU of the first item.
    pub fn sku(&self) -> &str {
        let first = self.named_items().next();
        first.map_or(&self.coupon.sku, |item| &item.sku)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coupon {
    pub code: Text,
    pub sku: Text,
    /// When the code was redeemed, in Unix seconds.
    pub redeemed_at: u64,
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// The order and the player behind an event. Both are open objects, because their keys are not
/// documented publicly. `[A]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EventContext {
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub order: Field<Map<String, Value>>,
    /// The player, if "Add player context" is on in the webhook's settings.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub player: Field<Map<String, Value>>,
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documented example body as printed, without indentation.
    const EXAMPLE: &str = include_str!("example-event.txt");

    /// Writes one key or bracket per line without indentation, like the documented example.
    struct PrintedLayout;

    impl serde_json::ser::Formatter for PrintedLayout {
        fn begin_object<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
            out.write_all(b"{\n")
        }

        fn end_object<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
            out.write_all(b"\n}")
        }

        fn begin_object_key<W: ?Sized + std::io::Write>(
            &mut self,
            out: &mut W,
            first: bool,
        ) -> std::io::Result<()> {
            if first { Ok(()) } else { out.write_all(b",\n") }
        }

        fn begin_object_value<W: ?Sized + std::io::Write>(
            &mut self,
            out: &mut W,
        ) -> std::io::Result<()> {
            out.write_all(b": ")
        }
    }

    fn compact(json: &str) -> String {
        let value: Value = serde_json::from_str(json).expect("JSON");
        value.to_string()
    }

    fn round_trip(json: &str) -> String {
        let event: Event = serde_json::from_str(json).expect("an event");
        String::from_utf8(event.to_json().expect("serialises")).expect("UTF-8")
    }

    #[test]
    fn the_documented_example_round_trips_byte_for_byte() {
        let example = EXAMPLE.trim_end();
        assert_eq!(round_trip(example), compact(example));

        let event: Event = serde_json::from_str(example).expect("an event");
        let mut printed = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut printed, PrintedLayout);
        event.serialize(&mut serializer).expect("serialises");
        assert_eq!(String::from_utf8(printed).expect("UTF-8"), example);
    }

    #[test]
    fn absent_null_and_a_value_stay_different() {
        let base = compact(EXAMPLE);
        let null = base.replace(
            r#""request_id":"d1593e9c-c291-4004-8846-6679c2e5810b""#,
            r#""request_id":null"#,
        );
        let absent = base.replace(
            r#""request_id":"d1593e9c-c291-4004-8846-6679c2e5810b","#,
            "",
        );
        let fallback_null = base.replace(
            r#""nested_items":null"#,
            r#""nested_items":null,"fallback_item":null"#,
        );
        for json in [base, null, absent, fallback_null] {
            assert_eq!(round_trip(&json), json);
        }
    }

    #[test]
    fn numbers_stay_exact() {
        let largest = compact(EXAMPLE).replace("480000", "18446744073709551615");
        let whole_price = compact(EXAMPLE).replace("94.99", "500");
        for json in [largest, whole_price] {
            assert_eq!(round_trip(&json), json);
        }
    }

    #[test]
    fn unknown_keys_are_kept_at_every_level() {
        let json = compact(EXAMPLE)
            .replace(
                r#""nested_items":null}"#,
                r#""nested_items":null,"rarity":{"a":[1,-2,0.1]}}"#,
            )
            .replace(
                r#""game_id":"gm_exTAyxPsVwh"}"#,
                r#""game_id":"gm_exTAyxPsVwh","shard":null}"#,
            )
            .replace(
                r#""redeemed_at":1725548450}"#,
                r#""redeemed_at":1725548450,"campaign":"x"}"#,
            );
        assert_eq!(round_trip(&json), json);
        assert!(json.contains("rarity") && json.contains("shard") && json.contains("campaign"));
    }

    #[test]
    fn an_undocumented_item_type_is_kept() {
        let json = compact(EXAMPLE).replace(r#""type":"item""#, r#""type":"pass""#);
        assert_eq!(round_trip(&json), json);
    }
}
