//! Messages about mistakes in files, shown like the Rust compiler's: with the source line underlined.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str,
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

    /// The diagnostic for the renderer, whose lines are at most `width` columns wide.
    fn report(&self, width: usize) -> Group<'static> {
        let title = match &self.location {
            Some(_) => printable(&self.message),
            None => printable(&format!("{}: {self}", self.file)),
        };
        let snippet = self.location.iter().map(|place| place.snippet(width));
        let help = self.help.iter().map(|help| printable(help));
        Level::ERROR
            .primary_title(title)
            .elements(snippet)
            .elements(help.map(|help| Level::HELP.message(help)))
    }
}

impl SourceLocation {
    /// The lines to show: the line of the span, one before and one after. The renderer shows only
    /// the part of long lines that is near the span.
    fn snippet(&self, width: usize) -> Snippet<'static, Annotation<'static>> {
        // The columns that the renderer needs for the line number and around the span.
        const AROUND_SPAN: usize = 20;
        let text = &*self.source.text;
        let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |end| at + end);
        let start = text.floor_char_boundary(self.span.start);
        let end = line_end(start);
        let first = line_start(line_start(start).saturating_sub(1));
        let last = line_end(text.len().min(end + 1));

        // The renderer shows the whole span, so shorten it to one line and to what fits.
        let span_end = text.floor_char_boundary(start.saturating_add(self.span.length));
        let span: String = text[start..span_end.clamp(start, end)]
            .chars()
            .take(width.saturating_sub(AROUND_SPAN))
            .collect();
        let after = &text[start + span.len()..last];
        // End with a newline, because the span can be at the end of the file, on an empty line.
        let after = after.strip_suffix('\n').unwrap_or(after);
        let [before, span, after] = [&text[first..start], &span, after].map(without_c1);
        let marked = before.len()..before.len() + span.len();
        Snippet::source(format!("{before}{span}{after}\n"))
            .path(printable(&self.source.name))
            .line_start(self.source.line_and_column(first).0)
            .fold(false)
            .annotation(AnnotationKind::Primary.span(marked))
    }
}

/// Makes a text safe to print on a terminal: replaces control characters, except for newlines.
fn printable(text: &str) -> String {
    normalize_untrusted_str(&without_c1(text))
}

/// Replaces the control characters that the renderer does not.
fn without_c1(text: &str) -> String {
    text.replace(
        |character| ('\u{80}'..='\u{9f}').contains(&character),
        "\u{fffd}",
    )
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
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        }
        .term_width(width);
        let reports = self.0.iter().map(|diagnostic| diagnostic.report(width));
        let texts: Vec<String> = reports
            .map(|report| renderer.render(&[report]) + "\n")
            .collect();
        texts.join("\n")
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
