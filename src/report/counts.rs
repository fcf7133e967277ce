//! Counts in words.

use crate::harness::{RunEnded, SnapshotsEnded, Verdict, VerdictCounts};

/// `1 check`, `2 checks`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// What came of the scenarios of a run, as in `3 scenarios: 2 passed, 1 failed`.
pub(super) fn scenarios_in_words(ended: &RunEnded, show: impl Fn(Verdict) -> String) -> String {
    let not_run = match ended.not_run {
        0 => String::new(),
        count => format!(", {count} not run"),
    };
    let all = counted(ended.scenarios.total() + ended.not_run, "scenario");
    format!("{all}: {}{not_run}", in_words(&ended.scenarios, show))
}

/// What came of the checks of a run, as in `3 checks: 2 passed, 1 failed`.
pub(super) fn checks_in_words(ended: &RunEnded, show: impl Fn(Verdict) -> String) -> String {
    let all = counted(ended.checks.total(), "check");
    format!("{all}: {}", in_words(&ended.checks, show))
}

/// What is wrong with checks, as in `3 checks: 2 failed, 1 warned`.
pub(super) fn troubles_in_words(counts: &VerdictCounts) -> String {
    let parts = [
        (Verdict::Failed, counts.failed),
        (Verdict::Broken, counts.broken),
        (Verdict::Warned, counts.warned),
    ];
    let parts = parts.into_iter().filter(|(_, count)| *count > 0);
    let parts: Vec<_> = parts.collect();
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

/// What came of the snapshots of a run, as in `3 snapshots in snapshots: 2 as reviewed, 1 different`.
pub(super) fn snapshots_in_words(ended: &SnapshotsEnded) -> String {
    let counts = [
        (ended.as_reviewed, "as reviewed"),
        (ended.written, "written"),
        (ended.different, "different"),
        (ended.missing, "not there yet"),
    ];
    let all: usize = counts.iter().map(|(count, _)| count).sum();
    let told = counts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let told = match told.as_slice() {
        [] => String::new(),
        told => format!(": {}", told.join(", ")),
    };
    format!("{} in {}{told}", counted(all, "snapshot"), ended.folder)
}

/// What the snapshots are, or were, that no scenario has: said before their list.
pub(super) fn unreferenced_in_words(ended: &SnapshotsEnded) -> &'static str {
    if ended.deleted {
        "deleted, since no scenario has them"
    } else {
        "no scenario has these snapshots; --delete-unreferenced deletes them"
    }
}

/// Passed and failed are told always, the others where there are any. A verdict that came up is
/// written as `show` says.
fn in_words(counts: &VerdictCounts, show: impl Fn(Verdict) -> String) -> String {
    let parts = [
        (Verdict::Passed, counts.passed),
        (Verdict::Warned, counts.warned),
        (Verdict::Failed, counts.failed),
        (Verdict::Broken, counts.broken),
        (Verdict::NotChecked, counts.not_checked),
    ];
    let shown = parts.into_iter().filter(|(verdict, count)| {
        *count > 0 || *verdict == Verdict::Passed || *verdict == Verdict::Failed
    });
    let words: Vec<String> = shown
        .map(|(verdict, count)| match count {
            0 => format!("0 {verdict}"),
            _ => format!("{count} {}", show(verdict)),
        })
        .collect();
    words.join(", ")
}
