//! Turns a case into a plan: its events as exact bytes, and its expectations ready to check.
//!
//! A plan is a function of the case, the seed and the start time. Nothing is sent here, so mistakes
//! in a scenario are found before the first request.

mod lint;
mod players;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::Value;

use self::players::AssignedPlayers;
use super::missing_capability::MissingCapability;
use super::volatile_values::{VolatileValue, volatile_values};
use crate::generate::{Catalogue, EventShape, Generator, Seed, StartTime};
use crate::probe::{fill_in, percent_encoded};
use crate::protocol::Event;
use crate::scenario::document::{Diagnostics, SourceFile, Span};
use crate::scenario::{
    Case, Expectation, JsonPointer, JsonPointerError, Level, Shareable, SharedId, amend,
};
use crate::verify::PreparedExpectation;
use crate::verify::Requirement;

/// Everything that a plan depends on, except its case.
#[derive(Debug, Clone)]
pub struct PlanSettings {
    /// The random seed of the run, if one was given.
    pub seed: Option<Seed>,
    /// The start time of the run, from which event times are calculated.
    pub start: StartTime,
    /// The game's own items, instead of invented ones.
    pub catalogue: Option<Arc<Catalogue>>,
    /// The game's ID for every event, instead of an invented one.
    pub game_id: Option<String>,
    /// The profile's list of players that the game knows. If it is empty, players are invented.
    pub players: Arc<[String]>,
    /// The index in `players` of the first player for this case.
    pub first_player: usize,
    /// The names of the profile's probes.
    pub probes: Vec<String>,
    /// Whether warnings and checks that were not checked count as failures.
    pub strict: bool,
    /// Whether only HTTP/2 is used, so that faults which need HTTP/1.1 are refused.
    pub http2_only: bool,
}

/// A case that is ready to run.
#[derive(Debug)]
pub struct Plan {
    /// The case.
    pub case: Case,
    /// Its events by name.
    pub events: IndexMap<String, PlannedEvent>,
    /// The values in its events that depend on the start time.
    pub(crate) varying: Vec<VolatileValue>,
    /// The expectations of every step.
    pub(crate) expectations: Vec<Vec<PreparedExpectation>>,
    /// The requirement of the scenario as a whole.
    pub(crate) requirement: Requirement,
    /// The requirement of every effect.
    pub(crate) effect_requirements: Vec<Requirement>,
    /// The seed of everything else that is random: shuffling, jitter and forgeries.
    pub(crate) seed: Seed,
    /// The start time of the run, from which event times are calculated.
    pub(crate) start: StartTime,
    /// The number of listed players that its events use.
    pub listed_players: usize,
    /// What the profile lacks, if the scenario can't run because of it.
    pub(crate) missing: Option<MissingCapability>,
}

/// An event, ready to send.
#[derive(Debug, Clone)]
pub struct PlannedEvent {
    /// The exact body.
    pub body: Bytes,
    /// The parsed body. `None` if `raw` or `set` make it an invalid event.
    pub event: Option<Event>,
}

/// Why an event can't be generated.
#[derive(Debug, thiserror::Error)]
pub enum PlannedEventError {
    /// It is not JSON.
    #[error("can't be written as JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// `set` or `unset` can't be applied to it.
    #[error(transparent)]
    Pointer(#[from] JsonPointerError),
}

impl PlannedEvent {
    /// Generates an event of a shape, then applies `set` and `unset`.
    pub fn generate(
        generator: &mut Generator,
        shape: &EventShape,
        set: &IndexMap<JsonPointer, Value>,
        unset: &[JsonPointer],
    ) -> Result<Self, PlannedEventError> {
        let event = generator.event(shape);
        if set.is_empty() && unset.is_empty() {
            let body = event.to_json()?;
            return Ok(Self {
                body: body.into(),
                event: Some(event),
            });
        }
        let mut json = serde_json::to_value(&event)?;
        amend(&mut json, set, unset)?;
        let body = serde_json::to_vec(&json)?;
        Ok(Self {
            event: serde_json::from_value(json).ok(),
            body: body.into(),
        })
    }

    /// The placeholders in a URL for values of an event.
    const PLACEHOLDERS: [&str; 3] = ["{player_id}", "{sku}", "{event_id}"];

    /// The player's ID, if the body is a valid event.
    pub fn player_id(&self) -> Option<&str> {
        self.event
            .as_ref()
            .map(|event| event.event_data.player_id.as_ref())
    }

    /// Replaces `{player_id}`, `{sku}` and `{event_id}` in a URL with the event's values.
    pub fn fill_in(&self, url: &str) -> String {
        let Some(event) = &self.event else {
            return url.to_owned();
        };
        let [player_id, sku, event_id] = Self::PLACEHOLDERS;
        let values = [
            (player_id, event.event_data.player_id.as_ref()),
            (sku, event.event_data.item.sku.as_ref()),
            (event_id, event.event_id.as_ref()),
        ];
        fill_in(url, &values, percent_encoded)
    }
}

impl Plan {
    /// The valid event with this name.
    pub(crate) fn event(&self, name: &str) -> Option<&Event> {
        self.events.get(name)?.event.as_ref()
    }

    /// Prepares a case.
    pub fn new(case: Case, settings: &PlanSettings) -> Result<Self, Diagnostics> {
        let seed = case.seed(settings.seed);
        let planner = Planner {
            case: &case,
            settings,
            seed,
            players: AssignedPlayers::new(&case.scenario, &settings.players, settings.first_player),
        };
        let mut problems = Diagnostics::default();
        let mut events = IndexMap::new();
        for name in case.scenario.events.keys() {
            match planner.event(name) {
                Ok(event) => _ = events.insert(name.clone(), event),
                Err(found) => problems.extend(found.0),
            }
        }
        let mut expectations = Vec::new();
        for step in &case.scenario.steps {
            let prepared = step
                .expect
                .0
                .iter()
                .map(|expectation| planner.expectation(expectation));
            match prepared.collect() {
                Ok(prepared) => expectations.push(prepared),
                Err(Diagnostics(found)) => problems.extend(found),
            }
        }
        problems.extend(planner.faults().0);
        problems.extend(planner.effects(&events).0);
        problems.extend(planner.requests(&events).0);
        problems.into_result()?;
        let varying = planner.varying(&events);
        let requirement = planner.requirement(None, None);
        let effects = case.scenario.effects.iter();
        let effect_requirements = effects
            .map(|effect| planner.requirement(effect.level, effect.source.as_ref()))
            .collect();
        let players = planner.players;
        Ok(Self {
            listed_players: players.count(),
            missing: players.missing,
            events,
            varying,
            expectations,
            requirement,
            effect_requirements,
            seed,
            start: settings.start,
            case,
        })
    }

    /// Whether a step restarts the receiver, which would disturb other scenarios.
    pub(crate) fn restarts(&self) -> bool {
        let steps = &self.case.scenario.steps;
        steps.iter().any(|step| step.restart)
    }

    /// The players whose inventory this plan changes or reads.
    pub(crate) fn players(&self) -> BTreeSet<&str> {
        self.events
            .values()
            .filter_map(PlannedEvent::player_id)
            .collect()
    }
}

struct Planner<'plan> {
    case: &'plan Case,
    settings: &'plan PlanSettings,
    seed: Seed,
    players: AssignedPlayers,
}

impl Planner<'_> {
    fn problem(&self, span: Span, message: String, help: Option<String>) -> Diagnostics {
        self.case.diagnostic(span, message, help).into()
    }

    fn requirement(&self, level: Option<Level>, source: Option<&String>) -> Requirement {
        let scenario = &self.case.scenario;
        Requirement {
            level: level.unwrap_or(scenario.level),
            source: source.or(scenario.source.as_ref()).cloned(),
            strict: self.settings.strict,
        }
    }

    fn event(&self, name: &str) -> Result<PlannedEvent, Diagnostics> {
        let Some(spec) = self.case.scenario.events.get(name) else {
            return Err(self.problem(Span::default(), format!("unknown event `{name}`"), None));
        };
        if let Some(raw) = &spec.raw {
            let event = serde_json::from_str(raw).ok();
            return Ok(PlannedEvent {
                body: Bytes::copy_from_slice(raw.as_bytes()),
                event,
            });
        }
        let shape = spec.shape(
            Some(self.shared(name, SharedId::Player)),
            Some(self.shared(name, SharedId::Transaction)),
        );
        PlannedEvent::generate(&mut self.generator(name), &shape, &spec.set, &spec.unset)
            .map_err(|reason| self.problem(spec.span, format!("event `{name}`: {reason}"), None))
    }

    /// The values that would differ in a run with another start time, found by planning such a run.
    fn varying(&self, events: &IndexMap<String, PlannedEvent>) -> Vec<VolatileValue> {
        let settings = PlanSettings {
            start: self.settings.start.shifted(),
            ..self.settings.clone()
        };
        let other_planner = Planner {
            settings: &settings,
            case: self.case,
            seed: self.seed,
            // Without the listed players: another run could use any of them.
            players: AssignedPlayers::default(),
        };
        let pairs = events.iter().filter_map(|(name, event)| {
            let other = other_planner.event(name).ok()?;
            Some((name.as_str(), event.body.as_ref(), other.body))
        });
        let pairs: Vec<_> = pairs.collect();
        volatile_values(&pairs, self.settings.start)
    }

    fn generator(&self, label: &str) -> Generator {
        let mut generator = Generator::new(self.seed.derive(label), self.settings.start);
        if let Some(catalogue) = &self.settings.catalogue {
            generator = generator.with_catalogue(Arc::clone(catalogue));
        }
        if let Some(game_id) = &self.settings.game_id {
            generator = generator.with_game_id(game_id.clone());
        }
        generator
    }

    /// An ID that events may share: given, from the profile's list, generated, or that of another event.
    fn shared(&self, name: &str, id: SharedId) -> String {
        let events = &self.case.scenario.events;
        // The scenario's checks rule out that an event refers back to itself.
        let (owner, given) = id.owner(events, name).unwrap_or((name, None));
        if let (SharedId::Player, Some(player)) = (id, self.players.get(owner)) {
            return player.clone();
        }
        let generated = || match id {
            SharedId::Player => self.generator(&format!("{owner} player")).player_id(),
            SharedId::Transaction => {
                let mut generator = self.generator(&format!("{owner} transaction"));
                generator.transaction_id()
            }
        };
        match given {
            Some(Shareable::Literal(text)) => text.clone(),
            Some(Shareable::Ending(text)) => generated() + text,
            Some(Shareable::SameAs(_)) | None => generated(),
        }
    }

    fn expectation(&self, expectation: &Expectation) -> Result<PreparedExpectation, Diagnostics> {
        let schema = expectation.schema.as_ref().map(|file| {
            let folder = Path::new(self.case.source.name.as_ref()).parent();
            let path = folder.unwrap_or(Path::new("")).join(&file.value);
            let unreadable = |error: Diagnostics| {
                let help = "the path is relative to this file's folder".to_owned();
                self.problem(file.span, error.to_string(), Some(help))
            };
            let source = SourceFile::read(&path).map_err(unreadable)?;
            let problem = |reason: String| {
                let message = format!("{} is not a JSON Schema: {reason}", path.display());
                self.problem(file.span, message, None)
            };
            let json: Value =
                serde_json::from_str(&source.text).map_err(|error| problem(error.to_string()))?;
            jsonschema::validator_for(&json).map_err(|error| problem(error.to_string()))
        });
        Ok(PreparedExpectation {
            schema: schema.transpose()?,
            requirement: self.requirement(expectation.level, expectation.source.as_ref()),
            expectation: expectation.clone(),
        })
    }
}
