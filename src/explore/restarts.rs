//! Restarts in histories, and what hooks have set by then. A receiver may keep scripted responses and
//! filled inventories only in memory, and how much of them a restart leaves is unknown. A clock that a
//! hook has moved is set again.

use std::collections::BTreeSet;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::history::{History, fault_of};
use super::kind::Kind;

const RESTARTS: [Kind; 2] = [Kind::Restart, Kind::RestartInFlight];
const SET_BY_HOOKS: [Kind; 2] = [Kind::Script, Kind::FullInventory];

impl Kind {
    /// The kinds that these names on the command line mean: `restart` is the word for all restarts.
    pub fn meant_by(names: impl IntoIterator<Item = Self>) -> BTreeSet<Self> {
        let mut kinds: BTreeSet<Self> = names.into_iter().collect();
        if kinds.contains(&Self::Restart) {
            kinds.extend(RESTARTS);
        }
        kinds
    }
}

/// Leaves out either restarts or what they may undo.
pub(super) fn leave_out_one(kinds: &mut BTreeSet<Kind>, random: &mut ChaCha8Rng) {
    let has = |some: &[Kind]| some.iter().any(|kind| kinds.contains(kind));
    if has(&RESTARTS) && has(&SET_BY_HOOKS) {
        let out = if random.random::<bool>() {
            RESTARTS
        } else {
            SET_BY_HOOKS
        };
        kinds.retain(|kind| !out.contains(kind));
    }
}

/// Whether some of these histories restart the receiver, and some set what a restart may undo.
pub(super) fn may_undo<'histories>(
    histories: impl Iterator<Item = &'histories History> + Clone,
) -> bool {
    let mut steps = histories.flat_map(|history| &history.steps);
    let mut same_steps = steps.clone();
    steps.any(restarts) && same_steps.any(sets)
}

fn restarts(step: &Value) -> bool {
    step.get("restart").is_some() || fault_of(step) == Some(Kind::RestartInFlight.name())
}

fn sets(step: &Value) -> bool {
    step.get("script").is_some() || step["hook"] == "fill_inventory"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_restart_may_undo_is_recognised() {
        let history = |steps: &[Value]| History {
            steps: steps.to_vec(),
            ..History::default()
        };
        let restart = json!({ "restart": true });
        let in_flight = json!({ "deliver": "a", "fault": "restart_in_flight" });
        let script = json!({ "script": { "of": "a", "answers": [503] } });
        let fill = json!({ "hook": "fill_inventory", "of": "a" });
        let clock = json!({ "hook": "shift_clock", "advances": "1h" });
        for restart in [restart, in_flight] {
            for set in [&script, &fill] {
                let both = [
                    history(std::slice::from_ref(set)),
                    history(std::slice::from_ref(&restart)),
                ];
                assert!(may_undo(both.iter()));
                assert!(!may_undo(both[..1].iter()) && !may_undo(both[1..].iter()));
            }
            assert!(!may_undo([history(&[clock.clone(), restart])].iter()));
        }
    }

    #[test]
    fn the_word_restart_means_all_restarts() {
        let kinds = |names: &[Kind]| Kind::meant_by(names.iter().copied());
        assert_eq!(kinds(&[Kind::Restart, Kind::Code]).len(), 3);
        assert_eq!(
            kinds(&[Kind::RestartInFlight]),
            BTreeSet::from([Kind::RestartInFlight])
        );
    }
}
