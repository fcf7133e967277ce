//! Links between documents and to other files.

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;

use super::markdown::{Document, root};

#[test]
fn every_link_has_a_target() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("a pattern");
    for document in Document::all() {
        let prose = document.prose();
        for found in link.captures_iter(&prose) {
            let target = &found[1];
            if target.starts_with("https://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() {
                document.name.clone()
            } else {
                let folder = document.name.parent().unwrap_or(Path::new(""));
                folder.join(path)
            };
            let place = format!("{}: {target}", document.name.display());
            assert!(root().join(&path).exists(), "{place}: no such file");
            assert!(
                anchor.is_empty() || anchors(&Document::read(path)).contains(anchor),
                "{place}: no such heading"
            );
        }
    }
}

/// The anchors that common Markdown renderers give to headings.
fn anchors(document: &Document) -> BTreeSet<String> {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    let sections = document.sections().into_iter();
    sections
        .map(|(heading, _)| heading.to_lowercase().chars().filter(kept).collect())
        .map(|heading: String| heading.replace(' ', "-"))
        .collect()
}
