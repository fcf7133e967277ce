//! Checks in a line each, without what is up to chance.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::stable_text::StableText;
use crate::harness::{Check, Verdict};
use crate::scenario::Level;

/// How long an answer took, which is never the same.
static TOOK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\d+(\.\d+)?(ns|µs|ms|s)$").ok());

/// A probe's numbers; what a player held before is up to the runs before.
static BEFORE_AND_AFTER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(-?\d+) before, (-?\d+) after$").ok());

/// A check. What was observed is told where it is not what was expected.
pub(super) fn check_line(check: &Check, stable: &StableText<'_>) -> String {
    let observed = observed(check);
    line(check, check.verdict, Some(&observed), "", stable)
}

/// The checks of deliveries that were made at the same moment: each once, with how many it is
/// about, since which delivery came first is up to chance.
pub(super) fn common_check_lines(checks: &[&Check], stable: &StableText<'_>) -> Vec<String> {
    let mut known: Vec<&Check> = Vec::new();
    for check in checks {
        if known.iter().all(|other| !is_same(other, check)) {
            known.push(check);
        }
    }
    let lines = known.into_iter().map(|check| {
        let alike: Vec<&&Check> = checks
            .iter()
            .filter(|other| is_same(other, check))
            .collect();
        let gravest = alike.iter().map(|one| one.verdict).max();
        let gravest = gravest.unwrap_or(check.verdict);
        // Compared with the one that came first: how many differ from that is up to chance.
        if check.subject == "same response" {
            return line(check, gravest, None, "", stable);
        }
        let wrong = alike.iter().filter(|one| one.verdict == gravest);
        let wrong: Vec<String> = wrong.map(|one| stable.line(&observed(one))).collect();
        let count = match (gravest, wrong.len(), alike.len()) {
            (Verdict::Passed, ..) => String::new(),
            (_, some, all) => format!(" ({some} of {all})"),
        };
        let seen: BTreeSet<String> = wrong.into_iter().collect();
        let seen = seen.into_iter().collect::<Vec<_>>().join("; ");
        line(check, gravest, Some(&seen), &count, stable)
    });
    lines.collect()
}

fn is_same(one: &Check, other: &Check) -> bool {
    one.subject == other.subject && one.expected == other.expected && one.level == other.level
}

fn line(
    check: &Check,
    verdict: Verdict,
    observed: Option<&str>,
    count: &str,
    stable: &StableText<'_>,
) -> String {
    let (mark, word) = match verdict {
        Verdict::Passed => ('✓', ""),
        Verdict::NotChecked => ('?', "not checked: "),
        Verdict::Warned => ('!', "warned: "),
        Verdict::Broken => ('‼', "broken: "),
        Verdict::Failed => ('✗', "failed: "),
    };
    let level = match check.level {
        Level::Must => "",
        Level::Should => " (should)",
    };
    let subject = stable.line(&check.subject);
    let expected = stable.line(&check.expected);
    match (verdict, observed) {
        (Verdict::Passed, _) => format!("{mark} {subject}: {expected}{level}"),
        (_, None) => format!("{mark} {word}{subject}: expected {expected}{level}"),
        (_, Some(observed)) => {
            let observed = stable.line(observed);
            format!(
                "{mark} {word}{subject}: expected {expected}, observed {observed}{count}{level}"
            )
        }
    }
}

fn observed(check: &Check) -> String {
    if check.subject == "within"
        && TOOK
            .as_ref()
            .is_some_and(|took| took.is_match(&check.observed))
    {
        return "it took longer".to_owned();
    }
    let numbers = BEFORE_AND_AFTER
        .as_ref()
        .and_then(|pattern| pattern.captures(&check.observed));
    if let Some(numbers) = numbers
        && check.expected.starts_with("a change of ")
        && let (Ok(before), Ok(after)) = (numbers[1].parse::<i128>(), numbers[2].parse::<i128>())
        && let Some(change) = after.checked_sub(before)
    {
        return format!("a change of {change}");
    }
    check.observed.clone()
}
