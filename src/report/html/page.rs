//! The whole page: what the template is filled with, and what the page may do.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::Gathered;
use super::cause::ShownCause;
use super::embedded::embed;
use super::latency::Plot;
use super::row::{Row, Shown};
use crate::harness::{RunEnded, RunStarted, Verdict, VerdictCounts};
use crate::report::causes::SharedCauses;
use crate::report::counts::{checks_in_words, counted, snapshots_in_words, unreferenced_in_words};

const STYLE: &str = include_str!("assets/style.css");

/// The parts of the script, each after those that it stands on.
const SCRIPT: &str = concat!(
    include_str!("assets/elements.js"),
    include_str!("assets/curl.js"),
    include_str!("assets/body.js"),
    include_str!("assets/timeline.js"),
    include_str!("assets/exchange.js"),
    include_str!("assets/snapshot.js"),
    include_str!("assets/scenario.js"),
    include_str!("assets/list.js"),
    include_str!("assets/page.js"),
);

#[derive(Template)]
#[template(path = "page.html", config = "src/report/html/askama.toml")]
struct Page<'run> {
    policy: String,
    style: &'static str,
    script: &'static str,
    verdict: Shown,
    headline: String,
    run: Option<&'run RunStarted>,
    began: Option<String>,
    again: Option<String>,
    took: String,
    checks: String,
    shares: Vec<Share>,
    not_run: Option<String>,
    not_checked: Vec<String>,
    causes: Vec<ShownCause>,
    /// What to do where all genuine deliveries were answered wrong.
    advice: Option<String>,
    snapshots: Option<String>,
    /// What the snapshots are that no scenario has, and their files.
    unreferenced: Option<(&'static str, &'run [String])>,
    tags: Vec<(String, usize)>,
    plot: Option<Plot>,
    rows: Vec<Row>,
}

/// The scenarios of one verdict among all.
struct Share {
    verdict: Shown,
    count: usize,
    /// Where its part of the bar begins and how wide it is, in thousandths.
    x: usize,
    width: usize,
}

/// Writes the page of a run that is over.
pub(super) fn write(out: &mut impl Write, gathered: &Gathered, ended: &RunEnded) -> io::Result<()> {
    let page = page(gathered, ended)?;
    page.write_into(out)
}

fn page<'run>(gathered: &'run Gathered, ended: &RunEnded) -> io::Result<Page<'run>> {
    let run = gathered.run.as_ref();
    let attempts = gathered
        .scenarios
        .values()
        .flat_map(|finished| &finished.story.attempts);
    let snapshots = gathered.snapshots.as_ref();
    let shared = gathered.causes.shared();
    let began = attempts.map(|attempt| attempt.started_at).min();
    Ok(Page {
        policy: policy(Some(SCRIPT), STYLE),
        style: STYLE,
        script: SCRIPT,
        verdict: Shown::new(ended.scenarios.verdict()),
        headline: headline(&ended.scenarios),
        run,
        began: began.map(|began| began.strftime("%-d %B %Y, %H:%M UTC").to_string()),
        again: run.map(again),
        took: format!("{:.2} s", ended.took.as_secs_f64()),
        checks: checks_in_words(ended, |verdict| verdict.to_string()),
        shares: shares(&ended.scenarios),
        not_run: (ended.not_run > 0).then(|| {
            format!(
                "{} not run: the run ended early, after --fail-fast or an interruption.",
                match ended.not_run {
                    1 => "1 scenario was".to_owned(),
                    count => format!("{count} scenarios were"),
                }
            )
        }),
        not_checked: gathered
            .not_checked
            .iter()
            .map(|(reason, count)| format!("{}: {reason}", counted(*count, "check")))
            .collect(),
        snapshots: snapshots.map(snapshots_in_words),
        unreferenced: snapshots
            .filter(|ended| !ended.unreferenced.is_empty())
            .map(|ended| (unreferenced_in_words(ended), &*ended.unreferenced)),
        tags: tags(gathered),
        plot: gathered.latencies.plot(),
        rows: rows(gathered, &shared)?,
        causes: shared.causes.iter().map(ShownCause::new).collect(),
        advice: shared.advice,
    })
}

/// What a page may do: run this script if any, look like this, and nothing else. It reaches no network,
/// and a script that got in in spite of everything would not run.
pub(in crate::report) fn policy(script: Option<&str>, style: &str) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let script = script.map(|script| format!("script-src 'sha256-{}'; ", hash(script)));
    format!(
        "default-src 'none'; {}style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action \
         'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        script.unwrap_or_default(),
        hash(style)
    )
}

fn headline(counts: &VerdictCounts) -> String {
    let all = counted(counts.total(), "scenario");
    let parts = [
        (counts.failed, "failed"),
        (counts.broken, "broke"),
        (counts.warned, "warned"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let wrong: Vec<String> = parts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match counts.verdict() {
        Verdict::NotChecked => format!("Of {all}, nothing was checked"),
        Verdict::Passed if counts.not_checked == 0 => match counts.total() {
            1 => "The scenario passed".to_owned(),
            count => format!("All {count} scenarios passed"),
        },
        Verdict::Passed => format!("{} of {all} passed", counts.passed),
        _ => format!("Of {all}, {}", wrong.join(", ")),
    }
}

fn again(run: &RunStarted) -> String {
    let seed = run.seed.map(|seed| format!(" --seed {seed}"));
    format!(
        "--start-time {}{}",
        run.start_time,
        seed.unwrap_or_default()
    )
}

/// The gravest first.
fn shares(counts: &VerdictCounts) -> Vec<Share> {
    let all = [
        (Verdict::Failed, counts.failed),
        (Verdict::Broken, counts.broken),
        (Verdict::Warned, counts.warned),
        (Verdict::NotChecked, counts.not_checked),
        (Verdict::Passed, counts.passed),
    ];
    let thousandths = |count: usize| count * 1000 / counts.total().max(1);
    let mut before = 0;
    let mut shares = Vec::new();
    for (verdict, count) in all.into_iter().filter(|(_, count)| *count > 0) {
        let x = thousandths(before);
        before += count;
        shares.push(Share {
            verdict: Shown::new(verdict),
            count,
            x,
            // One of thousands is seen, too.
            width: (thousandths(before) - x).max(6),
        });
    }
    shares
}

fn tags(gathered: &Gathered) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for finished in gathered.scenarios.values() {
        for tag in &finished.story.started.tags {
            *counts.entry(tag).or_default() += 1;
        }
    }
    let counts = counts.into_iter();
    counts.map(|(tag, count)| (tag.to_owned(), count)).collect()
}

/// The gravest first, so that where room for data is short, they have it.
fn rows(gathered: &Gathered, shared: &SharedCauses) -> io::Result<Vec<Row>> {
    let mut scenarios: Vec<_> = gathered.scenarios.values().collect();
    scenarios.sort_by_key(|finished| Reverse(finished.ended.verdict));
    let data = embed(&scenarios)?;
    let rows = scenarios.into_iter().zip(data);
    Ok(rows
        .map(|(finished, data)| Row::new(finished, data, shared))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_the_script_or_the_style_ends_its_element() {
        for text in [SCRIPT, STYLE] {
            assert!(!text.to_ascii_lowercase().contains("</s"));
            assert!(!text.contains("<!--"));
        }
        // A policy stands in an attribute.
        assert!(!policy(Some(SCRIPT), STYLE).contains(['"', '<', '&']));
    }

    #[test]
    fn the_headline_says_what_went_wrong() {
        let counts = |passed, warned, failed, not_checked| VerdictCounts {
            passed,
            warned,
            failed,
            not_checked,
            broken: 0,
        };
        for (counts, words) in [
            (counts(1, 0, 0, 0), "The scenario passed"),
            (counts(3, 0, 0, 0), "All 3 scenarios passed"),
            (counts(3, 0, 0, 1), "3 of 4 scenarios passed"),
            (counts(3, 1, 2, 1), "Of 7 scenarios, 2 failed, 1 warned"),
            (counts(0, 0, 0, 2), "Of 2 scenarios, nothing was checked"),
        ] {
            assert_eq!(headline(&counts), words);
        }
    }
}
