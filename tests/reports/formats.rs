//! Each report format for the sample run, compared with a reviewed snapshot and validated against
//! its schema.

use crate::report_text::{report_text, report_text_keeping};
use crate::sample_run::{failures_alike, many_failures, sample_run};
use crate::schemas::{validate_har, validate_junit};
use aghook::internals::report::{Detail, KeptAttempts, ReportKind, TerminalFormat};

const VERBOSE: ReportKind = ReportKind::Terminal(TerminalFormat {
    detail: Detail::Verbose,
    width: None,
});

#[test]
fn junit() {
    let xml = report_text(ReportKind::Junit, sample_run());
    validate_junit(&xml);
    insta::assert_snapshot!(xml);
}

#[test]
fn markdown() {
    let markdown = report_text(ReportKind::Markdown, sample_run());
    // Text from the receiver appears only in code blocks, so it can't become markup.
    let mut block: Option<&str> = None;
    for line in markdown.lines() {
        let fence = line.trim_end_matches(|character| character != '`');
        match block {
            Some(open) if line == open => block = None,
            Some(_) => {}
            None if fence.starts_with("```") => block = Some(fence),
            None => assert!(!line.contains("<script>"), "{line}"),
        }
    }
    assert_eq!(block, None, "an unclosed code block");
    assert_eq!(markdown.matches("\n</details>\n").count(), 3);
    insta::assert_snapshot!(markdown);
}

#[test]
fn markdown_of_many_failures_stays_below_the_limit_of_github() {
    let markdown = report_text(ReportKind::Markdown, many_failures(2000));
    assert!(markdown.len() < 1024 * 1024, "{} bytes", markdown.len());
    for note in ["\n… and ", "more scenarios\n", "\nThe details of "] {
        assert!(markdown.contains(note), "{note}");
    }
}

#[test]
fn har() {
    let json = report_text(ReportKind::Har, sample_run());
    validate_har(&json);
    insta::assert_snapshot!(json);
}

#[test]
fn annotations() {
    let lines = report_text(ReportKind::Annotations, sample_run());
    for line in lines.lines() {
        assert!(
            line.starts_with("::error ") || line.starts_with("::warning "),
            "{line}"
        );
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn the_terminal_report_contains_no_control_characters_from_a_receiver() {
    let text = report_text(VERBOSE, sample_run());
    let text = anstream::adapter::strip_str(&text).to_string();
    assert!(!text.contains(['\u{1b}', '\u{0}', '\u{7}', '\u{202e}']));
    insta::assert_snapshot!(text);
}

#[test]
fn what_the_record_keeps_for_other_reports_does_not_change_a_report() {
    for kind in [
        VERBOSE,
        ReportKind::Junit,
        ReportKind::Html,
        ReportKind::Markdown,
        ReportKind::Annotations,
    ] {
        for events in [
            sample_run(),
            many_failures(3).collect(),
            failures_alike(4, 25),
        ] {
            let own = report_text(kind, events.clone());
            let whole = report_text_keeping(KeptAttempts::Whole, kind, events);
            assert_eq!(own, whole, "{kind:?}");
        }
    }
}

#[test]
fn no_report_loses_a_failed_check() {
    for kind in [
        VERBOSE,
        ReportKind::Html,
        ReportKind::Markdown,
        ReportKind::Annotations,
        ReportKind::Junit,
        ReportKind::Json,
    ] {
        let text = report_text(kind, failures_alike(4, 2));
        for (scenario, number) in (1..=4).flat_map(|scenario| [(scenario, 1), (scenario, 2)]) {
            let own = format!("own failure {scenario}-{number}");
            assert!(text.contains(&own), "{kind:?}: {own}");
        }
        // What all of them have in common is reported once for people, and each time for programs.
        let is_grouped = text.contains("4 checks failed");
        let for_programs = matches!(kind, ReportKind::Junit | ReportKind::Json);
        assert_eq!(is_grouped, !for_programs, "{kind:?}");
    }
    let junit = report_text(ReportKind::Junit, failures_alike(4, 2));
    assert_eq!(junit.matches("observed  500").count(), 4, "{junit}");
    // A check that a common problem reports is still a failed check of its scenario.
    let page = report_text(ReportKind::Html, failures_alike(4, 2));
    assert_eq!(page.matches("<p class=\"check failed\">").count(), 12);
    assert_eq!(
        page.matches("\"subject\":\"status\",\"verdict\":\"failed\"")
            .count(),
        4
    );
}

#[test]
fn the_page_counts_the_failed_checks_that_it_does_not_list_without_scripts() {
    let page = report_text(ReportKind::Html, failures_alike(1, 24));
    let (list, _) = page.split_once("<script").expect("a script");
    assert_eq!(list.matches("<p class=\"check failed\">").count(), 20);
    assert!(list.contains("and 5 more problems"));
}
