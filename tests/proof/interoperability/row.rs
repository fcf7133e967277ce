//! What was seen of a receiver, sound or with a flaw, whether that is right, and the table of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::language::{Flaw, Language};
use super::receiver::{Kept, Receiver};
use crate::support::Outcome;

/// A line of the table.
pub(crate) struct Row {
    language: &'static str,
    /// `None` where the receiver is sound.
    flaw: Option<&'static str>,
    right: bool,
    seen: String,
}

impl Row {
    /// Runs the suite against a receiver as it is, and with each of its flaws.
    pub(crate) fn all_of(language: &Language) -> Vec<Self> {
        let flaws = language.flaws.iter();
        let mut rows = vec![Self::sound(language)];
        rows.extend(flaws.map(|flaw| Self::flawed(language, flaw)));
        rows
    }

    /// Nothing may be said against the sound receiver, and it keeps its ledger over its end.
    fn sound(language: &Language) -> Self {
        let kept = Kept::new();
        let outcome = Receiver::start(language, None, &kept).run(&[]);
        let mut blamed = BTreeSet::new();
        for verdict in ["failed", "warned", "broken"] {
            blamed.extend(outcome.files(verdict));
        }
        let clean = outcome.code == 0 && blamed.is_empty();
        let remembers = remembers(language, &kept);
        let seen = match (clean, remembers) {
            (true, true) => format!("{} files passed", outcome.files("passed").len()),
            (true, false) => "a restart forgets what was granted".to_owned(),
            (false, _) => format!("blamed: {}{}", list(&blamed), kept.complaints()),
        };
        Self {
            language: language.name,
            flaw: None,
            right: clean && remembers,
            seen,
        }
    }

    fn flawed(language: &Language, flaw: &Flaw) -> Self {
        let kept = Kept::new();
        let outcome = Receiver::start(language, Some(flaw.name), &kept).run(&[]);
        let (right, seen) = judge(flaw, &outcome);
        Self {
            language: language.name,
            flaw: Some(flaw.name),
            right,
            seen,
        }
    }
}

/// Sends the same bytes before and after the receiver is killed. One that remembers grants nothing
/// the second time, which the second run takes for a failure, as it should.
fn remembers(language: &Language, kept: &Kept) -> bool {
    let same_bytes = [
        "--filter",
        "payload/plain_item.yaml",
        "--seed",
        "7",
        "--start-time",
        "2026-11-23T00:00:00Z",
    ];
    let before = Receiver::start(language, None, kept).run(&same_bytes);
    let after = Receiver::start(language, None, kept).run(&same_bytes);
    before.code == 0 && after.files("failed").contains("payload/plain_item")
}

/// Whether a flaw was caught by the scenario that is made for it, and by how many files in all.
fn judge(flaw: &Flaw, outcome: &Outcome) -> (bool, String) {
    let failed = outcome.files("failed");
    let warned = outcome.files("warned");
    let is_right_code = outcome.code == i32::from(!failed.is_empty());
    let all = failed.union(&warned).count();
    let by = flaw.caught_by;
    if failed.contains(by) && is_right_code {
        (true, format!("{by} failed, one of {all}"))
    } else if flaw.warning_will_do && warned.contains(by) && is_right_code {
        (true, format!("{by} warned, one of {all}"))
    } else {
        let (code, failed, warned) = (outcome.code, list(&failed), list(&warned));
        let seen = format!("not by {by}: exit code {code}, failed: {failed}; warned: {warned}");
        (false, seen)
    }
}

fn list(files: &BTreeSet<String>) -> String {
    if files.is_empty() {
        return "none".to_owned();
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    files.join(", ")
}

/// The table with its sums, and whether all of it is right.
pub(crate) fn table(rows: &[Row]) -> (String, bool) {
    let mut table = String::new();
    for row in rows {
        let verdict = match (row.flaw, row.right) {
            (None, true) => "no false alarm",
            (None, false) => "FALSE ALARM",
            (Some(_), true) => "caught",
            (Some(_), false) => "MISSED",
        };
        let what = row.flaw.unwrap_or("sound");
        let (language, seen) = (row.language, &row.seen);
        let _ = writeln!(table, "{language:<8} {what:<23} {verdict:<15} {seen}");
    }
    let flawed = || rows.iter().filter(|row| row.flaw.is_some());
    let sound = || rows.iter().filter(|row| row.flaw.is_none());
    let _ = write!(
        table,
        "flaws caught {}/{}, false alarms {}/{}",
        flawed().filter(|row| row.right).count(),
        flawed().count(),
        sound().filter(|row| !row.right).count(),
        sound().count(),
    );
    (table, rows.iter().all(|row| row.right))
}
