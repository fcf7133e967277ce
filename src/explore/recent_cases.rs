//! The cases that ran lately, because a failure may need what they did.

use std::collections::VecDeque;
use std::time::Instant;

use super::history::History;

/// The number of cases that are kept.
const KEPT: usize = 40;

#[derive(Debug, Default)]
pub(super) struct RecentCases(VecDeque<(History, Instant)>);

impl RecentCases {
    /// Adds a case that has just ended.
    pub(super) fn add(&mut self, history: &History) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((history.clone(), Instant::now()));
    }

    /// Those that had not ended when a case began, and then all, the latest first.
    pub(super) fn beside(&self, began: Instant) -> [Vec<History>; 2] {
        let latest = || self.0.iter().rev();
        let beside = latest().filter(|(_, ended)| *ended >= began);
        let histories = |cases: &mut dyn Iterator<Item = &(History, Instant)>| {
            cases.map(|(history, _)| history.clone()).collect()
        };
        [histories(&mut { beside }), histories(&mut latest())]
    }
}
