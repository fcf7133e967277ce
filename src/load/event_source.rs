//! The stream of events by their numbers: what each is, and what befalls it.

use super::mix::{Mix, Treatment, Treatments};
use crate::generate::{Generator, Seed};
use crate::protocol::Event;

/// Makes any event of the stream, in any order.
#[derive(Debug, Clone)]
pub struct EventSource {
    generator: Generator,
    treatments: Treatments,
}

impl EventSource {
    /// The stream of a generator, with treatments that follow from `seed`.
    pub fn new(generator: Generator, mix: Mix, seed: Seed) -> Self {
        let treatments = Treatments::new(mix, seed);
        Self {
            generator,
            treatments,
        }
    }

    /// The event of this number, counted from 0.
    pub fn event(&mut self, number: u64) -> Event {
        self.generator.skip_to(number);
        self.generator.random_event()
    }

    /// Writes the body of this number's event in place of what is there: the bytes that other
    /// commands send, by a quicker writer.
    pub fn write_body(&mut self, number: u64, body: &mut Vec<u8>) {
        body.clear();
        let written = sonic_rs::to_writer(&mut *body, &self.event(number));
        debug_assert!(written.is_ok(), "an event is JSON");
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
