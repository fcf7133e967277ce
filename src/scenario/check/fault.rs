//! Checks whether a fault can be combined with the other keys of a step.

use super::Checker;
use crate::policy::{Fault, RetryOverride, RetrySetting};
use crate::scenario::document::Spanned;
use crate::scenario::step::StepKeys;

impl Checker<'_> {
    /// `deliveries` is the number of deliveries in the step.
    pub(super) fn check_fault(&mut self, fault: &Spanned<Fault>, step: &StepKeys, deliveries: u64) {
        let name = fault.name();
        if step.forge.is_some() && !fault.allows_forgery() {
            let message = format!("`{name}` can't be combined with `forge`");
            let help = "this fault needs a retry, but forgeries are not retried; use two steps";
            self.problem(fault.span, message, help);
        }
        let restart = match fault.value {
            Fault::RestartInFlight(restart) => Some(restart),
            _ => None,
        };
        let shares_restart = restart.is_some() && step.apart.is_some();
        if step.together && !fault.allows_together() && !shares_restart {
            let message = format!("`{name}` can't be combined with `together`");
            let help = match restart {
                Some(_) => {
                    "add `apart`, so that the receiver is restarted once while it processes several"
                }
                None => "with this fault, the deliveries must run one after the other",
            };
            self.problem(fault.span, message, help);
        }
        if fault.needs_retry() && step.retry.as_ref().is_some_and(has_one_attempt) {
            let message = format!("`{name}` needs a retry, which this step's `retry` turns off");
            let help = "remove `retry`, or set `attempts` to 2 or more";
            self.problem(fault.span, message, help);
        }
        let delays = restart.map_or(1, |restart| restart.after.length());
        if shares_restart && delays > 1 {
            let message =
                format!("`{name}` has {delays} delays, but with `apart` there is one restart");
            let help = "give one delay, which begins with the first delivery";
            self.problem(fault.span, message, help);
        } else if deliveries < delays as u64 {
            let message = format!(
                "`{name}` has {delays} delays, but the step has only {deliveries} of the deliveries \
                 that use them in turn"
            );
            let help = "deliver a list of events, one for each delay, or remove delays";
            self.problem(fault.span, message, help);
        }
        if fault.value == Fault::OutOfOrder && deliveries < 2 {
            let help = "deliver a list of events, or add `times: 2` or more";
            self.problem(
                fault.span,
                "`out_of_order` needs more than one delivery",
                help,
            );
        }
    }
}

/// Whether a delivery has only one attempt, whatever the profile says.
fn has_one_attempt(setting: &RetrySetting) -> bool {
    match setting {
        RetrySetting::Off => true,
        RetrySetting::Override(RetryOverride { attempts, .. }) => *attempts == Some(1),
    }
}
