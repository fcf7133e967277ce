//! The numbers in the README are those in docs/proof.md, which other tests generate.

use super::markdown::Document;

/// The text between `before` and `after`.
fn between<'text>(text: &'text str, before: &str, after: &str) -> &'text str {
    let (_, rest) = text.split_once(before).expect(before);
    rest.split_once(after).expect(after).0
}

#[test]
fn the_readme_has_the_numbers_of_the_proof() {
    let readme = Document::read("README.md").text;
    let proof = Document::read("docs/proof.md").text;
    let caught = between(&proof, "**Flaws caught: ", "**");
    let number = between(&readme, "The built-in receiver has ", " bugs");
    assert_eq!(caught, format!("{number} of {number}"));
    let alarms = between(&proof, "False alarms / sound variants: ", ".");
    let number = between(&readme, "It blames none of ", " correct set-ups");
    assert_eq!(alarms, format!("0 / {number}"));
}
