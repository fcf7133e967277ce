//! Flaws in parsing: text and numbers that are changed, and shapes of events that crash the
//! handler.

use http::StatusCode;

use crate::protocol::{Event, Field, Item, NestedItem};
use crate::receiver::parsing;
use crate::receiver::refusal::Refusal;

use super::{Flaw, Flaws};

/// Parses an event with the chosen flaws.
pub(in crate::receiver) fn parse_event(flaws: &Flaws, body: &[u8]) -> Result<Event, Refusal> {
    let parsed = if flaws.has(Flaw::NonAsciiMangled) {
        parsing::parse_event(decoded_as_latin_1(body).as_bytes())
    } else {
        parsing::parse_event(body)
    };
    let mut event = match parsed {
        Err(refusal @ Refusal::UnknownEventType(_)) if flaws.has(Flaw::EventTypeNotChecked) => {
            serde_json::from_slice(body).map_err(|_| refusal)?
        }
        parsed => parsed?,
    };
    if let Some(flaw) = failing_flaw(flaws, &event) {
        let status = match flaw {
            Flaw::UnknownKeyRefused => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        return Err(Refusal::CausedByFlaw { flaw, status });
    }
    if flaws.has(Flaw::Quantity32Bit) {
        change_quantities(&mut event, |quantity| quantity & u64::from(u32::MAX));
    }
    if flaws.has(Flaw::QuantityFloat) {
        change_quantities(&mut event, through_a_float);
    }
    Ok(event)
}

fn decoded_as_latin_1(body: &[u8]) -> String {
    body.iter().copied().map(char::from).collect()
}

/// The first flaw that fails on this event's shape.
fn failing_flaw(flaws: &Flaws, event: &Event) -> Option<Flaw> {
    let fails = |flaw| match flaw {
        Flaw::UnknownKeyRefused => has_unknown_key(event),
        Flaw::NullContextCrashes => event.context.value().is_none(),
        Flaw::AbsentFallbackCrashes => items(event).any(|item| item.fallback_item.is_absent()),
        Flaw::NullDescriptionCrashes => items(event).any(has_null_description),
        _ => false,
    };
    flaws.chosen.iter().copied().find(|flaw| fails(*flaw))
}

/// `item` and, in the later payload revision, `items`.
fn items(event: &Event) -> impl Iterator<Item = &Item> {
    let data = &event.event_data;
    std::iter::once(&data.item).chain(data.items.value().into_iter().flatten())
}

fn nested(items: &Field<Vec<NestedItem>>) -> &[NestedItem] {
    items.value().map_or(&[], Vec::as_slice)
}

fn has_null_description(item: &Item) -> bool {
    fn is_null(item: &NestedItem) -> bool {
        item.description == Field::Null || nested(&item.nested_items).iter().any(is_null)
    }
    item.description == Field::Null || nested(&item.nested_items).iter().any(is_null)
}

/// Whether the event has an undocumented key. `items` counts as one, because it was added later.
/// The context's `order` and `player` may contain any keys.
fn has_unknown_key(event: &Event) -> bool {
    let data = &event.event_data;
    let context = event.context.value();
    !event.unknown.is_empty()
        || !data.unknown.is_empty()
        || !data.items.is_absent()
        || !data.coupon.unknown.is_empty()
        || context.is_some_and(|context| !context.unknown.is_empty())
        || item_has_unknown_key(&data.item)
}

fn item_has_unknown_key(item: &Item) -> bool {
    fn is_unknown(item: &NestedItem) -> bool {
        !item.unknown.is_empty() || nested(&item.nested_items).iter().any(is_unknown)
    }
    let fallback = item.fallback_item.value();
    !item.unknown.is_empty()
        || nested(&item.nested_items).iter().any(is_unknown)
        || fallback.is_some_and(|fallback| item_has_unknown_key(fallback))
}

/// Changes every quantity in the event, at any depth.
fn change_quantities(event: &mut Event, change: fn(u64) -> u64) {
    fn in_nested(items: &mut Field<Vec<NestedItem>>, change: fn(u64) -> u64) {
        if let Field::Value(items) = items {
            for item in items {
                item.quantity = change(item.quantity);
                in_nested(&mut item.nested_items, change);
            }
        }
    }
    super::granting::each_item(event, &mut |item| {
        item.quantity = change(item.quantity);
        in_nested(&mut item.nested_items, change);
    });
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the loss is the flaw"
)]
fn through_a_float(quantity: u64) -> u64 {
    quantity as f32 as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_is_exact_up_to_2_to_the_power_of_24() {
        let exact = 1 << 24;
        for (quantity, expected) in [
            (exact - 1, exact - 1),
            (exact, exact),
            (exact + 1, exact),
            (exact + 2, exact + 2),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(through_a_float(quantity), expected);
        }
    }
}
