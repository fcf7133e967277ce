//! Counts events for the part of the mix that they come from.

use super::Worker;
use crate::load::mix_report::MixCounts;
use crate::load::scheduled_attempt::ScheduledAttempt;

impl Worker {
    /// Updates the counter of the event's part of the mix. Does nothing without a mix or during the
    /// warm-up.
    pub(super) fn count_in_mix(
        &self,
        scheduled: &ScheduledAttempt,
        count: impl FnOnce(&mut MixCounts),
    ) {
        if !scheduled.measured {
            return;
        }
        let counter = self
            .builder
            .borrow_mut()
            .source()
            .mix_counter(scheduled.number);
        if let Some(counter) = counter {
            count(self.stats.borrow_mut().mix_counter(counter));
        }
    }

    /// Counts a refusal if the event may be refused, and returns whether it may.
    pub(super) fn count_allowed_refusal(&self, scheduled: &ScheduledAttempt, status: u16) -> bool {
        // One of two simultaneous deliveries may find the other one in progress.
        let allowed = scheduled.together && status == 409 || {
            let mut builder = self.builder.borrow_mut();
            builder.source().may_be_refused(scheduled.number, status)
        };
        if allowed {
            self.stats
                .borrow_mut()
                .counts(scheduled.measured)
                .allowed_refusals += 1;
            self.count_in_mix(scheduled, |counts| counts.allowed_refusals += 1);
        }
        allowed
    }
}
