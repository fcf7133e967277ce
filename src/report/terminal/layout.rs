//! Lines that fit a terminal: long lines are broken and indented further.

use std::io::{self, Write};

/// The maximum width of running text.
const TEXT_WIDTH: usize = 96;
/// The minimum width of lines; a narrower terminal breaks them itself.
const NARROWEST: usize = 40;

/// The width of lines, in columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TextLayout {
    /// `None` for files and pipes: lines are not broken.
    width: Option<usize>,
}

/// The first column of a line and of its continuation lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    pub(super) first: usize,
    pub(super) further: usize,
}

impl Columns {
    /// A line that starts at this column, with continuation lines indented by two more.
    pub(super) fn at(first: usize) -> Self {
        let further = first + 2;
        Self { first, further }
    }

    /// A line with a label of this width; continuation lines are aligned with the text after it.
    pub(super) fn labelled(first: usize, label: usize) -> Self {
        let further = first + label;
        Self { first, further }
    }

    /// Running text: all lines start at the same column.
    pub(super) fn even(first: usize) -> Self {
        let further = first;
        Self { first, further }
    }
}

impl TextLayout {
    /// Lines of at most `width` columns.
    pub(super) fn of_width(width: usize) -> Self {
        Self {
            width: Some(width.max(NARROWEST)),
        }
    }

    /// Writes a line, broken if it is too long. Styles have no width.
    pub(super) fn line(self, out: &mut impl Write, at: Columns, text: &str) -> io::Result<()> {
        wrapped(out, at, text, self.width)
    }

    /// Writes a line followed by facts, which get a separate line if there is no room.
    pub(super) fn line_with_facts(
        self,
        out: &mut impl Write,
        at: Columns,
        text: &str,
        facts: &str,
    ) -> io::Result<()> {
        let whole = format!("{text}  {facts}");
        if self.width.is_none_or(|width| fits(at, &whole, width)) {
            return self.line(out, at, &whole);
        }
        self.line(out, at, text)?;
        self.line(out, Columns::even(at.further), facts)
    }

    /// Writes running text, broken for reading even if lines may have any length.
    pub(super) fn prose(self, out: &mut impl Write, at: Columns, text: &str) -> io::Result<()> {
        let width = self.width.unwrap_or(TEXT_WIDTH).min(TEXT_WIDTH);
        wrapped(out, at, text, Some(width))
    }
}

/// Writes a line, broken at `width` columns if there is a limit.
fn wrapped(out: &mut impl Write, at: Columns, text: &str, width: Option<usize>) -> io::Result<()> {
    let indent = " ".repeat(at.first);
    let Some(width) = width.filter(|width| !fits(at, text, *width)) else {
        return writeln!(out, "{indent}{text}");
    };
    let further = " ".repeat(at.further);
    // Break only at spaces, so that addresses and header names stay whole.
    let options = textwrap::Options::new(width)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .initial_indent(&indent)
        .subsequent_indent(&further);
    for line in textwrap::wrap(text, options) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Whether a line fits this width. Styles have no width.
fn fits(at: Columns, text: &str, width: usize) -> bool {
    at.first + textwrap::core::display_width(text) <= width
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(layout: TextLayout, at: Columns, text: &str) -> String {
        let mut out = Vec::new();
        layout.line(&mut out, at, text).expect("written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_long_line_is_broken_and_indented_and_a_short_one_is_unchanged() {
        let text = "one  two three four five six seven eight nine ten";
        let narrow = TextLayout::of_width(40);
        assert_eq!(written(narrow, Columns::at(2), "one  two"), "  one  two\n");
        assert_eq!(
            written(narrow, Columns::at(2), text),
            "  one  two three four five six seven\n    eight nine ten\n"
        );
        assert_eq!(
            written(TextLayout::default(), Columns::at(2), text),
            format!("  {text}\n")
        );
    }

    #[test]
    fn styles_have_no_width_and_wide_letters_have_two_columns() {
        let styled = format!("\u{1b}[31m{}\u{1b}[0m", "x".repeat(38));
        assert_eq!(
            written(TextLayout::of_width(40), Columns::at(2), &styled),
            format!("  {styled}\n")
        );
        let wide = "水 ".repeat(20);
        let lines = written(TextLayout::of_width(40), Columns::at(0), wide.trim());
        assert_eq!(lines.lines().count(), 2, "{lines}");
    }
}
