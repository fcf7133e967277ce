//! Which kinds, and which kinds in neighbouring steps, an exploration has tried, and how often.

use std::collections::{BTreeMap, BTreeSet};

use super::history::History;
use super::kind::Kind;
use crate::run::{ExploredKind, ExploredPair};

#[derive(Debug, Default)]
pub(super) struct Coverage {
    kinds: BTreeMap<Kind, u64>,
    pairs: BTreeMap<(Kind, Kind), u64>,
}

impl Coverage {
    /// Counts a case. Returns whether it is the first with one of its pairs.
    pub(super) fn add(&mut self, history: &History) -> bool {
        let pairs_before = self.pairs.len();
        let steps = history.kinds_by_step();
        let kinds: BTreeSet<Kind> = steps.iter().flatten().copied().collect();
        for kind in kinds {
            *self.kinds.entry(kind).or_default() += 1;
        }
        let neighbours = steps.windows(2).flat_map(|pair| {
            let [first, second] = pair else {
                return Vec::new();
            };
            let pairs = first
                .iter()
                .flat_map(|one| second.iter().map(|two| (*one, *two)));
            pairs.collect()
        });
        for pair in neighbours.collect::<BTreeSet<_>>() {
            *self.pairs.entry(pair).or_default() += 1;
        }
        self.pairs.len() > pairs_before
    }

    pub(super) fn tried(&self) -> usize {
        self.kinds.len()
    }

    /// The number of cases with each of the kinds, and with each pair of them.
    pub(super) fn counts(&self, kinds: &BTreeSet<Kind>) -> (Vec<ExploredKind>, Vec<ExploredPair>) {
        let of_kind = |kind: &Kind| ExploredKind {
            kind: kind.name().to_owned(),
            about: kind.about().to_owned(),
            cases: self.kinds.get(kind).copied().unwrap_or_default(),
        };
        let of_pair = |(pair, cases): (&(Kind, Kind), &u64)| ExploredPair {
            first: pair.0.name().to_owned(),
            then: pair.1.name().to_owned(),
            cases: *cases,
        };
        (
            kinds.iter().map(of_kind).collect(),
            self.pairs.iter().map(of_pair).collect(),
        )
    }
}
