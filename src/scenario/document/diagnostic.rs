//! Messages about mistakes in files, shown like the Rust compiler's: with the source line underlined.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str,
};

use super::{SourceFile, Span, is_disguising};

/// A mistake in a file.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    pub message: String,
    pub help: Option<String>,
    file: SourceFile,
    /// `None` for a mistake of the file as a whole.
    span: Option<Span>,
}

impl Diagnostic {
    /// A mistake of a file as a whole.
    pub fn for_file(file: impl Into<Arc<str>>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            file: SourceFile::new(file, ""),
            span: None,
        }
    }

    pub fn at(source: &SourceFile, span: Span, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            file: source.clone(),
            span: Some(span),
        }
    }

    /// Says how to fix it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The file's name, with line and column if known: `suite/a.yaml:3:5`.
    pub fn location(&self) -> String {
        let name = &self.file.name;
        match self.span {
            Some(span) => {
                let (line, column) = self.file.line_and_column(span.start);
                format!("{name}:{line}:{column}")
            }
            None => name.to_string(),
        }
    }

    /// The offset that the diagnostic points at; 0 for a file as a whole.
    fn start(&self) -> usize {
        self.span.map_or(0, |span| span.start)
    }

    /// The diagnostic for the renderer, whose lines are at most `width` columns wide.
    fn report(&self, width: usize) -> Group<'static> {
        let title = match self.span {
            Some(_) => printable(&self.message),
            None => printable(&format!("{}: {self}", self.file.name)),
        };
        let snippet = self.span.map(|span| self.snippet(span, width));
        let help = self.help.iter().map(|help| printable(help));
        Level::ERROR
            .primary_title(title)
            .elements(snippet)
            .elements(help.map(|help| Level::HELP.message(help)))
    }

    /// The lines to show: the line of the span, one before and one after. The renderer shows only
    /// the part of long lines that is near the span.
    fn snippet(&self, span: Span, width: usize) -> Snippet<'static, Annotation<'static>> {
        // The columns that the renderer needs for the line number and around the span.
        const AROUND_SPAN: usize = 20;
        let text = &*self.file.text;
        let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |end| at + end);
        let start = text.floor_char_boundary(span.start);
        let end = line_end(start);
        let first = line_start(line_start(start).saturating_sub(1));
        let last = line_end(text.len().min(end + 1));

        // The renderer shows the whole span, so shorten it to one line and to what fits.
        let span_end = text.floor_char_boundary(start.saturating_add(span.length));
        let span: String = text[start..span_end.clamp(start, end)]
            .chars()
            .take(width.saturating_sub(AROUND_SPAN))
            .collect();
        let after = &text[start + span.len()..last];
        // End with a newline, because the span can be at the end of the file, on an empty line.
        let after = after.strip_suffix('\n').unwrap_or(after);
        let [before, span, after] = [&text[first..start], &span, after].map(without_disguise);
        let marked = before.len()..before.len() + span.len();
        Snippet::source(format!("{before}{span}{after}\n"))
            .path(printable(&self.file.name))
            .line_start(self.file.line_and_column(first).0)
            .fold(false)
            .annotation(AnnotationKind::Primary.span(marked))
    }
}

/// Makes a text safe to print on a terminal: replaces control characters, except for newlines.
fn printable(text: &str) -> String {
    normalize_untrusted_str(&without_disguise(text))
}

/// Replaces the control characters and invisible ones that the renderer does not.
fn without_disguise(text: &str) -> String {
    text.replace(
        |character: char| !character.is_ascii() && is_disguising(character),
        "\u{fffd}",
    )
}

const MISTAKE_LIMIT: usize = 20;

/// All mistakes, in the order of the files and their lines.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Returns an error if there are any diagnostics, for use with `?`.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The value of a result; without one, adds its mistakes.
    pub fn take<T>(&mut self, result: Result<T, Self>) -> Option<T> {
        result.map_err(|found| self.0.extend(found.0)).ok()
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
            let more = Diagnostic::for_file(Arc::clone(name), message);
            self.0.push(more.with_help("fix these first"));
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
        let found = self.0.iter();
        let lines = found.map(|found| format!("{}: {found}", found.location()));
        formatter.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

impl std::error::Error for Diagnostics {}
