//! What a load has to hold, and the exit code that says whether it did.

use crate::cli::ExitCode;
use crate::load::{Counts, Expectation, LoadReport};

/// What is demanded: what was said; that every delivery was acknowledged, unless it was said how many
/// may fail; that no forgery was accepted and, by a receiver that does not fail at what is genuine,
/// every one refused. Unasked, nothing is demanded of deliveries or forgeries where there were none.
pub(in crate::cli) fn demanded(
    said: &[Expectation],
    counts: &Counts,
    interrupted: bool,
) -> Vec<Expectation> {
    let mut all = said.to_vec();
    let mut add = |text: &str| all.extend(text.parse::<Expectation>());
    // Deliveries that a Ctrl-C cut off say nothing about the receiver.
    let forgeries_alone = counts.deliveries == 0 && counts.forgeries > 0;
    let is_said = said.iter().any(Expectation::allows_failures);
    if !is_said && !forgeries_alone && !interrupted {
        add("undelivered = 0");
    }
    if counts.forgeries > 0 {
        add("accepted_forgeries = 0");
        // One that fails at what is genuine too fails for another reason than the forgery.
        let fails = counts.statuses.range(500..).next().is_some() || !counts.failures.is_empty();
        if !fails && !interrupted {
            add("refused_forgeries = 100%");
        }
    }
    all
}

pub(in crate::cli) fn exit_code(report: &LoadReport) -> ExitCode {
    match report.holds() {
        Some(false) => ExitCode::CheckFailed,
        _ if report.interrupted => ExitCode::NotCompleted,
        Some(true) => ExitCode::Success,
        None => ExitCode::NotCompleted,
    }
}
