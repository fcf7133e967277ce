//! The events that a load has sent. None is stored: each is derived from its number.

use std::collections::HashMap;

use super::event_source::{EventOrigin, EventSource};
use super::run::LoadResult;
use super::shard::LoadShard;
use super::treatment_mix::Treatment;
use crate::protocol::Event;
use crate::verify::GrantCount;

/// The events that this shard of a load has sent.
#[derive(Debug)]
pub(crate) struct SentEvents<'load> {
    source: EventSource,
    result: &'load LoadResult,
    shard: LoadShard,
}

/// One of these events.
#[derive(Debug)]
pub(super) struct SentEvent {
    pub(super) number: u64,
    pub(super) event: Event,
    pub(super) treatment: Treatment,
    /// How often it must have been granted.
    pub(super) required: GrantCount,
    /// The scenario event that it is built from; `None` if it was generated.
    pub(super) origin: Option<EventOrigin>,
}

impl<'load> SentEvents<'load> {
    /// The events of a load with this source and this result.
    pub(crate) fn new(source: EventSource, result: &'load LoadResult, shard: LoadShard) -> Self {
        Self {
            source,
            result,
            shard,
        }
    }

    /// The result of the load.
    pub(super) fn result(&self) -> &'load LoadResult {
        self.result
    }

    /// The numbers of all events, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> + use<> {
        let shard = self.shard;
        (0..self.result.started).map(move |index| shard.number(index))
    }

    /// The event with this number.
    pub(super) fn get(&mut self, number: u64) -> SentEvent {
        let treatment = self.source.treatment(number);
        let derived = self.source.derive(number);
        let unacknowledged = &self.result.unacknowledged;
        SentEvent {
            number,
            treatment,
            required: unacknowledged.required_grants(number, treatment),
            origin: derived.origin(),
            event: derived.into_event(),
        }
    }

    /// Whether the event with this number was not simply delivered once.
    pub(super) fn is_treated(&mut self, number: u64) -> bool {
        self.source.treatment(number) != Treatment::Plain
    }

    /// The exact body of the event with this number.
    pub(super) fn body(&mut self, number: u64) -> String {
        let mut body = Vec::new();
        self.source.derive(number).write_body(&mut body);
        String::from_utf8_lossy(&body).into_owned()
    }

    /// The numbers of all events of the players of these events. Player IDs are random, so events can
    /// share a player.
    pub(super) fn of_same_players(
        &mut self,
        numbers: impl Iterator<Item = u64>,
    ) -> HashMap<String, Vec<u64>> {
        let player = |events: &mut Self, number| {
            let event = events.source.derive(number).into_event();
            event.event_data.player_id.to_string()
        };
        let mut events: HashMap<String, Vec<u64>> = numbers
            .map(|number| (player(self, number), Vec::new()))
            .collect();
        if !events.is_empty() {
            for number in self.numbers() {
                if let Some(numbers) = events.get_mut(&player(self, number)) {
                    numbers.push(number);
                }
            }
        }
        events
    }
}
