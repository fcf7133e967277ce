//! What an exploration tried, as reports show it.

use std::collections::BTreeMap;

use super::counts::counted;
use crate::run::Explored;

/// The number of cases with each pair of kinds in neighbouring steps.
pub(super) struct PairTable<'run> {
    pub(super) kinds: Vec<&'run str>,
    /// A row per first kind, with a count per second kind.
    pub(super) rows: Vec<(&'run str, Vec<u64>)>,
}

/// What was tried, in a few lines.
pub(super) fn coverage_lines(explored: &Explored) -> Vec<String> {
    let tried = explored.kinds.iter().filter(|kind| kind.cases > 0).count();
    let mut lines = vec![format!(
        "explored {} with {}, seed {}: {tried} of {} kinds, {} of kinds in neighbouring steps",
        counted(number(explored.cases), "case"),
        counted(number(explored.deliveries), "attempt"),
        explored.seed,
        explored.kinds.len(),
        counted(explored.pairs.len(), "pair"),
    )];
    let missing = explored.kinds.iter().filter(|kind| kind.cases == 0);
    let missing: Vec<&str> = missing.map(|kind| kind.kind.as_str()).collect();
    if !missing.is_empty() {
        lines.push(format!("not tried: {}", missing.join(", ")));
    }
    match explored.alike {
        0 => {}
        1 => lines.push("1 more failing case is like the failures above".to_owned()),
        alike => lines.push(format!(
            "{alike} more failing cases are like the failures above"
        )),
    }
    lines
}

impl<'run> PairTable<'run> {
    pub(super) fn new(explored: &'run Explored) -> Self {
        let pairs = explored.pairs.iter();
        let pairs = pairs.map(|pair| ((pair.first.as_str(), pair.then.as_str()), pair.cases));
        let pairs: BTreeMap<(&str, &str), u64> = pairs.collect();
        let kinds: Vec<&str> = explored
            .kinds
            .iter()
            .map(|kind| kind.kind.as_str())
            .collect();
        let row = |first: &&'run str| {
            let cells = kinds
                .iter()
                .map(|then| pairs.get(&(*first, *then)).copied());
            (*first, cells.map(Option::unwrap_or_default).collect())
        };
        Self {
            rows: kinds.iter().map(row).collect(),
            kinds,
        }
    }
}

fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{ExploredKind, ExploredPair};

    #[test]
    fn what_was_not_tried_is_named() {
        let kind = |name: &str, cases| ExploredKind {
            kind: name.to_owned(),
            about: String::new(),
            cases,
        };
        let explored = Explored {
            seed: 7,
            cases: 2,
            deliveries: 1,
            alike: 3,
            kinds: vec![kind("bundle", 2), kind("restart", 0)],
            pairs: vec![ExploredPair {
                first: "bundle".to_owned(),
                then: "bundle".to_owned(),
                cases: 1,
            }],
        };
        let lines = [
            "explored 2 cases with 1 attempt, seed 7: 1 of 2 kinds, 1 pair of kinds in neighbouring steps",
            "not tried: restart",
            "3 more failing cases are like the failures above",
        ];
        assert_eq!(coverage_lines(&explored), lines);
        let table = PairTable::new(&explored);
        assert_eq!(table.kinds, ["bundle", "restart"]);
        assert_eq!(
            table.rows,
            [("bundle", vec![1, 0]), ("restart", vec![0, 0])]
        );
    }
}
