//! Sections of documents that tests generate: either compared with the document or written to it.

use std::path::Path;

/// If set to 1, tests update their sections instead of failing.
const UPDATE: &str = "UPDATE_DOCS";
/// The markers around each section.
const BEGIN: &str = "<!-- section: ";
const END: &str = "<!-- end of section -->";

/// Fails unless `is_the_same(old, text)` for a section of `document`; updates the section if
/// `UPDATE` is set. `written_by` names the test that generates it.
#[track_caller]
pub(crate) fn check_section(
    document: &str,
    name: &str,
    text: &str,
    is_the_same: fn(&str, &str) -> bool,
    written_by: &str,
) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let written = std::fs::read_to_string(&path).expect("read");
    let written = written.replace("\r\n", "\n");
    let begin = format!("{BEGIN}{name} -->\n");
    let (before, rest) = written.split_once(&begin).expect(name);
    let (old, after) = rest.split_once(END).expect("the end marker");
    if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
        let updated = format!("{before}{begin}\n{text}\n{END}{after}");
        std::fs::write(&path, updated).expect("written");
    } else {
        let new = text.lines().filter(|line| !old.contains(line));
        let new: Vec<&str> = new.collect();
        assert!(
            is_the_same(old.trim(), text.trim()),
            "{document}, section `{name}`, is out of date: run {UPDATE}=1 cargo test --test {written_by}\n\
             new: {new:#?}"
        );
    }
}
