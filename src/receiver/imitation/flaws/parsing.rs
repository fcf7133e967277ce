//! Flaws in parsing: text and numbers that are changed, and shapes of events that crash the
//! handler.

use http::StatusCode;

use crate::protocol::{Event, Field, Item};
use crate::receiver::imitation::event_items::{any_nested, each_item, each_nested};
use crate::receiver::parsing;
use crate::receiver::refusal::Refusal;

use super::{Flaw, Flaws, caused_by};

impl Flaws {
    pub(crate) fn parse_event(&self, body: &[u8]) -> Result<Event, Refusal> {
        let parsed = if self.has(Flaw::NonAsciiMangled) {
            let latin_1: String = body.iter().copied().map(char::from).collect();
            parsing::parse_event(latin_1.as_bytes())
        } else {
            parsing::parse_event(body)
        };
        let mut event = match parsed {
            Err(refusal @ Refusal::UnknownEventType(_)) if self.has(Flaw::EventTypeNotChecked) => {
                serde_json::from_slice(body).map_err(|_| refusal)?
            }
            parsed => parsed?,
        };
        if let Some(flaw) = self.chosen.iter().find(|flaw| fails(**flaw, &event)) {
            let status = match flaw {
                Flaw::UnknownKeyRefused | Flaw::OtherTriggersRefused | Flaw::OtherKeysRefused => {
                    StatusCode::UNPROCESSABLE_ENTITY
                }
                Flaw::SuspiciousTextRefused => StatusCode::FORBIDDEN,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            return Err(caused_by(*flaw, status));
        }
        self.check_columns(&event)?;
        if self.has(Flaw::Quantity32Bit) {
            change_quantities(&mut event, |quantity| quantity & u64::from(u32::MAX));
        }
        if self.has(Flaw::QuantityFloat) {
            change_quantities(&mut event, through_a_float);
        }
        Ok(event)
    }
}

fn fails(flaw: Flaw, event: &Event) -> bool {
    let data = &event.event_data;
    let mut items = data.named_items();
    match flaw {
        Flaw::UnknownKeyRefused => has_unknown_key(event),
        Flaw::OtherTriggersRefused => {
            let known = [Event::TRIGGER_REDEEM, Event::TRIGGER_TEST];
            let trigger = event.trigger.value();
            trigger.is_some_and(|trigger| !known.contains(&trigger.as_ref()))
        }
        Flaw::OtherKeysRefused => !event.idempotency_key.starts_with("idmpt_"),
        Flaw::SuspiciousTextRefused => items.any(|item| {
            let texts = item.description.value().into_iter().chain([&item.name]);
            texts.into_iter().any(|text| is_suspicious(text))
        }),
        Flaw::NullContextCrashes => event.context.value().is_none(),
        Flaw::AbsentFallbackCrashes => items.any(|item| item.fallback_item.is_absent()),
        Flaw::NullDescriptionCrashes => items.any(|item| {
            item.description == Field::Null
                || any_nested(&item.nested_items, &|inner| {
                    inner.description == Field::Null
                })
        }),
        _ => false,
    }
}

/// What filters of web requests take for an attack.
fn is_suspicious(text: &str) -> bool {
    let text = text.to_lowercase();
    let attacks = ["<script", "${jndi:", "drop table", "' or '", "../../"];
    attacks.iter().any(|attack| text.contains(attack))
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
        || data.named_items().any(item_has_unknown_key)
}

fn item_has_unknown_key(item: &Item) -> bool {
    let fallback = item.fallback_item.value();
    !item.unknown.is_empty()
        || any_nested(&item.nested_items, &|inner| !inner.unknown.is_empty())
        || fallback.is_some_and(|fallback| item_has_unknown_key(fallback))
}

fn change_quantities(event: &mut Event, change: fn(u64) -> u64) {
    each_item(event, &mut |item| {
        item.quantity = change(item.quantity);
        each_nested(&mut item.nested_items, &mut |inner| {
            inner.quantity = change(inner.quantity);
        });
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
