//! The options that describe the event of `aghook fire`.

use std::num::NonZeroU32;

use clap::Args;
use indexmap::IndexMap;
use serde_json::Value;

use super::invalid_value::suggestion;
use super::numbers;
use super::{CommandError, InvalidValue};
use crate::generate::{
    BodyLayout, BundleShape, EventShape, IdShape, ItemShape, NestedItemShape, Seed, SkuShape,
    StartTime,
};
use crate::protocol::{Event, EventKind, Field};
use crate::run::{PlannedEvent, SentAs, profile_generator};
use crate::scenario::{JsonPointer, Profile};

/// The options that describe the event.
#[derive(Debug, Args)]
#[command(next_help_heading = "Event")]
pub(super) struct EventOptions {
    /// Type of the event: coupon.redeemed, item.add or item.remove [default: the type on which the game
    /// credits coupons, by the profile's `policy.credit_on`]
    #[arg(long, value_name = "TYPE", value_parser = parse_kind)]
    kind: Option<EventKind>,

    /// Player's ID [default: one of the profile's `players`, or a new player]
    #[arg(long, value_name = "ID")]
    player: Option<String>,

    /// SKU of the item [default: one of the profile's `items`, or of the built-in catalogue]
    #[arg(long, value_name = "SKU")]
    sku: Option<String>,

    /// Quantity of the item [default: a usual quantity of the item]
    #[arg(long, value_name = "N", value_parser = numbers::whole)]
    quantity: Option<u64>,

    /// Send a bundle that contains another bundle
    #[arg(long)]
    pub(super) bundle: bool,

    /// Add a fallback item, for receivers that can't grant the item
    #[arg(long)]
    fallback: bool,

    /// Send a sandbox event
    #[arg(long)]
    sandbox: bool,

    /// Trigger of the event: hub.redeem, test (as "Send test event" in the dashboard), or another name
    #[arg(long, value_name = "NAME", default_value = Event::TRIGGER_REDEEM)]
    trigger: String,

    /// How the JSON of the event is written [default: the profile's `layout`, or compact]
    #[arg(long, value_name = "LAYOUT", value_enum)]
    layout: Option<BodyLayout>,

    /// Set a value by JSON Pointer, such as `/event_data/player_id='"P1"'` (repeatable)
    #[arg(long, value_name = "POINTER=JSON", value_parser = parse_set)]
    set: Vec<(JsonPointer, Value)>,

    /// Remove a key by JSON Pointer, such as `/event_data/item/price` (repeatable)
    #[arg(long, value_name = "POINTER")]
    unset: Vec<JsonPointer>,

    /// Number of different events to send, one after the other
    #[arg(long, value_name = "N", default_value = "1", value_parser = numbers::repetitions)]
    count: NonZeroU32,

    /// Random seed of the event [default: different each time]
    #[arg(long, value_name = "N", value_parser = numbers::whole)]
    seed: Option<u64>,

    /// Start time T, as Unix seconds or RFC 3339; event times are relative to it [default: now]
    #[arg(long, value_name = "T")]
    start_time: Option<StartTime>,
}

fn parse_kind(text: &str) -> Result<EventKind, InvalidValue> {
    EventKind::of_type(text).ok_or_else(|| {
        let known = EventKind::ALL.map(EventKind::name);
        InvalidValue::new(suggestion(text, known.into_iter()))
    })
}

fn parse_set(text: &str) -> Result<(JsonPointer, Value), InvalidValue> {
    let Some((pointer, json)) = text.split_once('=') else {
        return Err(InvalidValue::expected(
            "POINTER=JSON, such as /sandbox=true",
        ));
    };
    let value = serde_json::from_str(json).map_err(|error| {
        InvalidValue::new(format!(
            "`{json}` is not valid JSON ({error}); quote text: '\"{json}\"'"
        ))
    })?;
    let pointer = pointer.parse::<JsonPointer>().map_err(InvalidValue::new)?;
    Ok((pointer, value))
}

impl EventOptions {
    /// Generates the events, with the items, players and game ID of `profile` if it has them.
    pub(super) fn generate(&self, profile: &Profile) -> Result<Vec<PlannedEvent>, CommandError> {
        let start = self.start_time.unwrap_or_else(StartTime::now);
        let seed = self
            .seed
            .map_or_else(|| Seed::of_text(&start.to_string()), Seed::new);
        let mut generator = profile_generator(profile, seed, start);
        let set: IndexMap<_, _> = self.set.iter().cloned().collect();
        let shape = self.shape();
        let usual = SentAs::Usual(profile.policy.usual_kind());
        let sent_as = self.kind.map_or(usual, SentAs::Chosen);
        (0..self.count.get())
            .map(|_| {
                PlannedEvent::generate(
                    &mut generator,
                    &shape,
                    sent_as,
                    &set,
                    &self.unset,
                    self.layout,
                )
            })
            .collect::<Result<_, _>>()
            .map_err(|reason| {
                let help = "print the event with `--dry-run --as json` to see its keys";
                CommandError::usage(reason.to_string()).with_help(help)
            })
    }

    fn shape(&self) -> EventShape {
        let plain = NestedItemShape::default;
        let nested = || NestedItemShape {
            bundle: Some(vec![plain(), plain()]),
            ..plain()
        };
        let fallback = || Field::Value(Box::new(ItemShape::default()));
        EventShape {
            player_id: self.player.clone().map(IdShape::Given),
            item: ItemShape {
                sku: self.sku.clone().map(SkuShape::Given),
                quantity: self.quantity,
                bundle: self.bundle.then(|| BundleShape(vec![plain(), nested()])),
                fallback: if self.fallback {
                    fallback()
                } else {
                    Field::Absent
                },
                ..ItemShape::default()
            },
            sandbox: Some(self.sandbox),
            trigger: Field::Value(self.trigger.clone()),
            ..EventShape::default()
        }
    }
}
