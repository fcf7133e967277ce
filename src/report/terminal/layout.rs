//! Lines that fit a terminal: what is too long goes on below, further in.

use std::io::{self, Write};

/// How wide running text is set where there is room.
const TEXT_WIDTH: usize = 96;
/// The narrowest that lines are made for; on less, the terminal breaks them itself.
const NARROWEST: usize = 40;

/// How wide lines may be, in columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    /// Where nobody says, as in a file or a pipe, lines are as long as they are.
    width: Option<usize>,
}

/// Where a line stands: its first column, and that of what goes on below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    pub(super) first: usize,
    pub(super) further: usize,
}

impl Columns {
    /// A line that begins at this column and goes on a little further in.
    pub(super) fn at(first: usize) -> Self {
        let further = first + 2;
        Self { first, further }
    }

    /// A line that goes on where its text begins, behind a label of so many columns.
    pub(super) fn labelled(first: usize, label: usize) -> Self {
        let further = first + label;
        Self { first, further }
    }

    /// Running text, all of whose lines begin at the same column.
    pub(super) fn even(first: usize) -> Self {
        let further = first;
        Self { first, further }
    }
}

impl Layout {
    /// Lines of at most `width` columns.
    pub(super) fn of_width(width: usize) -> Self {
        Self {
            width: Some(width.max(NARROWEST)),
        }
    }

    /// Writes a line, on several where it is too long. Styles are of no width.
    pub(super) fn line(self, out: &mut impl Write, at: Columns, text: &str) -> io::Result<()> {
        wrapped(out, at, text, self.width)
    }

    /// Writes a line with facts behind it, which stand on a line of their own where there is no room.
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

    /// Writes running text, which is set for reading even where a line may have any length.
    pub(super) fn prose(self, out: &mut impl Write, at: Columns, text: &str) -> io::Result<()> {
        let width = self.width.unwrap_or(TEXT_WIDTH).min(TEXT_WIDTH);
        wrapped(out, at, text, Some(width))
    }
}

/// Writes a line of at most `width` columns, if there is a limit, and goes on below.
fn wrapped(out: &mut impl Write, at: Columns, text: &str, width: Option<usize>) -> io::Result<()> {
    let indent = " ".repeat(at.first);
    let Some(width) = width.filter(|width| !fits(at, text, *width)) else {
        return writeln!(out, "{indent}{text}");
    };
    let further = " ".repeat(at.further);
    // Only between words: an address or a header's name is one thing.
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

/// Whether a line is no wider than this. Styles are of no width.
fn fits(at: Columns, text: &str, width: usize) -> bool {
    at.first + textwrap::core::display_width(text) <= width
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(layout: Layout, at: Columns, text: &str) -> String {
        let mut out = Vec::new();
        layout.line(&mut out, at, text).expect("written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_long_line_goes_on_further_in_and_a_short_one_stays_as_it_is() {
        let text = "one  two three four five six seven eight nine ten";
        let narrow = Layout::of_width(40);
        assert_eq!(written(narrow, Columns::at(2), "one  two"), "  one  two\n");
        assert_eq!(
            written(narrow, Columns::at(2), text),
            "  one  two three four five six seven\n    eight nine ten\n"
        );
        assert_eq!(
            written(Layout::default(), Columns::at(2), text),
            format!("  {text}\n")
        );
    }

    #[test]
    fn styles_have_no_width_and_wide_letters_have_two_columns() {
        let styled = format!("\u{1b}[31m{}\u{1b}[0m", "x".repeat(38));
        assert_eq!(
            written(Layout::of_width(40), Columns::at(2), &styled),
            format!("  {styled}\n")
        );
        let wide = "水 ".repeat(20);
        let lines = written(Layout::of_width(40), Columns::at(0), wide.trim());
        assert_eq!(lines.lines().count(), 2, "{lines}");
    }
}
