//! The page: the fields of the template, and the Content-Security-Policy.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::RunData;
use super::common_cause::CauseView;
use super::embedded::embed;
use super::latency::Plot;
use super::row::{ScenarioRow, VerdictLabel};
use crate::report::counts::{check_summary, counted, snapshot_summary, unreferenced_label};
use crate::report::failure_groups::CommonCauses;
use crate::run::{RunEnded, RunStarted};
use crate::verify::{Verdict, VerdictCounts};

const STYLE: &str = include_str!("assets/style.css");

/// The parts of the script, each after its dependencies.
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
struct RunPage<'run> {
    policy: String,
    style: &'static str,
    script: &'static str,
    verdict: VerdictLabel,
    headline: String,
    run: Option<&'run RunStarted>,
    began: Option<String>,
    reproduce: Option<String>,
    took: String,
    checks: String,
    bar: Vec<BarSegment>,
    not_run: Option<String>,
    not_checked: Vec<String>,
    causes: Vec<CauseView>,
    /// What to do if all genuine deliveries got the same wrong response.
    advice: Option<String>,
    snapshots: Option<String>,
    /// A label for the snapshots without a scenario, and their files.
    unreferenced: Option<(&'static str, &'run [String])>,
    tags: Vec<(String, usize)>,
    plot: Option<Plot>,
    rows: Vec<ScenarioRow>,
}

/// The part of the summary bar for one verdict.
struct BarSegment {
    verdict: VerdictLabel,
    count: usize,
    /// The start and the width, in thousandths of the bar.
    x: usize,
    width: usize,
}

/// Writes the page of a run that has ended.
pub(super) fn write(out: &mut impl Write, data: &RunData, ended: &RunEnded) -> io::Result<()> {
    let page = page(data, ended)?;
    page.write_into(out)
}

fn page<'run>(data: &'run RunData, ended: &RunEnded) -> io::Result<RunPage<'run>> {
    let run = data.run.as_ref();
    let attempts = data
        .scenarios
        .values()
        .flat_map(|finished| &finished.record.attempts);
    let snapshots = data.snapshots.as_ref();
    let common = data.failures.common_causes();
    let began = attempts.map(|attempt| attempt.started_at).min();
    Ok(RunPage {
        policy: policy(Some(SCRIPT), STYLE),
        style: STYLE,
        script: SCRIPT,
        verdict: VerdictLabel::new(ended.scenarios.verdict()),
        headline: headline(&ended.scenarios),
        run,
        began: began.map(|began| began.strftime("%-d %B %Y, %H:%M UTC").to_string()),
        reproduce: run.map(reproduction_options),
        took: format!("{:.2} s", ended.took.as_secs_f64()),
        checks: check_summary(ended, |verdict| verdict.to_string()),
        bar: bar(&ended.scenarios),
        not_run: (ended.not_run > 0).then(|| {
            format!(
                "{} not run, because of --fail-fast or an interruption.",
                counted(ended.not_run, "scenario")
            )
        }),
        not_checked: data
            .not_checked
            .iter()
            .map(|(reason, count)| format!("{}: {reason}", counted(*count, "check")))
            .collect(),
        snapshots: snapshots.map(snapshot_summary),
        unreferenced: snapshots
            .filter(|ended| !ended.unreferenced.is_empty())
            .map(|ended| (unreferenced_label(ended), &*ended.unreferenced)),
        tags: tags(data),
        plot: data.response_times.plot(),
        rows: rows(data, &common)?,
        causes: common.causes.iter().map(CauseView::new).collect(),
        advice: common.advice,
    })
}

/// The Content-Security-Policy of a page: this script, if any, this style, and nothing else. The page
/// can't reach the network, and an injected script would not run.
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
    let problems: Vec<String> = parts
        .map(|(count, verb)| format!("{count} {verb}"))
        .collect();
    match counts.verdict() {
        Verdict::NotChecked => format!("Nothing was checked in {all}"),
        Verdict::Passed if counts.not_checked == 0 => match counts.total() {
            1 => "The scenario passed".to_owned(),
            count => format!("All {count} scenarios passed"),
        },
        Verdict::Passed => format!("{} of {all} passed", counts.passed),
        _ => format!("Of {all}, {}", problems.join(", ")),
    }
}

fn reproduction_options(run: &RunStarted) -> String {
    let seed = run.seed.map(|seed| format!(" --seed {seed}"));
    format!(
        "--start-time {}{}",
        run.start_time,
        seed.unwrap_or_default()
    )
}

/// The segments of the summary bar, the worst verdict first.
fn bar(counts: &VerdictCounts) -> Vec<BarSegment> {
    let all = [
        (Verdict::Failed, counts.failed),
        (Verdict::Broken, counts.broken),
        (Verdict::Warned, counts.warned),
        (Verdict::NotChecked, counts.not_checked),
        (Verdict::Passed, counts.passed),
    ];
    let thousandths = |count: usize| count * 1000 / counts.total().max(1);
    let mut before = 0;
    let mut segments = Vec::new();
    for (verdict, count) in all.into_iter().filter(|(_, count)| *count > 0) {
        let x = thousandths(before);
        before += count;
        segments.push(BarSegment {
            verdict: VerdictLabel::new(verdict),
            count,
            x,
            // Even one scenario among thousands must be visible.
            width: (thousandths(before) - x).max(6),
        });
    }
    segments
}

fn tags(data: &RunData) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for finished in data.scenarios.values() {
        for tag in &finished.record.started.tags {
            *counts.entry(tag).or_default() += 1;
        }
    }
    let counts = counts.into_iter();
    counts.map(|(tag, count)| (tag.to_owned(), count)).collect()
}

/// The rows, the worst first, so that these have their data if there is not enough room for all.
fn rows(data: &RunData, common: &CommonCauses) -> io::Result<Vec<ScenarioRow>> {
    let mut scenarios: Vec<_> = data.scenarios.values().collect();
    scenarios.sort_by_key(|finished| Reverse(finished.ended.verdict));
    let embedded = embed(&scenarios)?;
    let rows = scenarios.into_iter().zip(embedded);
    Ok(rows
        .map(|(finished, embedded)| ScenarioRow::new(finished, embedded, common))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_and_the_style_do_not_close_their_elements() {
        for text in [SCRIPT, STYLE] {
            assert!(!text.to_ascii_lowercase().contains("</s"));
            assert!(!text.contains("<!--"));
        }
        // The policy is written into an attribute.
        assert!(!policy(Some(SCRIPT), STYLE).contains(['"', '<', '&']));
    }

    #[test]
    fn the_headline_names_the_problems() {
        let counts = |passed, warned, failed, not_checked| VerdictCounts {
            passed,
            warned,
            failed,
            not_checked,
            broken: 0,
        };
        for (counts, text) in [
            (counts(1, 0, 0, 0), "The scenario passed"),
            (counts(3, 0, 0, 0), "All 3 scenarios passed"),
            (counts(3, 0, 0, 1), "3 of 4 scenarios passed"),
            (counts(3, 1, 2, 1), "Of 7 scenarios, 2 failed, 1 warned"),
            (counts(0, 0, 0, 2), "Nothing was checked in 2 scenarios"),
        ] {
            assert_eq!(headline(&counts), text);
        }
    }
}
