//! A minimal Markdown parser for the documents.

use std::fs;
use std::path::{Path, PathBuf};

/// The project's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A document.
pub(crate) struct Document {
    /// Its path relative to the project's folder.
    pub(crate) name: PathBuf,
    pub(crate) text: String,
}

/// A fenced code block.
pub(crate) struct Block<'text> {
    pub(crate) language: &'text str,
    pub(crate) text: String,
}

impl Document {
    pub(crate) fn read(name: impl Into<PathBuf>) -> Self {
        let name = name.into();
        let text = fs::read_to_string(root().join(&name)).expect("a document");
        Self { name, text }
    }

    /// Every document of the project.
    pub(crate) fn all() -> Vec<Self> {
        let folder = fs::read_dir(root().join("docs")).expect("a folder");
        let mut names: Vec<PathBuf> = folder
            .map(|entry| Path::new("docs").join(entry.expect("an entry").file_name()))
            .filter(|name| name.extension().is_some_and(|ending| ending == "md"))
            .collect();
        names.sort();
        names.extend(["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(PathBuf::from));
        names.into_iter().map(Self::read).collect()
    }

    /// The fenced code blocks.
    pub(crate) fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<Block<'_>> = None;
        for line in self.text.lines() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(language), None) => {
                    let text = String::new();
                    open = Some(Block { language, text });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(
            open.is_none(),
            "{}: unclosed code block",
            self.name.display()
        );
        blocks
    }

    /// The text without code blocks.
    pub(crate) fn prose(&self) -> String {
        let mut in_block = false;
        let mut prose = String::new();
        for line in self.text.lines() {
            if line.starts_with("```") {
                in_block = !in_block;
            } else if !in_block {
                prose.push_str(line);
                prose.push('\n');
            }
        }
        prose
    }

    /// The code spans in the prose. A span may continue on the next line.
    pub(crate) fn code_spans(&self) -> Vec<String> {
        let prose = self.prose();
        let paragraphs = prose.split("\n\n");
        paragraphs
            .flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2))
            .map(|span| span.replace('\n', " "))
            .collect()
    }

    /// The prose below each heading, up to the next heading of any level.
    pub(crate) fn sections(&self) -> Vec<(String, String)> {
        let mut sections: Vec<(String, String)> = Vec::new();
        for line in self.prose().lines() {
            if line.starts_with('#') {
                let heading = line.trim_start_matches('#').trim().replace('`', "");
                sections.push((heading, String::new()));
            } else if let Some((_, text)) = sections.last_mut() {
                text.push_str(line);
                text.push('\n');
            }
        }
        sections
    }

    /// The prose below this heading.
    pub(crate) fn section(&self, heading: &str) -> String {
        let mut sections = self.sections().into_iter();
        let found = sections.find(|(title, _)| title == heading);
        let name = self.name.display();
        found
            .unwrap_or_else(|| panic!("{name} has no section `{heading}`"))
            .1
    }
}

/// The code in the first cell of every table row, possibly in a link: `a` and `b` for "| `a`, `b` |
/// … |".
pub(crate) fn first_cells(section: &str) -> Vec<String> {
    let rows = section
        .lines()
        .filter(|line| line.starts_with("| `") || line.starts_with("| [`"));
    rows.filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned))
        .collect()
}
