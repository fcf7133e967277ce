//! A template that builds the events of a load from one event of a scenario.
//!
//! The player, the IDs and the idempotency key come from the event's number, not from the scenario, so
//! the events of a scenario share nothing. Steps are not played. Every event is sent as the kind on which
//! the game credits coupons.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Write as _;

use indexmap::IndexMap;
use serde_json::Value;

use super::allowed_refusals::AllowedRefusals;
use crate::generate::{BodyLayout, EventShape, Generator, IdShape, Seed, as_kind};
use crate::protocol::{Event, EventKind};
use crate::scenario::document::{Diagnostic, Span};
use crate::scenario::{Case, JsonPointer, Policy, Shareable, SharedId, amend};

#[derive(Debug, Clone)]
pub(crate) struct TemplateSettings {
    pub generator: Generator,
    pub seed: Seed,
    pub policy: Policy,
}

#[derive(Debug, Clone)]
pub(crate) struct EventTemplate {
    pub(super) name: String,
    /// At the start of streams that no other template uses.
    generator: Generator,
    shape: EventShape,
    set: IndexMap<JsonPointer, Value>,
    unset: Vec<JsonPointer>,
    kind: EventKind,
    /// The refusals that the scenario allows; `None` if the event must be acknowledged.
    pub(super) refusals: Option<AllowedRefusals>,
}

#[derive(Debug)]
pub(super) struct EventContent {
    generated: Event,
    /// The event after `set` and `unset`, if there are any.
    amended: Option<Value>,
    /// The kind that it is sent as.
    kind: EventKind,
    layout: BodyLayout,
}

/// How many numbers to validate before sending. Generated content differs between numbers, and the
/// paths of `set` must exist in all of it.
const VALIDATED: u64 = 32;

impl EventContent {
    pub(super) fn generated(event: Event, kind: EventKind, layout: BodyLayout) -> Self {
        Self {
            generated: event,
            amended: None,
            kind,
            layout,
        }
    }

    /// The event, as that of a coupon. If `set` and `unset` make it invalid, which `validate` rules out, this is the
    /// unchanged event.
    pub(super) fn into_event(self) -> Event {
        let amended = self.amended.map(serde_json::from_value);
        amended.and_then(Result::ok).unwrap_or(self.generated)
    }

    /// Appends the body: the same bytes that other commands send, from a faster serializer if it is
    /// compact.
    pub(super) fn write(&self, body: &mut Vec<u8>) {
        let is_written = match (&self.amended, self.layout) {
            _ if self.kind != EventKind::CouponRedeemed => self.write_as_kind(body).is_ok(),
            (Some(json), BodyLayout::Compact) => serde_json::to_writer(body, json).is_ok(),
            (None, BodyLayout::Compact) => sonic_rs::to_writer(body, &self.generated).is_ok(),
            (Some(json), layout) => body.write_all(layout.text(json).as_bytes()).is_ok(),
            (None, layout) => serde_json::to_value(&self.generated)
                .is_ok_and(|json| body.write_all(layout.text(&json).as_bytes()).is_ok()),
        };
        debug_assert!(is_written, "an event is JSON");
    }

    fn write_as_kind(&self, body: &mut Vec<u8>) -> serde_json::Result<()> {
        let json = match &self.amended {
            Some(json) => json.clone(),
            None => serde_json::to_value(&self.generated)?,
        };
        let text = self.layout.text(&as_kind(json, self.kind));
        body.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl EventTemplate {
    /// Builds and validates the template of a case's event. An event that a load can't send or check
    /// is an error with its location in the file.
    ///
    /// IDs depend on the event's content as well as its number, so that a different mix with the same
    /// seed and start time never sends a different event under the same key.
    pub(crate) fn new(
        case: &Case,
        name: &str,
        settings: &TemplateSettings,
    ) -> Result<Self, Diagnostic> {
        let refused = |span, reason: &str, help: &str| {
            let message = format!("a load can't send the event `{name}`: {reason}");
            Diagnostic::at(&case.source, span, message).with_help(help)
        };
        let events = &case.scenario.events;
        let Some(spec) = events.get(name) else {
            let help = "name an existing event";
            return Err(refused(Span::default(), "it does not exist", help));
        };
        if let Some(raw) = &spec.raw {
            return Err(refused(
                raw.span,
                "its body is fixed (`raw`), so every event of the load would be the same",
                "describe it with `item`, `coupon` and `set` instead; each event of a load has its own IDs",
            ));
        }
        if spec.coupon_event.is_some() {
            return Err(refused(
                spec.span,
                "it is made for another event, but the events of a load share nothing",
                "send such events with `aghook run`",
            ));
        }
        let lengths = spec.sku_lengths();
        if let Some(length) = settings.generator.missing_sku_length(lengths) {
            return Err(refused(
                spec.span,
                &format!(
                    "it has an SKU of {length} characters, but no item of the profile's `items` has"
                ),
                "add such an item to the profile",
            ));
        }
        let given = |id: SharedId| id.owner(events, name).and_then(|(_, given)| given);
        let mut shapes = [None, None, None];
        for (shape, id) in shapes.iter_mut().zip(SharedId::ALL) {
            match given(id) {
                Some(Shareable::Own(IdShape::Given(_))) if id == SharedId::Player => {
                    return Err(refused(
                        spec.span,
                        "it has a fixed `player_id`, but checking the grant of one event requires a \
                         player of its own",
                        "remove `player_id`, or give it an `ending`",
                    ));
                }
                Some(Shareable::Own(_))
                    if id == SharedId::Player && settings.generator.has_listed_players() =>
                {
                    return Err(refused(
                        spec.span,
                        "its `player_id` has a form, but the profile lists its `players`",
                        "remove `player_id`, or use a profile without `players`",
                    ));
                }
                Some(Shareable::Own(own)) => *shape = Some(own.clone()),
                // The events of a load share nothing.
                Some(Shareable::SameAs(_) | Shareable::Like { .. }) | None => {}
            }
        }
        let [player_id, transaction_id, idempotency_key] = shapes;
        let shape = spec.shape(player_id, transaction_id, idempotency_key);
        // The seed depends on the Debug text, and so on the names of these types: see the test.
        let fingerprint = format!("{:?}", (&shape, &spec.set, &spec.unset));
        let seed = settings.seed.derive("templates").derive(&fingerprint);
        let mut generator = settings.generator.with_seed(seed);
        generator.form.layout = spec.layout.unwrap_or(generator.form.layout);
        let mut template = Self {
            name: name.to_owned(),
            generator,
            shape,
            set: spec.set.clone(),
            unset: spec.unset.clone(),
            kind: settings.policy.usual_kind(),
            refusals: None,
        };
        template
            .validate()
            .map_err(|(reason, help)| refused(spec.span, &reason, help))?;
        let event = template.content(0).into_event();
        template.refusals = AllowedRefusals::of_case(case, name, &event, settings.policy);
        Ok(template)
    }

    pub(super) fn content(&self, number: u64) -> EventContent {
        let generated = self.generated(number);
        let amended = self.amended(&generated).and_then(Result::ok);
        EventContent {
            generated,
            amended,
            kind: self.kind,
            layout: self.generator.form.layout,
        }
    }

    fn generated(&self, number: u64) -> Event {
        let mut generator = self.generator.clone();
        generator.skip_to(number);
        generator.event(&self.shape)
    }

    /// The event after `set` and `unset`; `None` if there is nothing to change, and an error with the
    /// reason if they can't be applied.
    fn amended(&self, event: &Event) -> Option<Result<Value, Box<dyn Error>>> {
        let amend = || {
            let mut json = serde_json::to_value(event)?;
            amend(&mut json, &self.set, &self.unset)?;
            Ok(json)
        };
        (!self.set.is_empty() || !self.unset.is_empty()).then(amend)
    }

    /// Checks that each number gives a unique, checkable event. An error says why not, and what to do.
    fn validate(&self) -> Result<(), (String, &'static str)> {
        let mut seen: [BTreeSet<String>; 3] = Default::default();
        for number in 0..VALIDATED {
            let made = self.generated(number);
            let event = match self.amended(&made).transpose() {
                Ok(None) => made,
                Ok(Some(json)) => serde_json::from_value(json).map_err(|error| {
                    let reason = format!(
                        "after `set` and `unset` it is no longer a valid event, so its expected grant \
                         is unknown: {error}"
                    );
                    (reason, "send such an event with `aghook run`")
                })?,
                Err(reason) => {
                    let help = "every path of `set` and `unset` must exist in every event";
                    return Err((reason.to_string(), help));
                }
            };
            if event.event_type != Event::COUPON_REDEEMED {
                let reason = format!(
                    "its `event_type` is `{}`, but a load sends only `coupon.redeemed`",
                    event.event_type
                );
                return Err((reason, "send such an event with `aghook run`"));
            }
            let own = [
                ("player_id", event.event_data.player_id),
                ("event_id", event.event_id),
                ("idempotency_key", event.idempotency_key),
            ];
            for ((name, value), seen) in own.into_iter().zip(&mut seen) {
                let may_repeat = name == "player_id" && self.generator.has_listed_players();
                if !may_repeat && !seen.insert(value.into_owned()) {
                    let reason = format!("`{name}` would be the same in every event of a load");
                    return Err((reason, "remove it from `set`"));
                }
            }
        }
        Ok(())
    }
}
