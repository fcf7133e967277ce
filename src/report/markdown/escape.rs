//! Escapes text for GitHub's and GitLab's Markdown.

use std::fmt::Write as _;

use crate::report::sanitize::sanitize;

/// Characters that Markdown or HTML could read as markup inside a line.
const MARKUP: &[char] = &[
    '&', '<', '>', '"', '|', '*', '_', '`', '[', ']', '\\', '~', '$', '#', '@',
];

/// One line of running text, in Markdown or in HTML. A URL in it is no link.
pub(crate) fn text(line: &str) -> String {
    let line = entities(&sanitize(line), |character| MARKUP.contains(&character));
    line.replace("://", "&#58;//").replace("www.", "www&#46;")
}

/// One line as inline code, without links or mentions. It may be used in a table.
pub(crate) fn code(line: &str) -> String {
    let line = sanitize(line);
    if line.trim().is_empty() {
        return "(nothing)".to_owned();
    }
    if line.contains(['`', '|', '\\']) {
        // Tables treat these differently from running text; entities are the same in both.
        let line = entities(&line, |character| character.is_ascii_punctuation());
        return format!("<code>{line}</code>");
    }
    format!("`{line}`")
}

/// Lines as a fenced code block, with a fence that no line can close.
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

fn entities(line: &str, is_markup: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(line.len());
    for character in line.chars() {
        if is_markup(character) {
            // Writing to a string can't fail.
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
        assert_eq!(
            text("ask @name, http://a.example or www.b.example"),
            "ask &#64;name, http&#58;//a.example or www&#46;b.example"
        );
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
        fn no_text_contains_markup(line: String) {
            let shown = text(&line);
            prop_assert!(!shown.contains(['<', '>', '|', '`', '\n', '[']), "{shown}");
            let shown = code(&line);
            let marks = shown.matches('`').count();
            prop_assert!(marks == 0 || marks == 2, "{shown}");
            prop_assert!(!shown.contains(['|', '\n', '\\']), "{shown}");
        }
    }
}
