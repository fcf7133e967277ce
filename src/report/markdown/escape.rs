//! Text made safe for GitHub's and GitLab's Markdown: it stays text, whatever it holds.

use std::fmt::Write as _;

use crate::report::printable::printable;

/// What Markdown or HTML could take for markup inside of a line.
const MARKUP: &[char] = &[
    '&', '<', '>', '"', '|', '*', '_', '`', '[', ']', '\\', '~', '$', '#',
];

/// One line of running text, in Markdown or in HTML.
pub(in crate::report) fn text(line: &str) -> String {
    entities(&printable(line), |character| MARKUP.contains(&character))
}

/// One line as code: as it is, without links or mentions. It may stand in a table.
pub(in crate::report) fn code(line: &str) -> String {
    let line = printable(line);
    if line.trim().is_empty() {
        return "(nothing)".to_owned();
    }
    if line.contains(['`', '|', '\\']) {
        // These mean different things in a table and outside of one; an entity means nothing.
        let line = entities(&line, |character| character.is_ascii_punctuation());
        return format!("<code>{line}</code>");
    }
    format!("`{line}`")
}

/// Lines as a block of code, which nothing in them ends.
pub(super) fn fence(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max();
    let marks = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    format!("{marks}{language}\n{}\n{marks}\n", lines.join("\n"))
}

fn longest_run(line: &str) -> usize {
    line.split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or(0)
}

fn entities(line: &str, means_something: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(line.len());
    for character in line.chars() {
        if means_something(character) {
            // Writing to a string does not fail.
            let _ = write!(shown, "&#{};", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(text("a <b> | *c*"), "a &#60;b&#62; &#124; &#42;c&#42;");
        assert_eq!(code("a < b"), "`a < b`");
        assert_eq!(code("a|b`"), "<code>a&#124;b&#96;</code>");
        assert_eq!(code(" "), "(nothing)");
        assert_eq!(code("a\nb"), "<code>a&#92;nb</code>");
    }

    #[test]
    fn a_fence_is_longer_than_any_inside() {
        let lines = ["````".to_owned(), "a ``` b".to_owned()];
        assert_eq!(fence("http", &lines), "`````http\n````\na ``` b\n`````\n");
        assert_eq!(fence("", &["a".to_owned()]), "```\na\n```\n");
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_place(line: String) {
            let shown = text(&line);
            prop_assert!(!shown.contains(['<', '>', '|', '`', '\n', '[']), "{shown}");
            let shown = code(&line);
            let marks = shown.matches('`').count();
            prop_assert!(marks == 0 || marks == 2, "{shown}");
            prop_assert!(!shown.contains(['|', '\n', '\\']), "{shown}");
        }
    }
}
