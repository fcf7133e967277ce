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

    /// Counts a refusal that the event allows. Says whether it does.
    pub(super) fn count_refusal(&self, duty: &Duty, status: u16) -> bool {
        // One of two at the same moment may find the other in progress.
        let allowed = duty.together && status == 409 || {
            let mut maker = self.maker.borrow_mut();
            maker.source().may_be_refused(duty.number, status)
        };
        if allowed {
            let mut tally = self.tally.borrow_mut();
            tally.counts(duty.measured).allowed_refusals += 1;
            drop(tally);
            self.count_in_mix(duty, |counts| counts.allowed_refusals += 1);
        }
        allowed
    }
}
