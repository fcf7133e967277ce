//! Which faults a step can have.

use super::Checker;
use crate::scenario::document::Located;
use crate::scenario::{Fault, RetryOverride, RetrySetting, Step};

impl Checker<'_> {
    /// `deliveries` is how many deliveries the step makes.
    pub(super) fn fault(&mut self, fault: &Located<Fault>, step: &Step, deliveries: u64) {
        let name = fault.name();
        if step.forge.is_some() && !fault.fits_forgery() {
            let message = format!("`{name}` and `forge` don't go together");
            let help = "a forgery is not retried, and this fault is about the retry; give one of \
                        them a step of its own";
            self.problem(fault.span, message, help);
        }
        if step.together && !fault.fits_together() {
            let message = format!("`{name}` and `together` don't go together");
            let help = "this fault needs time of its own for each delivery";
            self.problem(fault.span, message, help);
        }
        if fault.needs_retry() && step.retry.as_ref().is_some_and(tries_once) {
            let message = format!("`{name}` needs a retry, which this step's `retry` turns off");
            let help = "leave `retry` out, or give it 2 attempts or more";
            self.problem(fault.span, message, help);
        }
        if fault.value == Fault::OutOfOrder && deliveries < 2 {
            let help = "deliver a list of events";
            self.problem(
                fault.span,
                "`out_of_order` needs more than one delivery",
                help,
            );
        }
    }
}

/// Whether a delivery has a single attempt, whatever the profile says.
fn tries_once(setting: &RetrySetting) -> bool {
    match setting {
        RetrySetting::Off => true,
        RetrySetting::Override(RetryOverride { attempts, .. }) => *attempts == Some(1),
    }
}
