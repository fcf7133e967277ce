//! Assigns the profile's players to the events of a scenario.

use std::collections::{BTreeSet, HashMap};

use crate::run::missing_capability::MissingCapability;
use crate::scenario::{EventSpec, Scenario, Shareable};

/// The players of a scenario's events, if the profile lists the players that the game knows.
#[derive(Debug, Default)]
pub(super) struct AssignedPlayers {
    pub(super) by_event: HashMap<String, String>,
    /// Why the list is not sufficient, if it is not.
    pub(super) missing: Option<MissingCapability>,
}

impl AssignedPlayers {
    /// Assigns a different player to each event that has its own player and does not name it,
    /// starting at index `first` of the list.
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
        let rotated = || listed[from..].iter().chain(&listed[..from]);
        let mut assigned = Self::default();
        for (name, spec) in &scenario.events {
            let ending = match &spec.value.player_id {
                _ if !has_own_player(&spec.value) => continue,
                None => None,
                Some(Shareable::Ending(ending)) => Some(ending.as_str()),
                Some(Shareable::Literal(_) | Shareable::SameAs(_)) => continue,
            };
            let fits = |player: &&String| {
                !taken.contains(*player) && player.ends_with(ending.unwrap_or_default())
            };
            let Some(player) = rotated().find(fits).cloned() else {
                assigned.missing = Some(match ending {
                    Some(ending) => MissingCapability::PlayerWithEnding(ending.to_owned()),
                    None => MissingCapability::Players {
                        listed: listed.len(),
                        needed: specs().filter(|spec| has_own_player(spec)).count(),
                    },
                });
                return assigned;
            };
            taken.insert(player.clone());
            assigned.by_event.insert(name.clone(), player);
        }
        assigned
    }
}

fn has_own_player(spec: &EventSpec) -> bool {
    spec.raw.is_none()
        && spec.coupon_event.is_none()
        && !matches!(spec.player_id, Some(Shareable::SameAs(_)))
}
