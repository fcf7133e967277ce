//! Checks, one per line, without what depends on chance.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use indexmap::IndexMap;
use regex::Regex;

use super::stable_text::{StableText, pattern};
use crate::scenario::Level;
use crate::verify::{Check, Verdict};

static TOOK: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d+(\.\d+)?(ns|µs|ms|s)$"));

/// A probe's numbers. The number before the scenario depends on earlier runs.
static BEFORE_AND_AFTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(-?\d+) before, (-?\d+) after$"));

/// A check, with what was observed unless it passed.
pub(super) fn check_line(check: &Check, stable: &StableText<'_>) -> String {
    let observed = observed(check);
    line(check, check.verdict, Some(&observed), "", stable)
}

/// The checks of simultaneous deliveries: each once, with the number of deliveries that it failed
/// for, since the order of the deliveries depends on chance.
pub(super) fn common_check_lines(checks: &[&Check], stable: &StableText<'_>) -> Vec<String> {
    let mut distinct: IndexMap<_, Vec<&Check>> = IndexMap::new();
    for check in checks {
        let key = (&check.subject, &check.expected, check.level == Level::Must);
        distinct.entry(key).or_default().push(check);
    }
    let lines = distinct.into_values().filter_map(|same| {
        let check = same.first()?;
        let worst = same.iter().map(|check| check.verdict).max()?;
        // Responses are compared with the first one, so the number that differ depends on chance.
        if check.subject == "same response" {
            return Some(line(check, worst, None, "", stable));
        }
        let with_worst = same.iter().filter(|check| check.verdict == worst);
        let observations = with_worst.map(|check| stable.line(&observed(check)));
        let observations: Vec<String> = observations.collect();
        let count = match (worst, observations.len(), same.len()) {
            (Verdict::Passed, ..) => String::new(),
            (_, affected, all) => format!(" ({affected} of {all})"),
        };
        let observed: BTreeSet<String> = observations.into_iter().collect();
        let observed = observed.into_iter().collect::<Vec<_>>().join("; ");
        Some(line(check, worst, Some(&observed), &count, stable))
    });
    lines.collect()
}

fn line(
    check: &Check,
    verdict: Verdict,
    observed: Option<&str>,
    count: &str,
    stable: &StableText<'_>,
) -> String {
    let mark = verdict.mark();
    let level = match check.level {
        Level::Must => "",
        Level::Should => " (should)",
    };
    let subject = stable.line(&check.subject);
    let expected = stable.line(&check.expected);
    match (verdict, observed) {
        (Verdict::Passed, _) => format!("{mark} {subject}: {expected}{level}"),
        (_, None) => format!("{mark} {verdict}: {subject}: expected {expected}{level}"),
        (_, Some(observed)) => {
            let observed = stable.line(observed);
            format!(
                "{mark} {verdict}: {subject}: expected {expected}, observed {observed}{count}{level}"
            )
        }
    }
}

fn observed(check: &Check) -> String {
    if check.subject == "within" && TOOK.is_match(&check.observed) {
        return "it took longer".to_owned();
    }
    if check.expected.starts_with("a change of ")
        && let Some(numbers) = BEFORE_AND_AFTER.captures(&check.observed)
        && let (Ok(before), Ok(after)) = (numbers[1].parse::<i128>(), numbers[2].parse::<i128>())
        && let Some(change) = after.checked_sub(before)
    {
        return format!("a change of {change}");
    }
    check.observed.clone()
}
