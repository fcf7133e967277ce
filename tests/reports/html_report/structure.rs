//! Checks of the HTML report that need no browser.

use proptest::prelude::*;
use serde_json::Value;

use super::awkward_run::{HOSTILE, long_run, run_with, with_snapshots};
use super::page;
use crate::sample_run::sample_run;

/// The text between the first `from` and the next `to`.
fn between<'text>(text: &'text str, from: &str, to: &str) -> &'text str {
    let start = text.find(from).expect(from) + from.len();
    let length = text[start..].find(to).expect(to);
    &text[start..start + length]
}

/// The page without its style and script, which other tests check.
fn without_assets(page: &str) -> String {
    let style = between(page, "<style>", "</style>");
    let script = between(page, "<script type=\"module\">", "</script>");
    page.replace(style, "…").replace(script, "…")
}

/// The embedded JSON of a scenario.
fn data(page: &str, scenario: usize) -> Vec<Value> {
    let from = format!("<script type=\"application/json\" id=\"data-{scenario}\">");
    serde_json::from_str(between(page, &from, "</script>")).expect("JSON")
}

/// The number of start and end tags with this name.
fn tags(page: &str, name: &str) -> usize {
    let page = page.to_ascii_lowercase();
    page.matches(&format!("<{name}")).count() + page.matches(&format!("</{name}")).count()
}

#[test]
fn the_page_of_the_sample_run() {
    let page = without_assets(&page(sample_run()));
    let policy = between(&page, "content=\"default-src", "\"").to_owned();
    insta::assert_snapshot!(page.replace(&policy, " …"));
}

#[test]
fn the_embedded_json_contains_the_run_events() {
    let page = page(sample_run());
    let data = serde_json::to_string_pretty(&data(&page, 1)).expect("JSON");
    insta::assert_snapshot!(data);
}

#[test]
fn the_page_must_not_load_anything() {
    let page = page(sample_run());
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'sha256-"),
        "{policy}"
    );
    for allowed in ["http", "unsafe", "*", "connect-src", "'self'"] {
        assert!(!policy.contains(allowed), "{policy}");
    }
    let markup = without_assets(&page);
    for word in [
        " src=",
        "<link rel=\"stylesheet",
        "@import",
        " onclick",
        " style=",
    ] {
        assert!(!markup.contains(word), "{word}");
    }
    assert!(!between(&page, "<style>", "</style>").contains("url("));
}

#[test]
fn without_scripts_the_page_shows_verdict_scenarios_and_failures() {
    let page = page(sample_run());
    let list = between(&page, "<ol class=\"scenarios\"", "</ol>");
    assert!(between(&page, "<h1", "</h1>").contains("Of 5 scenarios, 1 failed, 1 broke, 1 warned"));
    assert!(page.contains("3 scenarios not run"));
    assert!(list.contains("status: expected not 2xx, observed 200 (and 2 more)"));
    // Gravest first.
    let places = ["failed", "broken", "warned", "not checked", "passed"]
        .map(|word| list.find(&format!("<span class=\"verdict\">{word}</span>")));
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?}"
    );
}

#[test]
fn the_head_summarises_snapshots_and_a_scenario_shows_its_difference() {
    let difference =
        "--- reviewed\n+++ this run\n@@ -1 +1 @@\n-answered 200\n+answered <b>500</b>\n";
    let page = page(with_snapshots(difference));
    let head = between(&page, "<header", "</header>");
    assert!(head.contains("2 snapshots in snapshots: 1 unchanged, 1 different"));
    assert!(head.contains("no scenario uses these snapshots; --delete-unreferenced"));
    assert!(head.contains("snapshots/&#60;old&#62;.snap"), "{head}");
    let compared = |scenario| {
        let mut events = data(&page, scenario).into_iter();
        events.find(|event| event["event"] == "snapshot_compared")
    };
    let second = compared(2).expect("compared");
    assert_eq!(second["difference"], difference);
    assert_eq!(compared(1).expect("compared")["outcome"], "as_reviewed");
    assert_eq!(compared(3), None);
}

#[test]
fn a_page_of_two_thousand_scenarios_with_long_responses_stays_below_20_mb() {
    let page = page(long_run(2000, 40_000));
    println!("2,000 scenarios: {} KB", page.len() / 1000);
    assert!(page.len() < 20_000_000, "{} bytes", page.len());
    let bodies =
        [1, 1500].map(|scenario| data(&page, scenario)[1]["answer"]["response"]["body"].clone());
    for body in &bodies {
        assert_eq!(body["truncated"], true);
        assert_eq!(body["length"], 40_000);
    }
    assert_eq!(bodies[0]["text"].as_str().map(str::len), Some(16 << 10));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn external_text_adds_no_markup(
        text in "(?s)(.{0,20}(</?script>?|<!--|-->|\"|'|&|</details>|<img src=x>|]]>|\u{2028}|\\{\\{|\\\\)){0,4}.{0,20}"
    ) {
        let plain = page(run_with("plain"));
        let hostile = page(run_with(&text));
        for name in ["script", "style", "title", "details", "img", "li", "a ", "p", "!--"] {
            prop_assert_eq!(tags(&hostile, name), tags(&plain, name), "{}", name);
        }
        for scenario in 1..=5 {
            data(&hostile, scenario);
        }
        let first = &data(&hostile, 2)[1];
        prop_assert_eq!(first["answer"]["response"]["body"]["text"].as_str(), Some(text.as_str()));
    }
}

#[test]
fn hostile_text_adds_no_markup() {
    let (plain, hostile) = (page(run_with("plain")), page(run_with(HOSTILE)));
    for name in ["script", "img", "svg", "details"] {
        assert_eq!(tags(&hostile, name), tags(&plain, name), "{name}");
    }
}
