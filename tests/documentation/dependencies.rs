//! docs/dependencies.md explains every direct dependency and nothing else.

use std::collections::BTreeSet;

use super::markdown::{Document, first_cells};

#[test]
fn every_dependency_has_a_reason() {
    let manifest = Document::read("Cargo.toml").text;
    let mut listed = BTreeSet::new();
    let mut in_dependencies = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if let (true, Some((name, _))) = (in_dependencies, line.split_once(" = ")) {
            listed.insert(name.to_owned());
        }
    }
    let document = Document::read("docs/dependencies.md");
    let explained = first_cells(&document.prose()).into_iter();
    assert_eq!(listed, explained.collect::<BTreeSet<_>>());
}
