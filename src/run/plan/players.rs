//! Assigns the profile's players to the events of a scenario.

use std::collections::{BTreeSet, HashMap};

use crate::generate::{IdShape, Likeness};
use crate::run::missing_capability::MissingCapability;
use crate::scenario::{EventSpec, Scenario, Shareable, SharedId};

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
            Some(Shareable::Own(IdShape::Given(player))) => Some(player.clone()),
            _ => None,
        };
        let specs = || scenario.events.values().map(|spec| &spec.value);
        let mut taken: BTreeSet<String> = specs().filter_map(given).collect();
        let from = first % listed.len();
        let rotated = || listed[from..].iter().chain(&listed[..from]);
        let mut assigned = Self::default();
        for (name, spec) in &scenario.events {
            if spec.value.raw.is_some()
                || !has_own_player(&spec.value)
                || given(&spec.value).is_some()
            {
                continue;
            }
            // Listed players are used in whatever form they have.
            let shape = match &spec.value.player_id {
                Some(Shareable::Own(shape)) => Some(shape),
                _ => None,
            };
            let ending = match shape {
                Some(IdShape::Ending(ending)) => ending.as_str(),
                _ => "",
            };
            let original = match &spec.value.player_id {
                Some(Shareable::Like { event, likeness }) => {
                    let owner = SharedId::Player.owner(&scenario.events, &event.value);
                    let owner = owner.map_or(event.value.as_str(), |(owner, _)| owner);
                    let literal = scenario
                        .events
                        .get(owner)
                        .and_then(|spec| given(&spec.value));
                    let original = assigned.by_event.get(owner).cloned().or(literal);
                    original.map(|original| (original, likeness.clone()))
                }
                _ => None,
            };
            // An event that others are like needs a player for whom the list has such others.
            let likenesses = similar_events(scenario, name);
            let fits = |player: &&String| {
                let is_free = |other: &String| !taken.contains(other) && other != *player;
                let has_other = |likeness: &Likeness| {
                    let mut others = listed.iter().filter(|other| is_free(other));
                    others.any(|other| likeness.relates(player, other))
                };
                !taken.contains(*player)
                    // The ending only makes such a difference possible.
                    && (!likenesses.is_empty() || player.ends_with(ending))
                    && shape_fits(shape, player)
                    && likenesses.iter().all(has_other)
                    && original.as_ref().is_none_or(|(original, likeness)| {
                        likeness.relates(original, player)
                    })
            };
            let Some(player) = rotated().find(fits).cloned() else {
                let like = original.map(|(_, likeness)| likeness);
                assigned.missing = Some(match like.or(likenesses.first().cloned()) {
                    Some(likeness) => MissingCapability::SimilarPlayers(likeness),
                    None if !ending.is_empty() => {
                        MissingCapability::PlayerWhoseId(format!("ends with `{ending}`"))
                    }
                    None if matches!(shape, Some(IdShape::Digits)) => {
                        let digits = "has only digits, and more than 15 of them";
                        MissingCapability::PlayerWhoseId(digits.to_owned())
                    }
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

fn shape_fits(shape: Option<&IdShape>, player: &str) -> bool {
    match shape {
        Some(IdShape::Length(length)) => player.chars().count() == *length,
        Some(IdShape::Digits) => {
            player.len() > 15 && player.bytes().all(|byte| byte.is_ascii_digit())
        }
        Some(IdShape::Uuid) => uuid::Uuid::parse_str(player).is_ok(),
        Some(IdShape::Given(_) | IdShape::Ending(_)) | None => true,
    }
}

/// How the players of other events differ from that of this event.
fn similar_events(scenario: &Scenario, name: &str) -> Vec<Likeness> {
    let specs = scenario.events.values();
    let likenesses = specs.filter_map(|spec| match &spec.value.player_id {
        Some(Shareable::Like { event, likeness }) if event.value == name => Some(likeness.clone()),
        _ => None,
    });
    likenesses.collect()
}

fn has_own_player(spec: &EventSpec) -> bool {
    spec.raw.is_none()
        && spec.coupon_event.is_none()
        && !matches!(spec.player_id, Some(Shareable::SameAs(_)))
}
