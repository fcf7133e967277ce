//! The table of results: whether each sound receiver passed and each flaw was caught.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::language::{KnownFlaw, Language};
use super::receiver::{LanguageReceiver, ReceiverFiles};
use crate::support::RunOutcome;

/// A row of the table.
pub(crate) struct Row {
    language: &'static str,
    /// `None` for the sound receiver.
    flaw: Option<&'static str>,
    as_expected: bool,
    observed: String,
}

impl Row {
    /// Runs the suite against a receiver without flaws, and against each of its flaws the scenario that
    /// must catch it.
    pub(crate) fn all_of(language: &'static Language) -> Vec<Self> {
        let flaws = language.flaws.iter();
        let mut rows = vec![Self::sound(language)];
        rows.extend(flaws.map(|flaw| Self::flawed(language, flaw)));
        rows
    }

    /// The sound receiver must pass without warnings and keep its ledger across a restart.
    fn sound(language: &'static Language) -> Self {
        let files = ReceiverFiles::new();
        let outcome = LanguageReceiver::start(language, None, &files).run(&[]);
        let mut blamed = BTreeSet::new();
        for verdict in ["failed", "warned", "broken"] {
            blamed.extend(outcome.files(verdict));
        }
        let clean = outcome.code == 0 && blamed.is_empty();
        let keeps_its_ledger = keeps_its_ledger(language, &files);
        let observed = match (clean, keeps_its_ledger) {
            (true, true) => format!("{} files passed", outcome.files("passed").len()),
            (true, false) => "a restart loses the ledger".to_owned(),
            (false, _) => format!("blamed: {}{}", list(&blamed), files.stderr()),
        };
        Self {
            language: language.name,
            flaw: None,
            as_expected: clean && keeps_its_ledger,
            observed,
        }
    }

    fn flawed(language: &'static Language, flaw: &KnownFlaw) -> Self {
        let files = ReceiverFiles::new();
        let receiver = LanguageReceiver::start(language, Some(flaw.name), &files);
        let file = format!("{}.yaml", flaw.caught_by);
        // The other scenarios could show that the set-up is right; this one may not.
        let outcome = receiver.run(&["--filter", &file, "--skip-setup-check"]);
        let (as_expected, observed) = judge(flaw, &outcome);
        Self {
            language: language.name,
            flaw: Some(flaw.name),
            as_expected,
            observed,
        }
    }
}

/// Sends the same bytes before and after the receiver is killed. A receiver that keeps its ledger
/// grants nothing the second time, so the second run must fail.
fn keeps_its_ledger(language: &'static Language, files: &ReceiverFiles) -> bool {
    let same_bytes = [
        "--filter",
        "payload/plain_item.yaml",
        "--seed",
        "7",
        "--start-time",
        "2026-11-23T00:00:00Z",
    ];
    let before = LanguageReceiver::start(language, None, files).run(&same_bytes);
    let after = LanguageReceiver::start(language, None, files).run(&same_bytes);
    before.code == 0 && after.files("failed").contains("payload/plain_item")
}

/// Whether the flaw's scenario caught it.
fn judge(flaw: &KnownFlaw, outcome: &RunOutcome) -> (bool, String) {
    let by = flaw.caught_by;
    if outcome.code == 1 && outcome.files("failed").contains(by) {
        (true, format!("{by} failed"))
    } else if flaw.warning_is_enough && outcome.code == 0 && outcome.files("warned").contains(by) {
        (true, format!("{by} warned"))
    } else {
        (false, format!("not by {by}: exit code {}", outcome.code))
    }
}

fn list(files: &BTreeSet<String>) -> String {
    if files.is_empty() {
        return "none".to_owned();
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    files.join(", ")
}

/// The table with its totals, and whether all results are as expected.
pub(crate) fn table(rows: &[Row]) -> (String, bool) {
    let mut table = String::new();
    for row in rows {
        let verdict = match (row.flaw, row.as_expected) {
            (None, true) => "no false alarm",
            (None, false) => "FALSE ALARM",
            (Some(_), true) => "caught",
            (Some(_), false) => "MISSED",
        };
        let what = row.flaw.unwrap_or("sound");
        let (language, observed) = (row.language, &row.observed);
        let _ = writeln!(table, "{language:<8} {what:<23} {verdict:<15} {observed}");
    }
    let flawed = || rows.iter().filter(|row| row.flaw.is_some());
    let sound = || rows.iter().filter(|row| row.flaw.is_none());
    let _ = write!(
        table,
        "flaws caught {}/{}, false alarms {}/{}",
        flawed().filter(|row| row.as_expected).count(),
        flawed().count(),
        sound().filter(|row| !row.as_expected).count(),
        sound().count(),
    );
    (table, rows.iter().all(|row| row.as_expected))
}
