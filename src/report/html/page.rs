//! The page: the fields of the template, and the Content-Security-Policy.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::embedded::embed;
use super::latency::{Plot, response_times};
use super::row::ScenarioRow;
use crate::report::counts::{
    check_summary, count_of, counted, not_run_note, occurred, snapshot_summary, unreferenced_label,
};
use crate::report::coverage::{PairTable, coverage_lines};
use crate::report::failure_groups::CommonProblem;
use crate::report::run_record::{RunRecord, reproduce_options};
use crate::report::scenario_record::ScenarioRecord;
use crate::run::{BaselineChanges, LikelyCause, RunStarted};
use crate::verify::{Verdict, VerdictCounts};

/// The colors of all pages, light and dark.
pub(crate) const COLORS: &str = include_str!("assets/colors.css");

const STYLE: &str = concat!(
    include_str!("assets/colors.css"),
    include_str!("assets/style.css"),
);

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

const LISTED: usize = 500;

#[derive(Template)]
#[template(path = "page.html", config = "src/report/html/askama.toml")]
struct RunPage<'run> {
    policy: String,
    style: &'static str,
    script: &'static str,
    verdict: Verdict,
    headline: String,
    run: Option<&'run RunStarted>,
    began: Option<String>,
    reproduce: Option<String>,
    took: String,
    checks: String,
    bar: Vec<BarSegment>,
    not_run: Option<String>,
    not_checked: Vec<String>,
    likely_causes: &'run [LikelyCause],
    problems: &'run [CommonProblem],
    advice: Option<&'run String>,
    /// What an exploration tried: lines, and a table.
    coverage: Option<(Vec<String>, PairTable<'run>)>,
    since_baseline: Option<&'run BaselineChanges>,
    snapshots: Option<String>,
    /// A label for the snapshots without a scenario, and their files.
    unreferenced: Option<(&'static str, &'run [String])>,
    tags: BTreeMap<&'run String, usize>,
    plot: Option<Plot>,
    rows: Vec<ScenarioRow<'run>>,
}

struct BarSegment {
    verdict: Verdict,
    count: usize,
    /// The start and the width, in thousandths of the bar.
    x: usize,
    width: usize,
}

pub(crate) fn write_page(out: &mut dyn Write, run: &RunRecord) -> io::Result<()> {
    page(run)?.write_into(out)
}

fn page(run: &RunRecord) -> io::Result<RunPage<'_>> {
    let (started, ended) = (run.started.as_ref(), &run.ended);
    let scenarios = run.by_number();
    let snapshots = run.snapshots.as_ref();
    let began = scenarios.iter().filter_map(|record| record.began()).min();
    Ok(RunPage {
        policy: policy(Some(SCRIPT), STYLE),
        style: STYLE,
        script: SCRIPT,
        verdict: ended.scenarios.verdict(),
        headline: headline(&ended.scenarios),
        run: started,
        began: began.map(|began| began.strftime("%-d %B %Y, %H:%M UTC").to_string()),
        reproduce: started.map(reproduce_options),
        took: format!("{:.2} s", ended.took.as_secs_f64()),
        checks: check_summary(ended, |verdict| verdict.to_string()),
        bar: bar(&ended.scenarios),
        not_run: not_run_note(ended).map(|note| format!("{note}.")),
        not_checked: run.not_checked_lines(str::to_owned),
        coverage: ended
            .explored
            .as_ref()
            .map(|explored| (coverage_lines(explored), PairTable::new(explored))),
        since_baseline: ended.since_baseline.as_ref(),
        snapshots: snapshots.map(snapshot_summary),
        unreferenced: snapshots
            .filter(|ended| !ended.unreferenced.is_empty())
            .map(|ended| (unreferenced_label(ended), &*ended.unreferenced)),
        tags: tags(&scenarios),
        plot: response_times(&scenarios),
        rows: rows(scenarios, run.common.problems.first())?,
        likely_causes: &ended.likely_causes,
        problems: &run.common.problems,
        advice: run.common.advice.as_ref(),
    })
}

/// The Content-Security-Policy of a page: this script, if any, this style, and nothing else. The page
/// can't reach the network, and an injected script would not run.
pub(crate) fn policy(script: Option<&str>, style: &str) -> String {
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
    let problems = [
        (counts.failed, "failed"),
        (counts.broken, "broke"),
        (counts.warned, "warned"),
    ];
    match counts.verdict() {
        Verdict::NotChecked => format!("Nothing was checked in {all}"),
        Verdict::Passed if counts.not_checked == 0 => match counts.total() {
            1 => "The scenario passed".to_owned(),
            count => format!("All {count} scenarios passed"),
        },
        Verdict::Passed => format!("{} of {all} passed", counts.passed),
        _ => format!("Of {all}, {}", occurred(problems)),
    }
}

fn bar(counts: &VerdictCounts) -> Vec<BarSegment> {
    let order = [
        Verdict::Failed,
        Verdict::Broken,
        Verdict::Warned,
        Verdict::NotChecked,
        Verdict::Passed,
    ];
    let thousandths = |count: usize| count * 1000 / counts.total().max(1);
    let mut before = 0;
    let mut segments = Vec::new();
    for verdict in order {
        let count = count_of(counts, verdict);
        if count == 0 {
            continue;
        }
        let x = thousandths(before);
        before += count;
        segments.push(BarSegment {
            verdict,
            count,
            x,
            // Even one scenario among thousands must be visible.
            width: (thousandths(before) - x).max(6),
        });
    }
    segments
}

fn tags<'run>(scenarios: &[&'run ScenarioRecord]) -> BTreeMap<&'run String, usize> {
    let mut counts = BTreeMap::new();
    for tag in scenarios.iter().flat_map(|record| &record.started.tags) {
        *counts.entry(tag).or_default() += 1;
    }
    counts
}

/// The rows, the worst first, so that these have their data if there is not enough room for all.
fn rows<'run>(
    mut scenarios: Vec<&'run ScenarioRecord>,
    first: Option<&CommonProblem>,
) -> io::Result<Vec<ScenarioRow<'run>>> {
    scenarios.sort_by_key(|record| Reverse(record.ended.verdict));
    let worst = scenarios
        .first()
        .filter(|record| !record.ended.verdict.is_passed_or_not_checked());
    let telling = first.map(|problem| problem.example.scenario.number);
    let telling = telling.or(worst.map(|record| record.started.scenario));
    let data = embed(&scenarios)?;
    let rows = scenarios.into_iter().zip(data);
    let rows = rows.map(|(record, data)| {
        let is_open = telling == Some(record.started.scenario);
        ScenarioRow::new(record, data, is_open)
    });
    Ok(rows.collect())
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
