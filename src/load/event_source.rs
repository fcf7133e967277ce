//! The stream of events: maps a number to its event and its treatment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::allowed_refusals::AllowedRefusals;
use super::event_mix::{EventMix, MixScenario};
use super::event_template::{EventContent, EventTemplate};
use super::settings::LoadSettings;
use super::treatment_mix::{Treatment, TreatmentMix, Treatments};
use crate::generate::{Generator, Seed};
use crate::scenario::Policy;

/// Builds the events of the stream, in any order.
#[derive(Debug, Clone)]
pub(super) struct EventSource {
    generator: Generator,
    treatments: Treatments,
    /// The mix to draw events from; `None` if all events are generated.
    event_mix: Option<EventMix>,
    policy: Policy,
}

/// The scenario event from which an event of a load is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventOrigin {
    /// The scenario's file.
    pub file: String,
    /// The scenario's name, including the matrix choice.
    pub scenario: String,
    /// The event's name in the scenario.
    pub event: String,
}

#[derive(Debug)]
pub(super) struct LoadEvent<'source> {
    pub(super) content: EventContent,
    from: Option<(&'source MixScenario, &'source EventTemplate)>,
    pub(super) facts: EventFacts,
}

#[derive(Debug)]
pub(super) struct EventFacts {
    /// The index of the mix counter that it belongs to; `None` without a mix.
    pub(super) mix_counter: Option<usize>,
    /// The refusals that are allowed; `None` if it must be acknowledged.
    pub(super) refusals: Option<AllowedRefusals>,
}

impl EventSource {
    pub(super) fn of(settings: &LoadSettings) -> Self {
        Self::new(settings.generator.clone(), settings.mix, settings.seed)
            .drawn_from(settings.event_mix.clone(), settings.policy)
    }

    pub(super) fn new(generator: Generator, mix: TreatmentMix, seed: Seed) -> Self {
        let treatments = Treatments::new(mix, seed);
        Self {
            generator,
            treatments,
            event_mix: None,
            policy: Policy::default(),
        }
    }

    #[must_use]
    pub(super) fn drawn_from(mut self, event_mix: Option<EventMix>, policy: Policy) -> Self {
        self.event_mix = event_mix;
        self.policy = policy;
        self
    }

    /// Derives the event with this number, counted from 0.
    pub(super) fn derive(&mut self, number: u64) -> LoadEvent<'_> {
        let drawn = self.event_mix.as_mut().map(|mix| mix.draw(number));
        let mix_counter = drawn.map(|drawn| drawn.counter);
        if let Some(from @ (_, template)) = drawn.and_then(|drawn| drawn.from) {
            return LoadEvent {
                content: template.content(number),
                from: Some(from),
                facts: EventFacts {
                    mix_counter,
                    refusals: template.refusals.clone(),
                },
            };
        }
        self.generator.skip_to(number);
        let event = self.generator.random_event();
        LoadEvent {
            facts: EventFacts {
                mix_counter,
                refusals: AllowedRefusals::of_generated(&event, self.policy),
            },
            content: EventContent::generated(
                event,
                self.policy.usual_kind(),
                self.generator.form.layout,
            ),
            from: None,
        }
    }

    pub(super) fn treatment(&mut self, number: u64) -> Treatment {
        self.treatments.of(number)
    }
}

impl LoadEvent<'_> {
    pub(super) fn origin(&self) -> Option<EventOrigin> {
        let (scenario, template) = self.from?;
        Some(EventOrigin {
            file: scenario.file.clone(),
            scenario: scenario.name.clone(),
            event: template.name.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::{Event, Field, Text};

    fn source() -> EventSource {
        let start = "1763889831".parse().expect("a start time");
        let seed = Seed::new(42);
        EventSource::new(Generator::new(seed, start), TreatmentMix::default(), seed)
    }

    #[test]
    fn an_event_depends_on_its_number_alone() {
        let start = "1763889831".parse().expect("a start time");
        let mut in_turn = Generator::new(Seed::new(42), start);
        let in_turn: Vec<Event> = (0..50).map(|_| in_turn.random_event()).collect();
        let mut source = source();
        for number in (0..50).rev().chain([7, 7]) {
            let mut body = Vec::new();
            source.derive(number).content.write(&mut body);
            let place = usize::try_from(number).expect("small");
            assert_eq!(in_turn[place].to_json().expect("JSON"), body);
        }
    }

    proptest! {
        #[test]
        fn both_json_serializers_write_the_same_bytes(
            name in "\\PC*|[\\x00-\\x7f]*|(.|\"|\\\\|/|\u{2028}|\u{1f600})*",
            price in any::<f64>(),
            number in any::<u64>(),
        ) {
            let mut event = source().derive(number).content.into_event();
            if let Field::Value(item) = &mut event.event_data.item {
                item.name = Text::Owned(name);
            }
            let decimal = serde_json::Value::from(price);
            event.unknown.insert("decimal".to_owned(), decimal);
            let written = sonic_rs::to_vec(&event).expect("JSON");
            prop_assert_eq!(event.to_json().expect("JSON"), written);
        }
    }
}
