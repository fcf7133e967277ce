//! A template that builds the events of a load from one event of a scenario.
//!
//! A template is resolved and validated once, at the start. The player, the IDs and the idempotency
//! key come from the event's number, not from the scenario, so the events of a scenario share
//! nothing. Steps are not played.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::Value;

use super::allowed_refusals::AllowedRefusals;
use crate::generate::{EventShape, Generator, Seed};
use crate::protocol::Event;
use crate::scenario::document::{Diagnostic, Span};
use crate::scenario::{Case, EventSpec, JsonPointer, Policy, Shareable, amend};

/// Settings shared by all templates.
#[derive(Debug, Clone)]
pub struct TemplateSettings {
    /// Provides the game, the items and the start time.
    pub generator: Generator,
    /// The load's seed.
    pub seed: Seed,
    /// The game's policy, which can allow refusals.
    pub policy: Policy,
}

/// Builds the events of a load from one event of a scenario.
#[derive(Debug, Clone)]
pub struct EventTemplate {
    name: String,
    /// At the start of streams that no other template uses.
    generator: Generator,
    shape: EventShape,
    /// Suffixes for the generated player and transaction IDs.
    endings: Endings,
    set: IndexMap<JsonPointer, Value>,
    unset: Vec<JsonPointer>,
    refusals: Option<AllowedRefusals>,
}

#[derive(Debug, Clone, Default)]
struct Endings {
    player_id: Option<String>,
    transaction_id: Option<String>,
}

/// How many numbers to validate before sending. Generated content differs between numbers, and the
/// paths of `set` must exist in all of it.
const VALIDATED: u64 = 32;

impl EventTemplate {
    /// Builds and validates the template of a case's event. An event that a load can't send or check
    /// is an error with its location in the file.
    ///
    /// IDs depend on the event's content as well as its number, so that a different mix with the same
    /// seed and start time never sends a different event under the same key.
    pub fn new(case: &Case, name: &str, settings: &TemplateSettings) -> Result<Self, Diagnostic> {
        let context = TemplateContext { case, name };
        let Some(spec) = case.scenario.events.get(name) else {
            return Err(context.refused(
                Span::default(),
                "it does not exist",
                "name an existing event",
            ));
        };
        if let Some(raw) = &spec.raw {
            return Err(context.refused(
                raw.span,
                "its body is fixed (`raw`), so every event of the load would be the same",
                "describe it with `item`, `coupon` and `set` instead; each event of a load has its own IDs",
            ));
        }
        let player_id = context.owner(|spec| spec.player_id.as_ref());
        if let Some(Shareable::Literal(_)) = player_id {
            return Err(context.refused(
                spec.span,
                "it has a fixed `player_id`, but checking the grant of one event requires a player of \
                 its own",
                "remove `player_id`, or give it an `ending`",
            ));
        }
        let (mut endings, mut transaction_id) = (Endings::default(), None);
        if let Some(Shareable::Ending(text)) = player_id {
            if settings.generator.has_listed_players() {
                return Err(context.refused(
                    spec.span,
                    "its `player_id` has an `ending`, but the profile lists its `players`",
                    "remove `player_id`, or use a profile without `players`",
                ));
            }
            endings.player_id = Some(text.clone());
        }
        match context.owner(|spec| spec.transaction_id.as_ref()) {
            Some(Shareable::Literal(text)) => transaction_id = Some(text.clone()),
            Some(Shareable::Ending(text)) => endings.transaction_id = Some(text.clone()),
            Some(Shareable::SameAs(_)) | None => {}
        }
        let shape = spec.shape(None, transaction_id);
        // The seed depends on the Debug text, and so on the names of these types: see the test.
        let fingerprint = format!("{:?}", (&shape, &endings, &spec.set, &spec.unset));
        let seed = settings.seed.derive("templates").derive(&fingerprint);
        let mut template = Self {
            name: name.to_owned(),
            generator: settings.generator.with_seed(seed),
            shape,
            endings,
            set: spec.set.clone(),
            unset: spec.unset.clone(),
            refusals: None,
        };
        template
            .validate()
            .map_err(|(reason, help)| context.refused(spec.span, &reason, help))?;
        template.refusals = AllowedRefusals::of(case, name, &template.event(0), settings.policy);
        Ok(template)
    }

    /// The event's name in its scenario.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the scenario allows a receiver to refuse the event with this status.
    pub(super) fn may_be_refused(&self, status: u16) -> bool {
        let refusals = self.refusals.as_ref();
        refusals.is_some_and(|refusals| refusals.allow(status))
    }

    /// The event with this number. If `set` and `unset` make it invalid, which `validate` rules out,
    /// this is the unchanged event.
    pub(super) fn event(&self, number: u64) -> Event {
        let made = self.generated(number);
        let amended = self.amended(&made).and_then(Result::ok);
        let amended = amended.and_then(|json| serde_json::from_value(json).ok());
        amended.unwrap_or(made)
    }

    /// Appends the body of the event with this number.
    pub(super) fn write_body(&self, number: u64, body: &mut Vec<u8>) {
        let made = self.generated(number);
        let written = match self.amended(&made).and_then(Result::ok) {
            Some(json) => serde_json::to_writer(body, &json),
            None => serde_json::to_writer(body, &made),
        };
        debug_assert!(written.is_ok(), "an event is JSON");
    }

    fn generated(&self, number: u64) -> Event {
        let mut generator = self.generator.clone();
        generator.skip_to(number);
        let event = generator.event(&self.shape);
        let Endings {
            player_id,
            transaction_id,
        } = &self.endings;
        if player_id.is_none() && transaction_id.is_none() {
            return event;
        }
        // Other parts of the event repeat the player ID, so generate it again with the endings.
        let mut shape = self.shape.clone();
        if let Some(ending) = player_id {
            shape.player_id = Some(format!("{}{ending}", event.event_data.player_id));
        }
        if let Some(ending) = transaction_id {
            shape.transaction_id = Some(format!("{}{ending}", event.transaction_id));
        }
        generator.skip_to(number);
        generator.event(&shape)
    }

    /// The event after `set` and `unset`; `None` if there is nothing to change.
    fn amended(&self, event: &Event) -> Option<Result<Value, String>> {
        if self.set.is_empty() && self.unset.is_empty() {
            return None;
        }
        let json = serde_json::to_value(event).map_err(|error| error.to_string());
        Some(json.and_then(|mut json| {
            amend(&mut json, &self.set, &self.unset)?;
            Ok(json)
        }))
    }

    /// Checks that each number gives a unique, checkable event. The error has a reason and a help.
    fn validate(&self) -> Result<(), (String, &'static str)> {
        let mut seen: [BTreeSet<String>; 3] = Default::default();
        for number in 0..VALIDATED {
            let made = self.generated(number);
            let event = match self.amended(&made) {
                None => made,
                Some(Err(reason)) => {
                    return Err((reason, "every path of `set` and `unset` must exist in every event"));
                }
                Some(Ok(json)) => serde_json::from_value(json).map_err(|error| {
                    let reason = format!(
                        "after `set` and `unset` it is no longer a valid event, so its expected grant \
                         is unknown: {error}"
                    );
                    (reason, "send such an event with `aghook run`")
                })?,
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
            let may_repeat = |name| name == "player_id" && self.generator.has_listed_players();
            for ((name, value), seen) in own.into_iter().zip(&mut seen) {
                if may_repeat(name) {
                    continue;
                }
                if !seen.insert(value.into_owned()) {
                    let reason = format!("`{name}` would be the same in every event of a load");
                    return Err((reason, "remove it from `set`"));
                }
            }
        }
        Ok(())
    }
}

/// The event that a template is built from.
struct TemplateContext<'case> {
    case: &'case Case,
    name: &'case str,
}

impl<'case> TemplateContext<'case> {
    fn refused(&self, span: Span, reason: &str, help: &str) -> Diagnostic {
        let message = format!("a load can't send the event `{}`: {reason}", self.name);
        self.case.diagnostic(span, message, Some(help.to_owned()))
    }

    /// A shareable value, following `same_as` to the event that defines it.
    fn owner(
        &self,
        of: impl Fn(&'case EventSpec) -> Option<&'case Shareable>,
    ) -> Option<&'case Shareable> {
        let mut given = None;
        let mut name = self.name;
        // Validation of the scenario has ruled out cycles.
        while let Some(spec) = self.case.scenario.events.get(name) {
            given = of(&spec.value);
            match given {
                Some(Shareable::SameAs(other)) => name = &other.value,
                _ => break,
            }
        }
        given
    }
}
