//! The stream of events by their numbers: what each is, and what befalls it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::allowed_refusal::may_be_refused;
use super::event_mix::{EventMix, MixScenario};
use super::event_template::EventTemplate;
use super::mix::{Mix, Treatment, Treatments};
use super::mix_report::{MixCounts, MixEntryReport};
use crate::generate::{Generator, Seed};
use crate::protocol::Event;
use crate::scenario::Policy;

/// Makes any event of the stream, in any order.
#[derive(Debug, Clone)]
pub struct EventSource {
    generator: Generator,
    treatments: Treatments,
    /// From what the events are drawn, where they are not all generated.
    event_mix: Option<EventMix>,
    /// What the game has chosen, by which a refusal may be right.
    policy: Policy,
}

/// Which event of which scenario an event of a load is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventOrigin {
    /// The scenario's file.
    pub file: String,
    /// The scenario's name, with the choice of its matrix.
    pub scenario: String,
    /// The event's name in it.
    pub event: String,
}

impl EventSource {
    /// The stream of a generator, with treatments that follow from `seed`.
    pub fn new(generator: Generator, mix: Mix, seed: Seed) -> Self {
        let treatments = Treatments::new(mix, seed);
        Self {
            generator,
            treatments,
            event_mix: None,
            policy: Policy::default(),
        }
    }

    /// The same stream with its events drawn from a mix, if there is one, for a game with this
    /// policy.
    #[must_use]
    pub fn drawn_from(mut self, event_mix: Option<EventMix>, policy: Policy) -> Self {
        self.event_mix = event_mix;
        self.policy = policy;
        self
    }

    /// The event of this number, counted from 0.
    pub fn event(&mut self, number: u64) -> Event {
        if let Some((_, template)) = self.drawn(number) {
            return template.event(number);
        }
        self.generator.skip_to(number);
        self.generator.random_event()
    }

    /// Writes the body of this number's event in place of what is there: the bytes that other
    /// commands send, by a quicker writer.
    pub fn write_body(&mut self, number: u64, body: &mut Vec<u8>) {
        body.clear();
        if let Some((_, template)) = self.drawn(number) {
            template.write_body(number, body);
            return;
        }
        self.generator.skip_to(number);
        let written = sonic_rs::to_writer(&mut *body, &self.generator.random_event());
        debug_assert!(written.is_ok(), "an event is JSON");
    }

    /// The scenario's event from which that of this number is made; none of a generated one.
    pub fn origin(&mut self, number: u64) -> Option<EventOrigin> {
        let (scenario, template) = self.drawn(number)?;
        Some(EventOrigin {
            file: scenario.file.clone(),
            scenario: scenario.name.clone(),
            event: template.name().to_owned(),
        })
    }

    /// The place of the mix for which the event of this number is counted; none without a mix.
    pub(super) fn place(&mut self, number: u64) -> Option<usize> {
        self.event_mix.as_mut().map(|mix| mix.draw(number).place)
    }

    /// Whether a receiver may refuse this number's event with this status.
    pub(super) fn may_be_refused(&mut self, number: u64, status: u16) -> bool {
        if let Some((_, template)) = self.drawn(number) {
            return template.may_be_refused(status);
        }
        may_be_refused(&self.event(number), status, self.policy)
    }

    /// What there is to tell of the mix, with what was counted for its places; nothing without one.
    pub fn mix_report(&self, counted: &[MixCounts]) -> Vec<MixEntryReport> {
        let mix = self.event_mix.as_ref();
        mix.map_or_else(Vec::new, |mix| mix.report(counted))
    }

    /// The scenario and the event of it that this number's event is made from; none of a generated one.
    fn drawn(&mut self, number: u64) -> Option<(&MixScenario, &EventTemplate)> {
        self.event_mix.as_mut()?.draw(number).from
    }

    /// What befalls the event of this number.
    pub fn treatment(&mut self, number: u64) -> Treatment {
        self.treatments.of(number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::Text;

    fn source() -> EventSource {
        let start = "1763889831".parse().expect("a start time");
        let seed = Seed::new(42);
        EventSource::new(Generator::new(seed, start), Mix::default(), seed)
    }

    #[test]
    fn an_event_depends_on_its_number_alone() {
        let start = "1763889831".parse().expect("a start time");
        let mut in_turn = Generator::new(Seed::new(42), start);
        let in_turn: Vec<Event> = (0..50).map(|_| in_turn.random_event()).collect();
        let mut source = source();
        for number in (0..50).rev().chain([7, 7]) {
            let mut body = b"what was there".to_vec();
            source.write_body(number, &mut body);
            let place = usize::try_from(number).expect("small");
            assert_eq!(in_turn[place].to_json().expect("JSON"), body);
        }
    }

    proptest! {
        #[test]
        fn both_writers_of_json_write_the_same(
            name in "\\PC*|[\\x00-\\x7f]*|(.|\"|\\\\|/|\u{2028}|\u{1f600})*",
            price in any::<f64>(),
            number in any::<u64>(),
        ) {
            let mut event = source().event(number);
            event.event_data.item.name = Text::Owned(name);
            let decimal = serde_json::Value::from(price);
            event.unknown.insert("decimal".to_owned(), decimal);
            let written = sonic_rs::to_vec(&event).expect("JSON");
            prop_assert_eq!(event.to_json().expect("JSON"), written);
        }
    }
}
