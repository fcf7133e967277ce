//! The checks of a load, shared by all its reports.

use crate::load::{EffectsReport, LoadReport, WrongEffect};
use crate::report::sanitize::sanitize;
use crate::verify::Verdict;

const LISTED: usize = 10;

pub(super) struct LoadCheck {
    pub(super) name: String,
    pub(super) verdict: Verdict,
    pub(super) observed: String,
    /// Notes and single events, one per line.
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

    pub(super) fn check_line(&self) -> String {
        format!("{}: {}", self.name, self.observed)
    }
}

pub(super) fn checks(report: &LoadReport) -> Vec<LoadCheck> {
    let mut checks = Vec::new();
    let counts = &report.measurements.counts;
    checks.extend(report.setup_problem.as_ref().map(|problem| {
        let mut check = LoadCheck::new(SET_UP, Verdict::Broken, sanitize(&problem.reason));
        check.details.push(sanitize(&problem.help));
        check
    }));
    if report.interrupted {
        let (name, observed) = ("the load ran to its end", "it was stopped early");
        checks.push(LoadCheck::new(name, Verdict::Broken, observed));
    }
    checks.extend(stop_check(report));
    if counts.attempts == 0 && counts.forgeries == 0 {
        let name = "requests were sent";
        checks.push(LoadCheck::new(name, Verdict::Broken, "none"));
    }
    checks.extend(report.expectations.iter().map(|checked| {
        let verdict = match checked.passed {
            Some(true) => Verdict::Passed,
            Some(false) => Verdict::Failed,
            None => Verdict::Broken,
        };
        let observed = match checked.passed {
            Some(_) => format!("observed {}", checked.observed),
            None => checked.observed.clone(),
        };
        let mut check = LoadCheck::new(&checked.expected, verdict, observed);
        check.details.extend(checked.note.clone());
        check
    }));
    let why_not = if report.setup_problem.is_some() {
        "not checked: the set-up does not work"
    } else if report.interrupted {
        "not checked: the load was stopped early"
    } else {
        "not checked: no probe `quantity`, a list of `players`, or `--check-effects none`"
    };
    let not_checked = || LoadCheck::new(EFFECTS, Verdict::NotChecked, why_not);
    let effects = report.effects.as_ref();
    checks.push(effects.map_or_else(not_checked, effects_check));
    checks
}

fn origin_text(effect: &WrongEffect) -> String {
    let origin = effect.origin.as_ref();
    origin.map_or_else(String::new, |origin| {
        format!("; `{}` of {}", origin.event, origin.file)
    })
}

const SET_UP: &str = "the set-up works";
const EFFECTS: &str = "granted as expected";

/// If the receiver stopped during the load.
fn stop_check(report: &LoadReport) -> Option<LoadCheck> {
    const SHOWN: usize = 3;
    let stops = &report.receiver_stops;
    let shown = stops.iter().take(SHOWN).map(|stop| match stop.seconds {
        Some(seconds) => format!("at {} for {seconds:.1} s", stop.at),
        None => format!("at {}, and refused all connections from then on", stop.at),
    });
    let mut observed: Vec<String> = shown.collect();
    if let Some(more @ 1..) = stops.len().checked_sub(SHOWN) {
        observed.push(format!("{more} more times"));
    }
    let verdict = if report.lost_receiver() {
        Verdict::Failed
    } else {
        Verdict::Warned
    };
    let observed = format!("the receiver stopped {}", observed.join("; "));
    let check = LoadCheck::new("the receiver keeps running", verdict, observed);
    (!stops.is_empty()).then_some(check)
}

/// Which events were checked, and what had to be true of them.
fn sample_text(effects: &EffectsReport) -> Option<String> {
    let EffectsReport {
        sent,
        checked,
        acknowledged,
        forged,
        ..
    } = effects;
    // Reports of earlier versions don't say how many events were sent.
    if *sent == 0 || *checked == 0 {
        return None;
    }
    let which = if effects.is_sample {
        format!("{checked} of {sent} events, a sample (`--check-effects all` checks every event)")
    } else {
        format!("all {sent} events")
    };
    let parts = [
        (*acknowledged, "acknowledged: granted once"),
        (
            effects.unacknowledged(),
            "not acknowledged: granted at most once",
        ),
        (*forged, "forged: not granted"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    Some(format!(
        "checked {which}; expected of {}",
        parts.join(", of ")
    ))
}

fn effects_check(effects: &EffectsReport) -> LoadCheck {
    let wrong = effects.wrong();
    let verdict = match (wrong, effects.undecided, effects.checked) {
        (1.., _, _) => Verdict::Failed,
        (0, 1.., _) => Verdict::Broken,
        (0, 0, 0) => Verdict::NotChecked,
        (0, 0, _) if effects.proves_nothing() => Verdict::Broken,
        (0, 0, _) => Verdict::Passed,
    };
    let checked = effects.checked;
    let mut check = if checked > 0 && effects.proves_nothing() {
        let observed = format!("undecided for all {checked} checked events");
        let mut check = LoadCheck::new(EFFECTS, verdict, observed);
        let why = "none of their deliveries got a 2xx response, so no grant was required";
        check.details.push(why.to_owned());
        check
    } else {
        let observed = format!("{} of {checked} checked events", effects.right);
        LoadCheck::new(EFFECTS, verdict, observed)
    };
    check.details.extend(sample_text(effects));
    let listed = effects.wrong.iter().take(LISTED);
    let unlisted = wrong.checked_sub(listed.len() as u64);
    check.details.extend(listed.map(|effect| {
        format!(
            "event {} of player {} ({}{}): {}",
            effect.number,
            sanitize(&effect.player_id),
            effect.treatment,
            sanitize(&origin_text(effect)),
            sanitize(&effect.problem)
        )
    }));
    if let Some(more @ 1..) = unlisted {
        check.details.push(format!("and {more} more"));
    }
    if let Some(reason) = &effects.undecided_because {
        let undecided = effects.undecided;
        check
            .details
            .push(format!("{undecided} undecided: {}", sanitize(reason)));
    }
    check
}
