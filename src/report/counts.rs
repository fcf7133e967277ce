//! Counts as text.

use crate::run::{RunEnded, SnapshotsEnded};
use crate::verify::{Verdict, VerdictCounts};

/// `1 check`, `2 checks`.
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

pub(super) fn not_run_note(count: usize) -> String {
    let scenarios = counted(count, "scenario");
    format!("{scenarios} not run, because of --fail-fast or an interruption")
}

/// The check counts of a run, as in `3 checks: 2 passed, 1 failed`.
pub(super) fn check_summary(ended: &RunEnded, show: impl Fn(Verdict) -> String) -> String {
    let all = counted(ended.checks.total(), "check");
    format!("{all}: {}", verdict_counts(&ended.checks, show))
}

/// The checks with problems, as in `3 checks: 2 failed, 1 warned`.
pub(super) fn problem_summary(counts: &VerdictCounts) -> String {
    let parts = [Verdict::Failed, Verdict::Broken, Verdict::Warned];
    let parts = parts.map(|verdict| (verdict, count_of(counts, verdict)));
    let parts: Vec<_> = parts.into_iter().filter(|(_, count)| *count > 0).collect();
    if let [(verdict, count)] = parts.as_slice() {
        return format!("{} {verdict}", counted(*count, "check"));
    }
    let all = parts.iter().map(|(_, count)| count).sum();
    let words = parts
        .iter()
        .map(|(verdict, count)| format!("{count} {verdict}"));
    let words: Vec<String> = words.collect();
    format!("{}: {}", counted(all, "check"), words.join(", "))
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
    let parts = counts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let parts = match parts.len() {
        0 => String::new(),
        _ => format!(": {}", parts.join(", ")),
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
    let words =
        order
            .into_iter()
            .filter_map(|verdict| match (verdict, count_of(counts, verdict)) {
                (Verdict::Passed | Verdict::Failed, 0) => Some(format!("0 {verdict}")),
                (_, 0) => None,
                (_, count) => Some(format!("{count} {}", show(verdict))),
            });
    words.collect::<Vec<_>>().join(", ")
}
