//! Counts as text.

use std::fmt::Display;

use super::sanitize::sanitize;
use crate::run::{RunEnded, SnapshotsEnded};
use crate::verify::{Verdict, VerdictCounts};

pub(super) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// The scenario counts of a run, as in `3 scenarios: 2 passed, 1 failed`.
pub(super) fn scenario_summary(ended: &RunEnded, show: impl Fn(Verdict) -> String) -> String {
    let not_run = match ended.not_run {
        0 => String::new(),
        count => format!(", {count} not run"),
    };
    let all = counted(ended.scenarios.total() + ended.not_run, "scenario");
    format!("{all}: {}{not_run}", verdict_counts(&ended.scenarios, show))
}

/// Why scenarios were not run, or nothing could be said about the receiver; `None` if all ran.
pub(super) fn not_run_note(ended: &RunEnded) -> Option<String> {
    let not_run = match ended.not_run {
        0 => None,
        count => Some(format!("{} not run", counted(count, "scenario"))),
    };
    let refused = ended.refused_items.as_ref();
    let problem = ended.setup_problem.as_ref();
    match (problem.or(refused.map(|items| &items.reason)), not_run) {
        (Some(problem), not_run) => Some(format!(
            "{}the set-up is wrong: {}; `aghook doctor` checks it",
            not_run.map_or(String::new(), |not_run| format!("{not_run}, because ")),
            sanitize(problem),
        )),
        (None, Some(not_run)) if ended.receiver_stopped => {
            Some(format!("{not_run}, because the receiver stopped"))
        }
        (None, Some(not_run)) => Some(format!(
            "{not_run}, because of --fail-fast or an interruption"
        )),
        (None, None) => None,
    }
}

/// The check counts of a run, as in `3 checks: 2 passed, 1 failed`.
pub(super) fn check_summary(ended: &RunEnded, show: impl Fn(Verdict) -> String) -> String {
    let all = counted(ended.checks.total(), "check");
    format!("{all}: {}", verdict_counts(&ended.checks, show))
}

/// The checks with problems, as in `3 checks: 2 failed, 1 warned`.
pub(super) fn problem_summary(counts: &VerdictCounts) -> String {
    let problems = [Verdict::Failed, Verdict::Broken, Verdict::Warned];
    let problems = problems.map(|verdict| (count_of(counts, verdict), verdict));
    let all = counted(problems.iter().map(|(count, _)| count).sum(), "check");
    let mut kinds = problems.iter().filter(|(count, _)| *count > 0);
    match (kinds.next(), kinds.next()) {
        (Some((_, only)), None) => format!("{all} {only}"),
        _ => format!("{all}: {}", occurred(problems)),
    }
}

/// The counts that are not zero, as in `2 failed, 1 warned`.
pub(super) fn occurred<W: Display>(counts: impl IntoIterator<Item = (usize, W)>) -> String {
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts = counts.map(|(count, word)| format!("{count} {word}"));
    counts.collect::<Vec<_>>().join(", ")
}

/// The first texts, then how many more there are.
pub(super) fn first_of(
    texts: impl ExactSizeIterator<Item = String>,
    limit: usize,
) -> impl Iterator<Item = String> {
    let more = texts.len().saturating_sub(limit);
    let more = (more > 0).then(|| format!("and {more} more"));
    texts.take(limit).chain(more)
}

pub(super) fn count_of(counts: &VerdictCounts, verdict: Verdict) -> usize {
    match verdict {
        Verdict::Passed => counts.passed,
        Verdict::NotChecked => counts.not_checked,
        Verdict::Warned => counts.warned,
        Verdict::Broken => counts.broken,
        Verdict::Failed => counts.failed,
    }
}

/// The snapshot counts of a run, as in `3 snapshots in snapshots: 2 unchanged, 1 different`.
pub(super) fn snapshot_summary(ended: &SnapshotsEnded) -> String {
    let counts = [
        (ended.as_reviewed, "unchanged"),
        (ended.written, "written"),
        (ended.different, "different"),
        (ended.missing, "new"),
    ];
    let all: usize = counts.iter().map(|(count, _)| count).sum();
    let parts = match all {
        0 => String::new(),
        _ => format!(": {}", occurred(counts)),
    };
    format!("{} in {}{parts}", counted(all, "snapshot"), ended.folder)
}

pub(super) fn unreferenced_label(ended: &SnapshotsEnded) -> &'static str {
    if ended.deleted {
        "deleted, since no scenario uses them"
    } else {
        "no scenario uses these snapshots; --delete-unreferenced deletes them"
    }
}

/// Lists `passed` and `failed` always, the other verdicts only if they occurred. `show` formats a
/// verdict that occurred.
fn verdict_counts(counts: &VerdictCounts, show: impl Fn(Verdict) -> String) -> String {
    let order = [
        Verdict::Passed,
        Verdict::Warned,
        Verdict::Failed,
        Verdict::Broken,
        Verdict::NotChecked,
    ];
    let word = |verdict| match (verdict, count_of(counts, verdict)) {
        (Verdict::Passed | Verdict::Failed, 0) => Some(format!("0 {verdict}")),
        (_, 0) => None,
        (_, count) => Some(format!("{count} {}", show(verdict))),
    };
    let words = order.into_iter().filter_map(word);
    words.collect::<Vec<_>>().join(", ")
}
