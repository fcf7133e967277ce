//! Each report format for the sample run, compared with a reviewed snapshot and validated against
//! its schema.

use crate::sample_run::{many_failures, sample_run};
use crate::schemas::{validate_har, validate_junit};
use aghook::report::{Annotations, Detail, HarReport, JunitReport, MarkdownReport};
use aghook::report::{Report, TerminalReport};

/// Writes a report of the sample run.
fn written<W, R: Report>(new: impl FnOnce(W) -> R, out: W) {
    let mut report = new(out);
    for event in sample_run() {
        report.observe(&event).expect("memory can be written to");
    }
}

/// The text of a report of the sample run.
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
fn the_terminal_report_contains_no_control_characters_from_a_receiver() {
    let text = written!(|out| TerminalReport::new(out, Detail::Verbose));
    let text = anstream::adapter::strip_str(&text).to_string();
    assert!(!text.contains(['\u{1b}', '\u{0}', '\u{7}', '\u{202e}']));
    insta::assert_snapshot!(text);
}
