//! Turns a case into a plan: its events as exact bytes, and its expectations ready to check.
//!
//! A plan is a function of the case, the seed and the start time. Nothing is sent here, so mistakes
//! in a scenario are found before the first request.

mod planned_effect;
mod planned_event;
mod planned_hook;
mod planned_sizes;
mod planned_step;
mod players;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::Value;

pub(crate) use self::planned_effect::PlannedEffect;
use self::planned_event::PlannedEventError;
pub(crate) use self::planned_event::{PlannedEvent, SentAs};
pub use self::planned_hook::KnownHook;
pub(crate) use self::planned_hook::{PlannedHook, event_values};
use self::planned_sizes::EventSizes;
pub(crate) use self::planned_sizes::PlannedSizes;
pub(crate) use self::planned_step::{
    PlannedAction, PlannedDeliveries, PlannedDelivery, PlannedRequest, PlannedStep,
};
use self::players::AssignedPlayers;
use super::missing_capability::MissingCapability;
use super::patience::Patience;
use super::volatile_values::{VolatileValue, volatile_values};
use crate::generate::{
    BodyLayout, Catalogue, EventForm, Generator, IdShape, Seed, SkuOwner, SkuShape, StartTime,
};
use crate::protocol::{Event, EventKind, Field};
use crate::scenario::document::{Diagnostic, Diagnostics, SourceFile, Span, Spanned};
use crate::scenario::{Case, EventSpec, Expectation, Level, Shareable, SharedId};
use crate::transport::AllowedHosts;
use crate::verify::{PreparedExpectation, Requirement};

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
    /// The form of events, unless an event has its own.
    pub form: EventForm,
    /// The profile's list of players that the game knows. If it is empty, players are invented.
    pub players: Arc<[String]>,
    /// The index in `players` of the first player for this case.
    pub first_player: usize,
    /// The kind of the events whose kind a scenario leaves open.
    pub usual_kind: EventKind,
    /// The names of the profile's probes.
    pub probes: Vec<String>,
    /// The hooks that steps can run.
    pub hooks: Vec<KnownHook>,
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
    pub(crate) steps: Vec<PlannedStep>,
    pub(crate) requirement: Requirement,
    pub(crate) effects: Vec<PlannedEffect>,
    /// The seed of everything else that is random: shuffling, jitter and forgeries.
    pub(crate) seed: Seed,
    /// The start time of the run, from which event times are calculated.
    pub(crate) start: StartTime,
    /// The number of listed players that its events use.
    pub listed_players: usize,
    pub(crate) patience: Patience,
    /// What the profile lacks, if the scenario can't run because of it.
    pub(crate) missing: Option<MissingCapability>,
}

impl Plan {
    /// Prepares a case.
    pub fn new(case: Case, settings: &PlanSettings) -> Result<Self, Diagnostics> {
        let seed = case.seed(settings.seed);
        let mut planner = Planner {
            case: &case,
            settings,
            seed,
            players: AssignedPlayers::new(&case.scenario, &settings.players, settings.first_player),
            skus: RefCell::default(),
            problems: Diagnostics::default(),
        };
        let scenario = &case.scenario;
        let mut sizes = EventSizes::default();
        let events = scenario.events.iter().map(|(name, spec)| {
            if sizes.is_exceeded() {
                return None;
            }
            let event = planner.event(name, spec);
            let event = event.map_err(|reason| reason.to_string());
            let event = event.and_then(|event| sizes.add(&event.body).map(|()| event));
            let report = |reason| {
                planner.report(spec.span, format!("event `{name}`: {reason}"), None);
            };
            event.map_err(report).ok()
        });
        let events: Vec<Option<PlannedEvent>> = events.collect();
        let steps = (1..).zip(&scenario.steps);
        let steps = steps.filter_map(|(number, step)| planner.step(number, step, &events));
        let steps = steps.collect();
        let effects = scenario.effects.iter();
        let effects = effects.filter_map(|effect| planner.effect(effect, &events));
        let effects = effects.collect();
        // What is missing has a mistake.
        std::mem::take(&mut planner.problems).into_result()?;
        let names = scenario.events.keys().cloned();
        let events = names.zip(events.into_iter().flatten()).collect();
        let varying = planner.varying(&events);
        let requirement = planner.requirement(None, None);
        let missing = planner.missing_item();
        let players = planner.players;
        Ok(Self {
            listed_players: players.by_event.len(),
            patience: Patience::default(),
            missing: players.missing.or(missing),
            events,
            varying,
            steps,
            requirement,
            effects,
            seed,
            start: settings.start,
            case,
        })
    }

    /// Fails if a step sends a request to a URL that is not allowed.
    pub(crate) fn check_requests(&self, allowed: &AllowedHosts) -> Result<(), Diagnostics> {
        let refused = self.steps.iter().filter_map(|step| match &step.action {
            PlannedAction::Request(request) => request.refusal(allowed),
            _ => None,
        });
        let mut problems = Diagnostics::default();
        problems.extend(
            refused.map(|(span, error)| Diagnostic::at(&self.case.source, span, error.to_string())),
        );
        problems.into_result()
    }

    /// Whether it needs the receiver for itself, or disturbs other scenarios beside it.
    pub(crate) fn runs_alone(&self) -> bool {
        let actions = self.steps.iter().map(|step| &step.action);
        let mut beside_others =
            actions.take_while(|action| !matches!(action, PlannedAction::AfterOthers));
        beside_others.any(PlannedAction::disturbs_receiver) || self.case.scenario.alone
    }

    /// Whether it restarts the receiver or moves its clock.
    pub(crate) fn disturbs_receiver(&self) -> bool {
        self.steps
            .iter()
            .any(|step| step.action.disturbs_receiver())
    }

    /// Whether it waits until all other scenarios have ended.
    pub(crate) fn waits_for_others(&self) -> bool {
        let mut actions = self.steps.iter().map(|step| &step.action);
        actions.any(|action| matches!(action, PlannedAction::AfterOthers))
    }

    /// The players whose inventory this plan changes or reads.
    pub(crate) fn players(&self) -> BTreeSet<&str> {
        let events = self
            .events
            .values()
            .filter_map(|planned| planned.event.as_ref());
        events
            .map(|event| event.event_data.player_id.as_ref())
            .collect()
    }
}

struct Planner<'plan> {
    case: &'plan Case,
    settings: &'plan PlanSettings,
    seed: Seed,
    players: AssignedPlayers,
    /// The SKUs of the events whose SKUs others have. Without it, events that each have the SKU of another
    /// one twice would take twice as long one after the other.
    skus: RefCell<BTreeMap<String, String>>,
    problems: Diagnostics,
}

impl Planner<'_> {
    fn report(&mut self, span: Span, message: String, help: Option<String>) {
        let mut problem = Diagnostic::at(&self.case.source, span, message);
        problem.help = help;
        self.problems.extend([problem]);
    }

    fn requirement(&self, level: Option<Level>, source: Option<&String>) -> Requirement {
        let scenario = &self.case.scenario;
        Requirement {
            level: level.unwrap_or(scenario.level),
            source: source.or(scenario.source.as_ref()).cloned(),
            strict: self.settings.strict,
        }
    }

    fn event(&self, name: &str, spec: &EventSpec) -> Result<PlannedEvent, PlannedEventError> {
        if let Some(raw) = &spec.raw {
            return Ok(PlannedEvent {
                body: Bytes::copy_from_slice(raw.as_bytes()),
                layout: BodyLayout::default(),
                event: serde_json::from_str(raw).ok(),
            });
        }
        let given = |id| self.shared(name, id).map(|id| Some(IdShape::Given(id)));
        let key = SharedId::IdempotencyKey;
        let mut shape = spec.shape(
            given(SharedId::Player)?,
            given(SharedId::Transaction)?,
            // The usual key is drawn with the rest of the event.
            match key.of(spec) {
                Some(_) if !spec.has_own_key() => given(key)?,
                _ => None,
            },
        );
        for sku in shape.skus_mut() {
            let given = match sku {
                SkuShape::SameAs(SkuOwner::Event(owner)) => self.sku_of(owner)?,
                SkuShape::Like { event, beginning } => beginning.clone() + &self.sku_of(event)?,
                _ => continue,
            };
            *sku = SkuShape::Given(given);
        }
        let mut generator = self.generator(name);
        let Some(coupon_event) = &spec.coupon_event else {
            let sent_as = self.sent_as(name, spec);
            return PlannedEvent::generate(
                &mut generator,
                &shape,
                sent_as,
                &spec.set,
                &spec.unset,
                spec.layout,
            );
        };
        // The scenario's checks require a coupon's event and a kind.
        let kind = spec.kind.unwrap_or(EventKind::ItemAdd);
        let coupon = self.other_event(coupon_event)?;
        let mut event = Event {
            event_data: coupon.event_data,
            sandbox: coupon.sandbox,
            ..generator.event(&shape)
        };
        if spec.event_time.is_none() {
            event.event_time = coupon.event_time;
        }
        if spec.trigger.is_absent() {
            event.trigger = match kind {
                EventKind::ItemRemove => Field::Null,
                EventKind::CouponRedeemed | EventKind::ItemAdd => coupon.trigger,
            };
        }
        if spec.shares_key() {
            event.idempotency_key = coupon.idempotency_key;
        }
        let layout = spec.layout.unwrap_or(generator.form.layout);
        PlannedEvent::of(event, SentAs::Chosen(kind), &spec.set, &spec.unset, layout)
    }

    /// Another event of the scenario. The scenario's checks rule out that it depends on this one.
    fn other_event(&self, name: &str) -> Result<Event, PlannedEventError> {
        let invalid = || PlannedEventError::NoItems(name.to_owned());
        let spec = self.case.scenario.events.get(name).ok_or_else(invalid)?;
        self.event(name, spec)?.event.ok_or_else(invalid)
    }

    /// The SKU of an event's first item.
    fn sku_of(&self, name: &str) -> Result<String, PlannedEventError> {
        if let Some(sku) = self.skus.borrow().get(name) {
            return Ok(sku.clone());
        }
        let event = self.other_event(name)?;
        let item = event.event_data.granted_items().first();
        let item = item.ok_or_else(|| PlannedEventError::NoItems(name.to_owned()))?;
        let sku = item.sku.to_string();
        self.skus.borrow_mut().insert(name.to_owned(), sku.clone());
        Ok(sku)
    }

    /// The kind of an event that is not made for another one. An event for which others are made is a
    /// coupon's.
    fn sent_as(&self, name: &str, spec: &EventSpec) -> SentAs {
        let mut others = self.case.scenario.events.values();
        let is_made_for = |other: &Spanned<EventSpec>| {
            let coupon_event = other.coupon_event.as_ref();
            coupon_event.is_some_and(|coupon_event| coupon_event.value == name)
        };
        match spec.kind {
            Some(kind) => SentAs::Chosen(kind),
            None if others.any(is_made_for) => SentAs::Chosen(EventKind::CouponRedeemed),
            None => SentAs::Usual(self.settings.usual_kind),
        }
    }

    /// What the game's own items lack for the scenario.
    fn missing_item(&self) -> Option<MissingCapability> {
        let catalogue = self.settings.catalogue.as_ref()?;
        let specs = self.case.scenario.events.values();
        if let Some(beginning) = specs.clone().find_map(|spec| spec.sku_beginning()) {
            // Of the game's items, none is chosen to fit another.
            return Some(MissingCapability::ItemWithSkuBeginning(
                beginning.to_owned(),
            ));
        }
        let mut lengths = specs.flat_map(|spec| spec.sku_lengths());
        let missing = lengths.find(|length| catalogue.sku_of_length(*length).is_none());
        missing.map(MissingCapability::ItemWithSkuLength)
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
            skus: RefCell::default(),
            problems: Diagnostics::default(),
        };
        let specs = self.case.scenario.events.iter().zip(events.values());
        let pairs = specs.filter_map(|((name, spec), event)| {
            let other = other_planner.event(name, spec).ok()?;
            Some((name.as_str(), event.body.as_ref(), other.body))
        });
        volatile_values(&pairs.collect::<Vec<_>>(), self.settings.start)
    }

    fn generator(&self, label: &str) -> Generator {
        let mut generator = Generator::new(self.seed.derive(label), self.settings.start);
        if let Some(catalogue) = &self.settings.catalogue {
            generator.catalogue = Arc::clone(catalogue);
        }
        generator.form = self.settings.form.clone();
        if let Some(game_id) = &self.settings.game_id {
            generator.game_id = game_id.clone().into();
        }
        generator
    }

    /// An ID that events may share: given, from the profile's list, generated, or that of another event.
    fn shared(&self, name: &str, id: SharedId) -> Result<String, PlannedEventError> {
        let events = &self.case.scenario.events;
        // The scenario's checks rule out that an event refers back to itself.
        let (owner, given) = id.owner(events, name).unwrap_or((name, None));
        if let (SharedId::Player, Some(player)) = (id, self.players.by_event.get(owner)) {
            return Ok(player.clone());
        }
        let shape = match given {
            Some(Shareable::Like { event, likeness }) => {
                let original = self.shared(event, id)?;
                let other = likeness.other(&original);
                return other.ok_or_else(|| PlannedEventError::NoSimilarId {
                    id: original,
                    event: event.value.clone(),
                });
            }
            Some(Shareable::Own(shape)) => Some(shape),
            Some(Shareable::SameAs(_)) | None => None,
        };
        Ok(match id {
            SharedId::Player => self.generator(&format!("{owner} player")).player_id(shape),
            SharedId::Transaction => {
                let mut generator = self.generator(&format!("{owner} transaction"));
                generator.transaction_id(shape)
            }
            SharedId::IdempotencyKey => self.generator(owner).idempotency_key(shape),
        })
    }

    fn expectation(&mut self, expectation: &Expectation) -> Option<PreparedExpectation> {
        let schema = match &expectation.schema {
            Some(file) => Some(self.schema(file)?),
            None => None,
        };
        Some(PreparedExpectation {
            schema,
            requirement: self.requirement(expectation.level, expectation.source.as_ref()),
            expectation: expectation.clone(),
        })
    }

    fn schema(&mut self, file: &Spanned<PathBuf>) -> Option<jsonschema::Validator> {
        let folder = Path::new(self.case.source.name.as_ref()).parent();
        let path = folder.unwrap_or(Path::new("")).join(&file.value);
        let source = SourceFile::read(&path);
        let unreadable = |error: Diagnostics| {
            let help = "the path is relative to this file's folder".to_owned();
            self.report(file.span, error.to_string(), Some(help));
        };
        let source = source.map_err(unreadable).ok()?;
        let json = serde_json::from_str(&source.text).map_err(|error| error.to_string());
        let validator = json.and_then(|json: Value| {
            jsonschema::validator_for(&json).map_err(|error| error.to_string())
        });
        let invalid = |reason| {
            let message = format!("{} is not a JSON Schema: {reason}", path.display());
            self.report(file.span, message, None);
        };
        validator.map_err(invalid).ok()
    }
}
