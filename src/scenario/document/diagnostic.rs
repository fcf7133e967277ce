//! What is wrong in a file, where, and what to do: shown with the source line and an arrow.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};

use super::{SourceFile, Span};

/// One thing that is wrong in a file.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    file: Arc<str>,
    place: Option<Place>,
}

/// A place in a file's text.
#[derive(Debug, Clone)]
struct Place {
    source: SourceFile,
    span: Span,
}

impl Diagnostic {
    /// A problem of a file as a whole.
    pub fn of_file(
        file: impl Into<Arc<str>>,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Self {
        Self {
            message: message.into(),
            help,
            file: file.into(),
            place: None,
        }
    }

    /// A problem at a place of a file.
    pub fn at(
        source: &SourceFile,
        span: Span,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Self {
        let file = Arc::clone(&source.name);
        let place = Some(Place {
            source: source.clone(),
            span,
        });
        Self {
            message: message.into(),
            help,
            file,
            place,
        }
    }

    /// The file's name, with line and column where they are known: `suite/a.yaml:3:5`.
    pub fn location(&self) -> String {
        match &self.place {
            Some(Place { source, span }) => {
                let (line, column) = source.line_and_column(span.start);
                format!("{}:{line}:{column}", self.file)
            }
            None => self.file.to_string(),
        }
    }

    /// Where its place begins, in bytes; 0 of a file as a whole.
    fn start(&self) -> usize {
        self.place.as_ref().map_or(0, |place| place.span.start)
    }
}

impl miette::Diagnostic for Diagnostic {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|place| place as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.place.as_ref()?.shown_span();
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(
            None, span,
        ))))
    }
}

/// The longest line, in bytes, that is shown whole; of a longer one only the surroundings are.
const LINE_LIMIT: usize = 240;
/// How much of a long line is shown before the place, and at most from it on.
const SURROUNDINGS: (usize, usize) = (40, 50);

impl Place {
    /// The line of the place: where it begins and ends, without its newline.
    fn line(&self) -> (usize, usize) {
        let text = &self.source.text;
        let start = text.floor_char_boundary(self.span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..]
            .find('\n')
            .map_or(text.len(), |newline| start + newline);
        (line_start, line_end)
    }

    /// The part of a long line that is shown; nothing where lines are shown whole.
    fn window(&self) -> Option<(usize, usize)> {
        let (line_start, line_end) = self.line();
        if line_end - line_start <= LINE_LIMIT {
            return None;
        }
        let text = &self.source.text;
        let (before, after) = SURROUNDINGS;
        let start = text.floor_char_boundary(self.span.start.saturating_sub(before));
        let end = text.floor_char_boundary((self.span.start + after).min(text.len()));
        Some((start.max(line_start), end.min(line_end)))
    }

    /// The same place in a text that can be shown.
    fn without_controls(&self) -> Self {
        Self {
            source: SourceFile::new(
                without_controls(&self.source.name),
                without_controls(&self.source.text),
            ),
            span: self.span,
        }
    }

    /// What the arrow points at, within what is shown.
    fn shown_span(&self) -> SourceSpan {
        let Span { start, length } = self.span;
        let length = match self.window() {
            Some((_, end)) => length.min(end.saturating_sub(start)),
            None => length,
        };
        (start, length).into()
    }
}

impl SourceCode for Place {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, miette::MietteError> {
        let text = self.source.text.as_ref();
        let contents = text.read_span(span, lines_before, lines_after)?;
        let named = |data, span, line, column| {
            let name = self.source.name.to_string();
            let lines = contents.line_count();
            MietteSpanContents::new_named(name, data, span, line, column, lines)
        };
        let (line, column) = self.source.line_and_column(span.offset());
        if lines_before == 0 && lines_after == 0 {
            // Asked for the place itself, whose column people count in characters.
            let (data, span) = (contents.data(), *contents.span());
            return Ok(Box::new(named(data, span, line - 1, column - 1)));
        }
        let mut lines = contents.data().split(|byte| *byte == b'\n');
        // A long line beside the place is not worth a screen.
        let alone = || {
            lines
                .any(|line| line.len() > LINE_LIMIT)
                .then(|| self.line())
        };
        let Some((start, end)) = self.window().or_else(alone) else {
            let (data, span) = (contents.data(), *contents.span());
            return Ok(Box::new(named(data, span, contents.line(), 0)));
        };
        let part = &text.as_bytes()[start..end];
        Ok(Box::new(named(
            part,
            (start, part.len()).into(),
            line - 1,
            0,
        )))
    }
}

/// A text that can't steer the terminal: control characters other than newlines and tabs become
/// question marks, one a byte, so that all places stay where they are.
fn without_controls(text: &str) -> String {
    let steers = |character: char| character.is_control() && !"\n\r\t".contains(character);
    text.chars()
        .map(|character| match character {
            _ if steers(character) => "?".repeat(character.len_utf8()),
            _ => character.to_string(),
        })
        .collect()
}

/// How many mistakes of one file are shown.
const MISTAKE_LIMIT: usize = 20;

/// All that is wrong, in the order of the files and their lines.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Nothing when there is nothing wrong, so that `?` can be used.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// What is wrong in the one file `name`, in the order of its places: each mistake once, and at
    /// most as many as a person works on at a time.
    #[must_use]
    pub fn of_one_file(mut self, name: &Arc<str>) -> Self {
        let mut seen = BTreeSet::new();
        self.0
            .retain(|problem| seen.insert((problem.start(), problem.message.clone())));
        self.0.sort_by_key(Diagnostic::start);
        let more = self.0.len().saturating_sub(MISTAKE_LIMIT);
        if more > 0 {
            self.0.truncate(MISTAKE_LIMIT);
            let message = format!("there are more mistakes in this file: {more} are not shown");
            let help = "put these right first".to_owned();
            self.0
                .push(Diagnostic::of_file(Arc::clone(name), message, Some(help)));
        }
        self
    }

    /// All of it as text for a terminal, `width` columns wide.
    pub fn render(&self, color: bool, width: usize) -> String {
        let theme = if color {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(width)
            .with_context_lines(1);
        let mut text = String::new();
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            let place = match &diagnostic.place {
                Some(_) => String::new(),
                None => format!("{}: ", diagnostic.file),
            };
            let shown = Diagnostic {
                message: without_controls(&format!("{place}{diagnostic}")),
                help: diagnostic.help.as_deref().map(without_controls),
                file: without_controls(&diagnostic.file).into(),
                place: diagnostic.place.as_ref().map(Place::without_controls),
            };
            // Writing into a string cannot fail; the plain text stands in if the renderer does.
            if handler.render_report(&mut text, &shown).is_err() {
                text = format!("{text}{}: {diagnostic}\n", diagnostic.location());
            }
        }
        text
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, more: I) {
        self.0.extend(more);
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(
                formatter,
                "{separator}{}: {diagnostic}",
                diagnostic.location()
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
