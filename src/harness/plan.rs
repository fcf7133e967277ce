//! From a case to what is sent: its events as exact bytes, and its expectations made ready.
//!
//! A plan is a function of the case, the seed and the start time. Nothing is sent here, so what
//! is wrong in a scenario is found before the first request.

mod lint;
mod players;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::Value;

use self::players::DrawnPlayers;
use super::expectation::PreparedExpectation;
use super::lacking::Lacking;
use super::placeholders::{fill_in, percent_encoded};
use super::varying::{VaryingValue, varying_values};
use super::verdict::Demand;
use crate::generate::{Catalogue, EventShape, Generator, Seed, StartTime};
use crate::protocol::Event;
use crate::scenario::document::{Diagnostics, SourceFile, Span};
use crate::scenario::{Case, EventSpec, Expectation, Fault, JsonPointer, Level, Shareable, amend};

/// From what a plan follows, besides its case.
#[derive(Debug, Clone)]
pub struct PlanSettings {
    /// The seed of the whole run, if one was asked for.
    pub seed: Option<Seed>,
    /// The moment from which event times count.
    pub start: StartTime,
    /// The game's own items, in place of invented ones.
    pub catalogue: Option<Arc<Catalogue>>,
    /// The game's ID in every event, in place of an invented one.
    pub game_id: Option<String>,
    /// The players that the game knows, if it knows its own alone. Where there are none, players
    /// are invented.
    pub players: Arc<[String]>,
    /// The place in `players` from which this case's are drawn.
    pub first_player: usize,
    /// The probes that the profile knows by name.
    pub probes: Vec<String>,
    /// Whether warnings and what was not checked count as failures.
    pub strict: bool,
    /// Whether a fault that HTTP/2 can't play is refused, because nothing else will be spoken.
    pub http2_only: bool,
}

/// A case that is ready to be run.
#[derive(Debug)]
pub struct Plan {
    /// The case.
    pub case: Case,
    /// Its events by name.
    pub events: IndexMap<String, PlannedEvent>,
    /// The values in its events that follow from the start time.
    pub(super) varying: Vec<VaryingValue>,
    /// The expectations of every step.
    pub(super) expectations: Vec<Vec<PreparedExpectation>>,
    /// What the scenario as a whole demands.
    pub(super) demand: Demand,
    /// The demand of every effect.
    pub(super) effect_demands: Vec<Demand>,
    /// From what everything else random follows: shuffling, jitter, forgeries.
    pub(super) seed: Seed,
    /// The moment from which event times count.
    pub(super) start: StartTime,
    /// How many of the listed players its events are about.
    pub listed_players: usize,
    /// What the profile lacks, so that nothing of it can be sent.
    pub(super) lacking: Option<Lacking>,
}

/// An event as it is sent.
#[derive(Debug, Clone)]
pub struct PlannedEvent {
    /// The exact body.
    pub body: Bytes,
    /// What the body says; none where it is not a valid event, which `raw` and `set` can make it.
    pub event: Option<Event>,
}

impl PlannedEvent {
    /// Makes an event of a shape, and changes what `set` and `unset` point at.
    pub fn generate(
        generator: &mut Generator,
        shape: &EventShape,
        set: &IndexMap<JsonPointer, Value>,
        unset: &[JsonPointer],
    ) -> Result<Self, String> {
        let unserialisable =
            |error: serde_json::Error| format!("can't be written as JSON: {error}");
        let event = generator.event(shape);
        if set.is_empty() && unset.is_empty() {
            let body = event.to_json().map_err(unserialisable)?;
            return Ok(Self {
                body: body.into(),
                event: Some(event),
            });
        }
        let mut json = serde_json::to_value(&event).map_err(unserialisable)?;
        amend(&mut json, set, unset)?;
        let body = serde_json::to_vec(&json).map_err(unserialisable)?;
        Ok(Self {
            event: serde_json::from_value(json).ok(),
            body: body.into(),
        })
    }

    /// What stands in a URL for values of an event.
    const PLACES: [&str; 3] = ["{player_id}", "{sku}", "{event_id}"];

    /// The player, where the body is a valid event.
    pub fn player_id(&self) -> Option<&str> {
        self.event
            .as_ref()
            .map(|event| event.event_data.player_id.as_ref())
    }

    /// Puts the event's values in place of `{player_id}`, `{sku}` and `{event_id}` in a URL.
    pub fn fill_in(&self, url: &str) -> String {
        let Some(event) = &self.event else {
            return url.to_owned();
        };
        let [player_id, sku, event_id] = Self::PLACES;
        let values = [
            (player_id, event.event_data.player_id.as_ref()),
            (sku, event.event_data.item.sku.as_ref()),
            (event_id, event.event_id.as_ref()),
        ];
        fill_in(url, &values, percent_encoded)
    }
}

/// The probe that `granted` reads.
pub(super) const QUANTITY_PROBE: &str = "quantity";

/// What to do about a fault that HTTP/2 can't play.
pub(super) const HTTP1_HELP: &str = "set `http_version: \"1.1\"` or `auto` in the profile, or \
    `--http-version 1.1`";

/// Why a fault can't be played over HTTP/2.
pub(super) fn needs_http1(fault: Fault) -> String {
    format!(
        "`{fault}` can't be played over HTTP/2, where a request that breaks off ends its stream \
         and not the connection"
    )
}

impl Plan {
    /// Makes a case ready.
    pub fn new(case: Case, settings: &PlanSettings) -> Result<Self, Diagnostics> {
        let seed = case.seed(settings.seed);
        let planner = Planner {
            case: &case,
            settings,
            seed,
            players: DrawnPlayers::new(&case.scenario, &settings.players, settings.first_player),
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
        let demand = planner.demand(None, None);
        let effects = case.scenario.effects.iter();
        let effect_demands = effects
            .map(|effect| planner.demand(effect.level, effect.source.as_ref()))
            .collect();
        let players = planner.players;
        Ok(Self {
            listed_players: players.count(),
            lacking: players.lacking,
            events,
            varying,
            expectations,
            demand,
            effect_demands,
            seed,
            start: settings.start,
            case,
        })
    }

    /// Whether the receiver is restarted on the way, which other scenarios must not meet.
    pub(super) fn restarts(&self) -> bool {
        let steps = &self.case.scenario.steps;
        steps.iter().any(|step| step.restart)
    }

    /// The players whose holdings this plan changes or reads, each once.
    pub(super) fn players(&self) -> BTreeSet<&str> {
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
    players: DrawnPlayers,
}

impl Planner<'_> {
    fn problem(&self, span: Span, message: String, help: Option<String>) -> Diagnostics {
        self.case.diagnostic(span, message, help).into()
    }

    fn demand(&self, level: Option<Level>, source: Option<&String>) -> Demand {
        let scenario = &self.case.scenario;
        Demand {
            level: level.unwrap_or(scenario.level),
            source: source.or(scenario.source.as_ref()).cloned(),
            strict: self.settings.strict,
        }
    }

    fn event(&self, name: &str) -> Result<PlannedEvent, Diagnostics> {
        let Some(spec) = self.case.scenario.events.get(name) else {
            return Err(self.problem(Span::default(), format!("there is no event `{name}`"), None));
        };
        if let Some(raw) = &spec.raw {
            let event = serde_json::from_str(raw).ok();
            return Ok(PlannedEvent {
                body: Bytes::copy_from_slice(raw.as_bytes()),
                event,
            });
        }
        let shape = spec.shape(
            Some(self.player(name)),
            Some(self.shared(
                name,
                "transaction",
                |spec| spec.transaction_id.as_ref(),
                Generator::transaction_id,
            )),
        );
        PlannedEvent::generate(&mut self.generator(name), &shape, &spec.set, &spec.unset)
            .map_err(|reason| self.problem(spec.span, format!("event `{name}`: {reason}"), None))
    }

    /// What would be otherwise in a run that starts at another time: found by planning one.
    fn varying(&self, events: &IndexMap<String, PlannedEvent>) -> Vec<VaryingValue> {
        let settings = PlanSettings {
            start: self.settings.start.shifted(),
            ..self.settings.clone()
        };
        let elsewhen = Planner {
            settings: &settings,
            case: self.case,
            seed: self.seed,
            // Other players than any that the profile lists: in another run it could be any of them.
            players: DrawnPlayers::default(),
        };
        let pairs = events.iter().filter_map(|(name, event)| {
            let other = elsewhen.event(name).ok()?;
            Some((name.as_str(), event.body.as_ref(), other.body))
        });
        let pairs: Vec<_> = pairs.collect();
        varying_values(&pairs, self.settings.start)
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

    fn player(&self, name: &str) -> String {
        let mut owner = name;
        while let Some(spec) = self.case.scenario.events.get(owner)
            && let Some(Shareable::SameAs(other)) = &spec.value.player_id
        {
            owner = &other.value;
        }
        if let Some(player) = self.players.of(owner) {
            return player.clone();
        }
        self.shared(
            owner,
            "player",
            |spec| spec.player_id.as_ref(),
            Generator::player_id,
        )
    }

    /// A value that events may share: given, generated, or that of the event it is the same as.
    fn shared(
        &self,
        name: &str,
        what: &str,
        of: impl Fn(&EventSpec) -> Option<&Shareable>,
        generate: impl Fn(&mut Generator) -> String,
    ) -> String {
        let mut owner = name;
        // The check has made sure that this ends and that every name is there.
        while let Some(spec) = self.case.scenario.events.get(owner) {
            match of(&spec.value) {
                Some(Shareable::Literal(text)) => return text.clone(),
                Some(Shareable::SameAs(other)) => owner = &other.value,
                Some(Shareable::Ending(text)) => {
                    let generated = generate(&mut self.generator(&format!("{owner} {what}")));
                    return format!("{generated}{text}");
                }
                None => break,
            }
        }
        generate(&mut self.generator(&format!("{owner} {what}")))
    }

    fn expectation(&self, expectation: &Expectation) -> Result<PreparedExpectation, Diagnostics> {
        let schema = expectation.schema.as_ref().map(|file| {
            let folder = Path::new(self.case.source.name.as_ref()).parent();
            let path = folder.unwrap_or(Path::new("")).join(&file.value);
            let unreadable = |error: Diagnostics| {
                let help = "the path is taken from this file's folder".to_owned();
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
            demand: self.demand(expectation.level, expectation.source.as_ref()),
            expectation: expectation.clone(),
        })
    }
}
