//! What is counted for the part of the mix that an event comes from.

use super::Worker;
use crate::load::duties::Duty;
use crate::load::mix_report::MixCounts;

impl Worker {
    /// Counts something, unless there is no mix or figures are not taken yet.
    pub(super) fn count_in_mix(&self, duty: &Duty, count: impl FnOnce(&mut MixCounts)) {
        if !duty.measured {
            return;
        }
        let place = self.maker.borrow_mut().source().place(duty.number);
        if let Some(place) = place {
            count(self.tally.borrow_mut().of_place(place));
        }
    }
}
