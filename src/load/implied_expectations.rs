//! The expectations that apply to a load without being written.

use super::counts::LoadCounts;
use super::expectation::LoadExpectation;

/// The given expectations plus the implied ones.
///
/// Every delivery must be acknowledged, unless an expectation limits failures. No forgery may be
/// accepted, and every one must be refused unless genuine deliveries failed as well. There are no
/// implied expectations on deliveries or forgeries if none was sent.
pub(crate) fn effective_expectations(
    given: &[LoadExpectation],
    counts: &LoadCounts,
    interrupted: bool,
) -> Vec<LoadExpectation> {
    let mut all = given.to_vec();
    let mut add = |text: &str| all.extend(text.parse::<LoadExpectation>());
    // Deliveries cut off by Ctrl-C say nothing about the receiver.
    let only_forgeries = counts.deliveries == 0 && counts.forgeries > 0;
    let allows_failures = given.iter().any(LoadExpectation::allows_failures);
    if !allows_failures && !only_forgeries && !interrupted {
        add("undelivered = 0");
    }
    if counts.forgeries > 0 {
        add("accepted_forgeries = 0");
        // A receiver that also fails genuine deliveries does not fail because of the forgery.
        let fails = counts.statuses.range(500..).next().is_some() || !counts.failures.is_empty();
        if !fails && !interrupted {
            add("refused_forgeries = 100%");
        }
    }
    all
}
