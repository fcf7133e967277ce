//! Lines that fit a terminal: long lines are broken and indented further.

use std::io::{self, Write};

const TEXT_WIDTH: usize = 96;
/// The minimum width of lines; a narrower terminal breaks them itself.
const NARROWEST: usize = 40;

/// A terminal or a file that lines are written to. Styles have no width.
pub(crate) struct TextOutput<'out> {
    out: &'out mut dyn Write,
    /// `None` for files and pipes: lines are not broken.
    width: Option<usize>,
}

impl<'out> TextOutput<'out> {
    pub(crate) fn new(out: &'out mut dyn Write, width: Option<usize>) -> Self {
        let width = width.map(|width| width.max(NARROWEST));
        Self { out, width }
    }

    /// Writes a line that starts at a column; its continuation lines are indented by two more.
    pub(crate) fn line(&mut self, column: usize, text: &str) -> io::Result<()> {
        self.wrapped(column, column + 2, text, self.width)
    }

    /// Writes a line that starts with a label of this width; its continuation lines are aligned with
    /// the text after it.
    pub(crate) fn labelled(&mut self, column: usize, label: usize, text: &str) -> io::Result<()> {
        self.wrapped(column, column + label, text, self.width)
    }

    /// Writes a line followed by facts, which get a separate line if there is no room.
    pub(super) fn line_with_facts(
        &mut self,
        column: usize,
        text: &str,
        facts: &str,
    ) -> io::Result<()> {
        let whole = format!("{text}  {facts}");
        if self.width.is_none_or(|width| fits(column, &whole, width)) {
            return self.line(column, &whole);
        }
        self.line(column, text)?;
        self.labelled(column + 2, 0, facts)
    }

    /// Writes running text, broken for reading even if lines may have any length.
    pub(super) fn prose(&mut self, column: usize, label: usize, text: &str) -> io::Result<()> {
        let width = self.width.unwrap_or(TEXT_WIDTH).min(TEXT_WIDTH);
        self.wrapped(column, column + label, text, Some(width))
    }

    pub(crate) fn whole_line(&mut self, column: usize, text: &str) -> io::Result<()> {
        self.wrapped(column, column, text, None)
    }

    pub(crate) fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// The text that `write` writes, laid out like this output.
    pub(super) fn drafted(
        &self,
        write: impl FnOnce(&mut TextOutput<'_>) -> io::Result<()>,
    ) -> io::Result<String> {
        let mut text = Vec::new();
        let width = self.width;
        write(&mut TextOutput {
            out: &mut text,
            width,
        })?;
        String::from_utf8(text).map_err(io::Error::other)
    }

    pub(super) fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn wrapped(
        &mut self,
        first: usize,
        further: usize,
        text: &str,
        width: Option<usize>,
    ) -> io::Result<()> {
        let indent = " ".repeat(first);
        let Some(width) = width.filter(|width| !fits(first, text, *width)) else {
            return writeln!(self.out, "{indent}{text}");
        };
        let further = " ".repeat(further);
        // Break only at spaces, so that addresses and header names stay whole.
        let options = textwrap::Options::new(width)
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .initial_indent(&indent)
            .subsequent_indent(&further);
        let mut lines = textwrap::wrap(text, options).into_iter();
        lines.try_for_each(|line| writeln!(self.out, "{line}"))
    }
}

fn fits(column: usize, text: &str, width: usize) -> bool {
    column + textwrap::core::display_width(text) <= width
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(width: Option<usize>, column: usize, text: &str) -> String {
        let mut out = Vec::new();
        let mut output = TextOutput::new(&mut out, width);
        output.line(column, text).expect("written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_long_line_is_broken_and_indented_and_a_short_one_is_unchanged() {
        let text = "one  two three four five six seven eight nine ten";
        assert_eq!(written(Some(40), 2, "one  two"), "  one  two\n");
        assert_eq!(
            written(Some(40), 2, text),
            "  one  two three four five six seven\n    eight nine ten\n"
        );
        assert_eq!(written(None, 2, text), format!("  {text}\n"));
    }

    #[test]
    fn styles_have_no_width_and_wide_letters_have_two_columns() {
        let styled = format!("\u{1b}[31m{}\u{1b}[0m", "x".repeat(38));
        assert_eq!(written(Some(40), 2, &styled), format!("  {styled}\n"));
        let wide = "水 ".repeat(20);
        let lines = written(Some(40), 0, wide.trim());
        assert_eq!(lines.lines().count(), 2, "{lines}");
    }
}
