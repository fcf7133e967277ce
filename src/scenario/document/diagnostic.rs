//! Messages about mistakes in files, shown with the source line and an arrow.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};

use super::{SourceFile, Span};

/// A mistake in a file.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub help: Option<String>,
    file: Arc<str>,
    location: Option<SourceLocation>,
}

/// A span of a file's text.
#[derive(Debug, Clone)]
struct SourceLocation {
    source: SourceFile,
    span: Span,
}

impl Diagnostic {
    /// Creates a diagnostic about a file as a whole.
    pub fn for_file(
        file: impl Into<Arc<str>>,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Self {
        Self {
            message: message.into(),
            help,
            file: file.into(),
            location: None,
        }
    }

    /// Creates a diagnostic about a span of a file.
    pub fn at(
        source: &SourceFile,
        span: Span,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Self {
        let file = Arc::clone(&source.name);
        let location = Some(SourceLocation {
            source: source.clone(),
            span,
        });
        Self {
            message: message.into(),
            help,
            file,
            location,
        }
    }

    /// The file's name, with line and column if known: `suite/a.yaml:3:5`.
    pub fn location(&self) -> String {
        match &self.location {
            Some(SourceLocation { source, span }) => {
                let (line, column) = source.line_and_column(span.start);
                format!("{}:{line}:{column}", self.file)
            }
            None => self.file.to_string(),
        }
    }

    /// The offset that the diagnostic points at; 0 for a file as a whole.
    fn start(&self) -> usize {
        self.location
            .as_ref()
            .map_or(0, |location| location.span.start)
    }
}

impl miette::Diagnostic for Diagnostic {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.location
            .as_ref()
            .map(|location| location as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.location.as_ref()?.shown_span();
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(
            None, span,
        ))))
    }
}

/// The length, in bytes, from which a line is shown only in part.
const LINE_LIMIT: usize = 240;
/// How many bytes of a long line are shown before the start of the span, and after it.
const CONTEXT: (usize, usize) = (40, 50);

impl SourceLocation {
    /// The byte range of the line, without its newline.
    fn line(&self) -> (usize, usize) {
        let text = &self.source.text;
        let start = text.floor_char_boundary(self.span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..]
            .find('\n')
            .map_or(text.len(), |newline| start + newline);
        (line_start, line_end)
    }

    /// The part of a long line to show; `None` if the line is shown whole.
    fn window(&self) -> Option<(usize, usize)> {
        let (line_start, line_end) = self.line();
        if line_end - line_start <= LINE_LIMIT {
            return None;
        }
        let text = &self.source.text;
        let (before, after) = CONTEXT;
        let start = text.floor_char_boundary(self.span.start.saturating_sub(before));
        let end = text.floor_char_boundary((self.span.start + after).min(text.len()));
        Some((start.max(line_start), end.min(line_end)))
    }

    /// The same location in a text that is safe to print.
    fn without_controls(&self) -> Self {
        Self {
            source: SourceFile::new(
                without_controls(&self.source.name),
                without_controls(&self.source.text),
            ),
            span: self.span,
        }
    }

    /// The span that the arrow points at, cut to the part that is shown.
    fn shown_span(&self) -> SourceSpan {
        let Span { start, length } = self.span;
        let length = match self.window() {
            Some((_, end)) => length.min(end.saturating_sub(start)),
            None => length,
        };
        (start, length).into()
    }
}

impl SourceCode for SourceLocation {
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
            // The request is for the span itself. Its column counts characters, not bytes.
            let (data, span) = (contents.data(), *contents.span());
            return Ok(Box::new(named(data, span, line - 1, column - 1)));
        }
        let mut lines = contents.data().split(|byte| *byte == b'\n');
        // Show the line alone if a line next to it is long.
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

/// Makes a text safe to print on a terminal: replaces each byte of a control character, except for
/// newlines and tabs, with a question mark. Byte offsets stay the same.
fn without_controls(text: &str) -> String {
    let is_unsafe = |character: char| character.is_control() && !"\n\r\t".contains(character);
    text.chars()
        .map(|character| match character {
            _ if is_unsafe(character) => "?".repeat(character.len_utf8()),
            _ => character.to_string(),
        })
        .collect()
}

/// The maximum number of mistakes shown for one file.
const MISTAKE_LIMIT: usize = 20;

/// All mistakes, in the order of the files and their lines.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Returns an error if there are any diagnostics, for use with `?`.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Sorts the mistakes of the file `name` by position, removes repetitions, and limits their
    /// number to what a person can work on at a time.
    #[must_use]
    pub fn sorted_and_limited(mut self, name: &Arc<str>) -> Self {
        let mut seen = BTreeSet::new();
        self.0
            .retain(|problem| seen.insert((problem.start(), problem.message.clone())));
        self.0.sort_by_key(Diagnostic::start);
        let more = self.0.len().saturating_sub(MISTAKE_LIMIT);
        if more > 0 {
            self.0.truncate(MISTAKE_LIMIT);
            let message = format!("more mistakes in this file: {more} not shown");
            let help = "fix these first".to_owned();
            self.0
                .push(Diagnostic::for_file(Arc::clone(name), message, Some(help)));
        }
        self
    }

    /// Renders the diagnostics as text for a terminal, `width` columns wide.
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
            let prefix = match &diagnostic.location {
                Some(_) => String::new(),
                None => format!("{}: ", diagnostic.file),
            };
            let shown = Diagnostic {
                message: without_controls(&format!("{prefix}{diagnostic}")),
                help: diagnostic.help.as_deref().map(without_controls),
                file: without_controls(&diagnostic.file).into(),
                location: diagnostic
                    .location
                    .as_ref()
                    .map(SourceLocation::without_controls),
            };
            // Writing to a string can't fail. If the renderer does, fall back to plain text.
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
