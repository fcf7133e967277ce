//! Every kind of report: of a small run made up here, against its reviewed snapshot and its
//! format's schema; and of the program's own runs.

use crate::sample_run::{many_failures, sample_run};
use crate::schemas::{validate_har, validate_junit};
use aghook::report::{Annotations, Detail, HarReport, JunitReport, MarkdownReport};
use aghook::report::{Report, TerminalReport};

/// What a report writes of the sample run.
fn written<W, R: Report>(new: impl FnOnce(W) -> R, out: W) {
    let mut report = new(out);
    for event in sample_run() {
        report.observe(&event).expect("memory can be written to");
    }
}

/// What a report writes of the sample run, as text.
macro_rules! written {
    ($new:expr) => {{
        let mut out = Vec::new();
        written($new, &mut out);
        String::from_utf8(out).expect("UTF-8")
    }};
}

#[test]
fn junit() {
    let xml = written!(JunitReport::new);
    validate_junit(&xml);
    insta::assert_snapshot!(xml);
}

#[test]
fn markdown() {
    let markdown = written!(MarkdownReport::new);
    // What the receiver sent stands in blocks of code and nowhere else, so nothing of it is markup.
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
    assert_eq!(block, None, "a block is open at the end");
    assert_eq!(markdown.matches("\n</details>\n").count(), 3);
    insta::assert_snapshot!(markdown);
}

#[test]
fn markdown_of_many_failures_stays_a_page_that_github_shows() {
    let mut out = Vec::new();
    let mut report = MarkdownReport::new(&mut out);
    for event in many_failures(2000) {
        report.observe(&event).expect("memory can be written to");
    }
    assert!(out.len() < 1024 * 1024, "{} bytes", out.len());
    let markdown = String::from_utf8(out).expect("UTF-8");
    for note in ["\n… and ", "more scenarios\n", "\nThe details of "] {
        assert!(markdown.contains(note), "{note}");
    }
}

#[test]
fn har() {
    let json = written!(HarReport::new);
    validate_har(&json);
    insta::assert_snapshot!(json);
}

#[test]
fn annotations() {
    let lines = written!(Annotations::new);
    for line in lines.lines() {
        assert!(
            line.starts_with("::error ") || line.starts_with("::warning "),
            "{line}"
        );
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn the_terminal_report_takes_no_orders_from_a_receiver() {
    let text = written!(|out| TerminalReport::new(out, Detail::Verbose));
    let text = anstream::adapter::strip_str(&text).to_string();
    assert!(!text.contains(['\u{1b}', '\u{0}', '\u{7}', '\u{202e}']));
    insta::assert_snapshot!(text);
}
