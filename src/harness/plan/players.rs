//! Which of the profile's players the events of a scenario are about.

use std::collections::{BTreeSet, HashMap};

use crate::harness::lacking::Lacking;
use crate::scenario::{EventSpec, Scenario, Shareable};

/// The players of a scenario's events, where the profile lists those that the game knows.
#[derive(Debug, Default)]
pub(super) struct DrawnPlayers {
    /// By the event whose own player it is.
    of_event: HashMap<String, String>,
    /// Why the list does not do, if it does not.
    pub(super) lacking: Option<Lacking>,
}

impl DrawnPlayers {
    /// Draws a player for each event that has one of its own and does not name it: different ones,
    /// from the list's place `first` on.
    pub(super) fn new(scenario: &Scenario, listed: &[String], first: usize) -> Self {
        if listed.is_empty() {
            return Self::default();
        }
        let given = |spec: &EventSpec| match &spec.player_id {
            Some(Shareable::Literal(player)) => Some(player.clone()),
            _ => None,
        };
        let specs = || scenario.events.values().map(|spec| &spec.value);
        let mut taken: BTreeSet<String> = specs().filter_map(given).collect();
        let from = first % listed.len();
        let in_turn = || listed[from..].iter().chain(&listed[..from]);
        let mut drawn = Self::default();
        for (name, spec) in &scenario.events {
            let ending = match &spec.value.player_id {
                _ if spec.value.raw.is_some() => continue,
                None => None,
                Some(Shareable::Ending(ending)) => Some(ending.as_str()),
                Some(Shareable::Literal(_) | Shareable::SameAs(_)) => continue,
            };
            let fits = |player: &&String| {
                !taken.contains(*player) && player.ends_with(ending.unwrap_or_default())
            };
            let Some(player) = in_turn().find(fits).cloned() else {
                drawn.lacking = Some(match ending {
                    Some(ending) => Lacking::PlayerWithEnding(ending.to_owned()),
                    None => Lacking::Players {
                        listed: listed.len(),
                        needed: specs().filter(|spec| has_own_player(spec)).count(),
                    },
                });
                return drawn;
            };
            taken.insert(player.clone());
            drawn.of_event.insert(name.clone(), player);
        }
        drawn
    }

    /// The player that was drawn for an event.
    pub(super) fn of(&self, event: &str) -> Option<&String> {
        self.of_event.get(event)
    }

    /// How many were drawn.
    pub(super) fn count(&self) -> usize {
        self.of_event.len()
    }
}

fn has_own_player(spec: &EventSpec) -> bool {
    spec.raw.is_none() && !matches!(spec.player_id, Some(Shareable::SameAs(_)))
}
