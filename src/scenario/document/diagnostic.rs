//! What is wrong in a file, where, and what to do: shown with the source line and an arrow.

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
        let Span { start, length } = self.place.as_ref()?.span;
        Some(Box::new(std::iter::once(LabeledSpan::new(
            None, start, length,
        ))))
    }
}

impl SourceCode for Place {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, miette::MietteError> {
        let contents = self
            .source
            .text
            .as_ref()
            .read_span(span, lines_before, lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.source.name.to_string(),
            contents.data(),
            *contents.span(),
            contents.line(),
            contents.column(),
            contents.line_count(),
        )))
    }
}

/// All that is wrong, in the order of the files and their lines.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Nothing when there is nothing wrong, so that `?` can be used.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
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
        for diagnostic in &self.0 {
            let place = match &diagnostic.place {
                Some(_) => String::new(),
                None => format!("{}: ", diagnostic.file),
            };
            let shown = Diagnostic {
                message: format!("{place}{diagnostic}"),
                ..diagnostic.clone()
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
