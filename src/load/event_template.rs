//! One event of a scenario, made ready to be sent under any number of a load.
//!
//! Everything is resolved and tried out once, at the start. What makes each of a load's events one of
//! its own (player, IDs, idempotency key) comes from its number and not from the scenario: so steps
//! are not played here, and events of one scenario share nothing.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::Value;

use super::allowed_refusal::AllowedRefusals;
use crate::generate::{EventShape, Generator, Seed};
use crate::protocol::Event;
use crate::scenario::document::{Diagnostic, Span};
use crate::scenario::{Case, EventSpec, JsonPointer, Policy, Shareable, amend};

/// From what templates are made, besides their scenarios.
#[derive(Debug, Clone)]
pub struct TemplateSettings {
    /// Has the game, the items and the start of the load.
    pub generator: Generator,
    /// The load's seed.
    pub seed: Seed,
    /// What the game has chosen, by which a refusal may be right.
    pub policy: Policy,
}

/// Makes the events of a load that are drawn from one event of a scenario.
#[derive(Debug, Clone)]
pub struct EventTemplate {
    name: String,
    /// At the start of streams that no other template has.
    generator: Generator,
    shape: EventShape,
    /// What stands behind the generated player and transaction.
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

/// For how many numbers a template is tried out before anything is sent: what is drawn differs from
/// number to number, and what `set` points at must be there each time.
const TRIED_OUT: u64 = 32;

impl EventTemplate {
    /// Makes an event of a case ready, and tries it out. What a load can't send or judge is told with
    /// its place in the file.
    ///
    /// IDs follow from what the event is as well, and not from its number alone: so a load of another
    /// mix, with the same seed and start time, does not send another event under the same key.
    pub fn new(case: &Case, name: &str, settings: &TemplateSettings) -> Result<Self, Diagnostic> {
        let maker = Maker { case, name };
        let Some(spec) = case.scenario.events.get(name) else {
            return Err(maker.refused(Span::default(), "it is not there", "name another event"));
        };
        if let Some(raw) = &spec.raw {
            return Err(maker.refused(
                raw.span,
                "its body is given (`raw`), so that every one would be the same event",
                "describe it by `item`, `coupon` and `set`: each event of a load has its own IDs",
            ));
        }
        let player_id = maker.owner(|spec| spec.player_id.as_ref());
        if let Some(Shareable::Literal(_)) = player_id {
            return Err(maker.refused(
                spec.span,
                "its player is given, and what an event of a load brings is seen by what a player \
                 of its own holds",
                "leave `player_id` out, or give it an `ending`",
            ));
        }
        let (mut endings, mut transaction_id) = (Endings::default(), None);
        if let Some(Shareable::Ending(text)) = player_id {
            if settings.generator.has_listed_players() {
                return Err(maker.refused(
                    spec.span,
                    "its player has an ending, and the profile lists the players that there are",
                    "leave `player_id` out, or take a profile without `players`",
                ));
            }
            endings.player_id = Some(text.clone());
        }
        match maker.owner(|spec| spec.transaction_id.as_ref()) {
            Some(Shareable::Literal(text)) => transaction_id = Some(text.clone()),
            Some(Shareable::Ending(text)) => endings.transaction_id = Some(text.clone()),
            Some(Shareable::SameAs(_)) | None => {}
        }
        let shape = spec.shape(None, transaction_id);
        let what = format!("{:?}", (&shape, &endings, &spec.set, &spec.unset));
        let seed = settings.seed.derive("templates").derive(&what);
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
            .try_out()
            .map_err(|(reason, help)| maker.refused(spec.span, &reason, help))?;
        template.refusals = AllowedRefusals::of(case, name, &template.event(0), settings.policy);
        Ok(template)
    }

    /// The event's name in its scenario.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the scenario lets a receiver answer the event so, though that is no success.
    pub(super) fn may_be_refused(&self, status: u16) -> bool {
        let refusals = self.refusals.as_ref();
        refusals.is_some_and(|refusals| refusals.allow(status))
    }

    /// The event of this number. Where what was changed is no event any more, the event without the
    /// change: it was tried out that this does not happen.
    pub(super) fn event(&self, number: u64) -> Event {
        let made = self.generated(number);
        let amended = self.amended(&made).and_then(Result::ok);
        let amended = amended.and_then(|json| serde_json::from_value(json).ok());
        amended.unwrap_or(made)
    }

    /// Writes the body of this number's event behind what is there.
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
        // Other parts of an event repeat its player: so it is made once more, with the endings.
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

    /// The event after `set` and `unset`; none where there is nothing to change.
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

    /// Whether each number's event is one of its own that can be judged; why not, and what to do.
    fn try_out(&self) -> Result<(), (String, &'static str)> {
        let mut seen: [BTreeSet<String>; 3] = Default::default();
        for number in 0..TRIED_OUT {
            let made = self.generated(number);
            let event = match self.amended(&made) {
                None => made,
                Some(Err(reason)) => {
                    return Err((reason, "what `set` and `unset` name must be in every event"));
                }
                Some(Ok(json)) => serde_json::from_value(json).map_err(|error| {
                    let reason = format!(
                        "what `set` and `unset` make of it is no valid event, so that nobody can \
                         tell what it should grant: {error}"
                    );
                    (reason, "send such an event by `aghook run`")
                })?,
            };
            if event.event_type != Event::COUPON_REDEEMED {
                let reason = format!(
                    "its type is `{}`, and a load expects what it sends to be granted",
                    event.event_type
                );
                return Err((reason, "send such an event by `aghook run`"));
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
                    return Err((reason, "take that out of `set`"));
                }
            }
        }
        Ok(())
    }
}

/// What a template is made of.
struct Maker<'case> {
    case: &'case Case,
    name: &'case str,
}

impl<'case> Maker<'case> {
    fn refused(&self, span: Span, reason: &str, help: &str) -> Diagnostic {
        let message = format!("a load can't send the event `{}`: {reason}", self.name);
        self.case.diagnostic(span, message, Some(help.to_owned()))
    }

    /// What is given of a value that events may share, by the event at the end of `same_as`.
    fn owner(
        &self,
        of: impl Fn(&'case EventSpec) -> Option<&'case Shareable>,
    ) -> Option<&'case Shareable> {
        let mut given = None;
        let mut name = self.name;
        // The check of the scenario has made sure that this ends.
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
