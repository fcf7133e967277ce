//! What was checked of a load, as every report of it tells it.

use crate::harness::Verdict;
use crate::load::{EffectsReport, LoadReport, WrongEffect};
use crate::report::sanitize::sanitize;

/// How many wrong events are listed.
const LISTED: usize = 10;

/// One thing that was checked.
pub(super) struct LoadCheck {
    /// What should be so.
    pub(super) name: String,
    pub(super) verdict: Verdict,
    /// What was seen.
    pub(super) observed: String,
    /// Single events, a line each.
    pub(super) details: Vec<String>,
}

impl LoadCheck {
    fn new(name: &str, verdict: Verdict, observed: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            verdict,
            observed: observed.into(),
            details: Vec::new(),
        }
    }

    /// Name and what was seen, in a line.
    pub(super) fn check_line(&self) -> String {
        format!("{}: {}", self.name, self.observed)
    }
}

/// The verdict on the whole load. What could not be decided or was stopped is no success.
pub(super) fn verdict(report: &LoadReport) -> Verdict {
    match report.holds() {
        Some(false) => Verdict::Failed,
        Some(true) if !report.interrupted => Verdict::Passed,
        _ => Verdict::Broken,
    }
}

/// Everything that was checked: that it ran at all, the expectations, the effects.
pub(super) fn checks(report: &LoadReport) -> Vec<LoadCheck> {
    let mut checks = Vec::new();
    let counts = &report.figures.counts;
    if report.interrupted {
        let observed = "it was stopped before its time";
        checks.push(LoadCheck::new("the load ended", Verdict::Broken, observed));
    }
    if counts.attempts == 0 && counts.forgeries == 0 {
        let name = "something was sent";
        checks.push(LoadCheck::new(name, Verdict::Broken, "nothing was"));
    }
    checks.extend(report.expectations.iter().map(|one| {
        let verdict = match one.holds {
            Some(true) => Verdict::Passed,
            Some(false) => Verdict::Failed,
            None => Verdict::Broken,
        };
        let mut check = LoadCheck::new(&one.expected, verdict, &one.observed);
        check.details.extend(one.note.clone());
        check
    }));
    checks.push(match &report.effects {
        Some(effects) => of_effects(effects),
        None if report.interrupted => LoadCheck::new(
            EFFECTS,
            Verdict::NotChecked,
            "not checked, since the load was stopped before its time",
        ),
        None => LoadCheck::new(
            EFFECTS,
            Verdict::NotChecked,
            "not checked, without the probe `quantity` or with `--check-effects none`",
        ),
    });
    checks
}

/// From which scenario an event is.
fn of_scenario(one: &WrongEffect) -> String {
    let origin = one.origin.as_ref();
    origin.map_or_else(String::new, |origin| {
        format!("; `{}` of {}", origin.event, origin.file)
    })
}

/// What the effects must be.
const EFFECTS: &str = "granted as often as they should be";

fn of_effects(effects: &EffectsReport) -> LoadCheck {
    let wrong = effects.wrong();
    let verdict = match (wrong, effects.undecided, effects.checked) {
        (1.., _, _) => Verdict::Failed,
        (0, 1.., _) => Verdict::Broken,
        (0, 0, 0) => Verdict::NotChecked,
        (0, 0, _) if effects.shows_nothing() => Verdict::Broken,
        (0, 0, _) => Verdict::Passed,
    };
    let observed = format!("{} of {} events looked at", effects.right, effects.checked);
    let mut check = LoadCheck::new(EFFECTS, verdict, observed);
    if effects.checked > 0 && effects.shows_nothing() {
        let nothing = "none of them was acknowledged, so that none had to be granted: this shows \
                       nothing";
        check.details.push(nothing.to_owned());
    }
    let listed = effects.wrong.iter().take(LISTED);
    let untold = wrong.checked_sub(listed.len() as u64);
    check.details.extend(listed.map(|one| {
        format!(
            "event {} of player {} ({}{}): {}",
            one.number,
            sanitize(&one.player_id),
            one.treatment,
            sanitize(&of_scenario(one)),
            sanitize(&one.problem)
        )
    }));
    if let Some(more @ 1..) = untold {
        check.details.push(format!("and {more} more"));
    }
    if let Some(reason) = &effects.undecided_because {
        let undecided = effects.undecided;
        check.details.push(format!(
            "{undecided} could not be told: {}",
            sanitize(reason)
        ));
    }
    check
}
