//! Colours and marks. Marks differ in shape too, so that colours carry nothing alone.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use crate::harness::Verdict;

/// For what is there to be looked up, not read.
pub(in crate::report) const DIM: Style = Style::new().dimmed();

/// `text` in a style.
pub(in crate::report) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A verdict's word in its colour.
pub(super) fn paint_verdict(verdict: Verdict) -> String {
    paint(style_of(verdict), verdict)
}

/// A verdict's mark in its colour.
pub(in crate::report) fn mark(verdict: Verdict) -> String {
    let mark = match verdict {
        Verdict::Passed => '✓',
        Verdict::NotChecked => '?',
        Verdict::Warned => '!',
        Verdict::Broken => '‼',
        Verdict::Failed => '✗',
    };
    paint(style_of(verdict), mark)
}

fn style_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Passed => AnsiColor::Green.on_default(),
        Verdict::NotChecked => AnsiColor::Cyan.on_default(),
        Verdict::Warned => AnsiColor::Yellow.on_default(),
        Verdict::Broken => AnsiColor::Magenta.on_default().bold(),
        Verdict::Failed => AnsiColor::Red.on_default().bold(),
    }
}
