//! The events that a load has sent. None is stored: each is derived from its number.

use std::collections::HashMap;

use super::event_source::{EventOrigin, EventSource};
use super::run::LoadResult;
use super::settings::LoadSettings;
use super::shard::LoadShard;
use super::treatment_mix::Treatment;
use crate::protocol::Event;
use crate::verify::GrantCount;

#[derive(Debug)]
pub(crate) struct SentEvents<'load> {
    source: EventSource,
    pub(super) result: &'load LoadResult,
    shard: LoadShard,
}

#[derive(Debug)]
pub(super) struct SentEvent {
    pub(super) number: u64,
    pub(super) event: Event,
    pub(super) treatment: Treatment,
    pub(super) required: GrantCount,
    /// The scenario event that it is built from; `None` if it was generated.
    pub(super) origin: Option<EventOrigin>,
}

impl<'load> SentEvents<'load> {
    pub(crate) fn new(settings: &LoadSettings, result: &'load LoadResult) -> Self {
        Self {
            source: EventSource::of(settings),
            result,
            shard: settings.shard,
        }
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> + use<> {
        let shard = self.shard;
        (0..self.result.started).map(move |index| shard.number(index))
    }

    pub(super) fn get(&mut self, number: u64) -> SentEvent {
        let treatment = self.source.treatment(number);
        let derived = self.source.derive(number);
        let unacknowledged = &self.result.unacknowledged;
        SentEvent {
            number,
            treatment,
            required: unacknowledged.required_grants(number, treatment),
            origin: derived.origin(),
            event: derived.content.into_event(),
        }
    }

    /// Whether the event with this number was not simply delivered once.
    pub(super) fn is_treated(&mut self, number: u64) -> bool {
        self.source.treatment(number) != Treatment::Plain
    }

    pub(super) fn body(&mut self, number: u64) -> String {
        let mut body = Vec::new();
        self.source.derive(number).content.write(&mut body);
        String::from_utf8_lossy(&body).into_owned()
    }

    /// The numbers of all events of the players of these events. Player IDs are random, so events can
    /// share a player.
    pub(super) fn of_same_players(
        &mut self,
        numbers: impl Iterator<Item = u64>,
    ) -> HashMap<String, Vec<u64>> {
        let player = |events: &mut Self, number| {
            let event = events.source.derive(number).content.into_event();
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
