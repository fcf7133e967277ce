//! Which players and SKUs one request of a probe asks for.

use std::collections::HashMap;

use indexmap::{IndexMap, IndexSet};
use serde_json::Value;

use crate::scenario::HookSource;

/// A player and an SKU to read.
pub(crate) type ProbePair<'a> = (&'a str, &'a str);

/// The most players and SKUs in a list, so that a URL or an argument is never too long.
const MOST_PLAYERS: usize = 100;
const MOST_SKUS: usize = 20;

/// What a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Nothing,
    One,
    List,
}

/// What a probe's requests name, on which it depends how many requests a reading takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProbeScope {
    player: Named,
    sku: Named,
}

/// One request, for the pairs at these places.
#[derive(Debug, Default)]
pub(super) struct ProbeBatch<'a> {
    players: IndexSet<&'a str>,
    skus: IndexSet<&'a str>,
    pub(super) places: Vec<usize>,
}

impl ProbeScope {
    /// Each request names one player and one SKU.
    pub(super) const PAIR: Self = Self {
        player: Named::One,
        sku: Named::One,
    };

    pub(super) fn of(source: &HookSource) -> Self {
        let named = |one, list| match (source.contains(one), source.contains(list)) {
            (_, true) => Named::List,
            (true, false) => Named::One,
            (false, false) => Named::Nothing,
        };
        Self {
            player: named("{player_id}", "{player_ids}"),
            sku: named("{sku}", "{skus}"),
        }
    }

    /// How many players one request asks for.
    pub(super) fn players(self) -> usize {
        match self.player {
            Named::List => MOST_PLAYERS,
            Named::One | Named::Nothing => 1,
        }
    }

    /// Whether a request asks for several pairs.
    pub(super) fn has_list(self) -> bool {
        self.player == Named::List || self.sku == Named::List
    }

    /// The requests for these pairs: pairs that one request can ask for share it.
    pub(super) fn batches<'a>(self, pairs: &[ProbePair<'a>]) -> Vec<ProbeBatch<'a>> {
        let mut batches: IndexMap<(usize, usize), ProbeBatch<'a>> = IndexMap::new();
        let (mut players, mut skus) = (HashMap::new(), HashMap::new());
        for (place, (player, sku)) in pairs.iter().enumerate() {
            let request = (
                self.player.group(&mut players, player, MOST_PLAYERS),
                self.sku.group(&mut skus, sku, MOST_SKUS),
            );
            let batch = batches.entry(request).or_default();
            batch.players.insert(player);
            batch.skus.insert(sku);
            batch.places.push(place);
        }
        batches.into_values().collect()
    }
}

impl Named {
    /// The number of the group that a value belongs to. A request asks for one group.
    fn group<'a>(self, known: &mut HashMap<&'a str, usize>, value: &'a str, most: usize) -> usize {
        let next = known.len();
        let number = *known.entry(value).or_insert(next);
        match self {
            Self::Nothing => 0,
            Self::One => number,
            Self::List => number / most,
        }
    }
}

impl ProbeBatch<'_> {
    /// The values of the placeholders. Lists are JSON, so an ID can contain anything.
    pub(super) fn values(&self) -> [(&'static str, String); 4] {
        let one = |values: &IndexSet<&str>| values.first().copied().unwrap_or_default().to_owned();
        let list = |values: &IndexSet<&str>| values.iter().copied().collect::<Value>().to_string();
        [
            ("{player_id}", one(&self.players)),
            ("{sku}", one(&self.skus)),
            ("{player_ids}", list(&self.players)),
            ("{skus}", list(&self.skus)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: [ProbePair<'_>; 4] = [("P1", "a"), ("P1", "b"), ("P2", "a"), ("P1", "a")];

    fn batches(words: &str) -> Vec<([String; 4], Vec<usize>)> {
        let source = HookSource::Command(vec![words.to_owned()]);
        let batches = ProbeScope::of(&source).batches(&PAIRS);
        let batches = batches.into_iter();
        batches
            .map(|batch| (batch.values().map(|(_, value)| value), batch.places))
            .collect()
    }

    #[test]
    fn pairs_share_a_request_that_is_the_same_for_them() {
        for (words, places) in [
            ("{player_id} {sku}", &[&[0, 3][..], &[1], &[2]][..]),
            ("{player_id}", &[&[0, 1, 3], &[2]]),
            ("{sku}", &[&[0, 2, 3], &[1]]),
            ("{player_id} {skus}", &[&[0, 1, 3], &[2]]),
            ("{player_ids} {sku}", &[&[0, 2, 3], &[1]]),
            ("{player_ids} {skus}", &[&[0, 1, 2, 3]]),
            ("", &[&[0, 1, 2, 3]]),
        ] {
            let batches = batches(words);
            let found: Vec<_> = batches.iter().map(|(_, places)| &places[..]).collect();
            assert_eq!(found, places, "{words}");
        }
    }

    #[test]
    fn lists_are_json_and_name_each_value_once() {
        let (values, _) = &batches("{player_ids} {skus}")[0];
        assert_eq!(values[2..], [r#"["P1","P2"]"#, r#"["a","b"]"#]);
        let (values, _) = &batches("{player_id} {skus}")[1];
        assert_eq!(values[0], "P2");
        assert_eq!(values[3], r#"["a"]"#);
        let source = HookSource::Command(vec!["{player_ids}".to_owned()]);
        let awkward = ProbeScope::of(&source).batches(&[("a,\"b\"\n c", "")]);
        assert_eq!(awkward[0].values()[2].1, r#"["a,\"b\"\n c"]"#);
    }

    #[test]
    fn a_list_is_bounded() {
        let players: Vec<String> = (0..250).map(|number| number.to_string()).collect();
        let pairs: Vec<_> = players.iter().map(|player| (&**player, "a")).collect();
        let scope = ProbeScope::of(&HookSource::Command(vec!["{player_ids}".to_owned()]));
        let batches = scope.batches(&pairs);
        let sizes: Vec<usize> = batches.iter().map(|batch| batch.players.len()).collect();
        assert_eq!(sizes, [100, 100, 50]);
    }
}
