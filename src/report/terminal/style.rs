//! Colors.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use crate::verify::Verdict;

pub(crate) const DIM: Style = Style::new().dimmed();

pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

pub(super) fn paint_verdict(verdict: Verdict) -> String {
    paint(style_of(verdict), verdict)
}

pub(crate) fn mark(verdict: Verdict) -> String {
    paint(style_of(verdict), verdict.mark())
}

pub(crate) fn style_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Passed => AnsiColor::Green.on_default(),
        Verdict::NotChecked => AnsiColor::Cyan.on_default(),
        Verdict::Warned => AnsiColor::Yellow.on_default(),
        Verdict::Broken => AnsiColor::Magenta.on_default().bold(),
        Verdict::Failed => AnsiColor::Red.on_default().bold(),
    }
}
