//! Makes text from a receiver safe to print: it can't control a terminal or a CI system that reads
//! the output.

use crate::scenario::document::is_disguising;

const COLUMN_LIMIT: usize = 400;

/// Markers after which GitHub, Azure and `TeamCity` read the rest of a line as a command.
const COMMANDS_ANYWHERE: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// The prefix of a line that GitHub reads as a command.
const COMMAND_AT_START: &str = "::";

/// Escapes control characters, invisible ones and command markers in a line, and cuts it after 400
/// characters.
pub(crate) fn sanitize(line: &str) -> String {
    match line.char_indices().nth(COLUMN_LIMIT) {
        Some((end, _)) => escape(&line[..end]) + "…",
        None => escape(line),
    }
}

/// Escapes each line of a text, and keeps the line breaks.
pub(crate) fn escape_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(escape).collect();
    lines.join("\n")
}

/// Like [`sanitize`], but does not cut the line.
pub(crate) fn escape(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut before = None;
    for character in line.chars() {
        let hides = is_hidden_after(before.replace(character), character);
        match character {
            '\t' => shown.push(character),
            _ if hides => shown.extend(character.escape_unicode()),
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ if is_disguising(character) => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
    escape_commands(shown)
}

/// Whether a joiner or a variation selector changes nothing that is shown there, so that a text could hide in
/// many of them. Emoji and some scripts need single ones.
fn is_hidden_after(before: Option<char>, character: char) -> bool {
    let is_joiner = |character| matches!(character, '\u{200c}' | '\u{200d}');
    let is_selector =
        |character| matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    let changes_nothing = |before: char| {
        // An emoji of a digit, such as 1️⃣, has a selector.
        let is_latin = before.is_ascii() && !matches!(before, '0'..='9' | '#' | '*');
        is_latin || is_joiner(before) || is_selector(before) && is_selector(character)
    };
    (is_joiner(character) || is_selector(character)) && before.is_some_and(changes_nothing)
}

fn escape_commands(mut line: String) -> String {
    for command in COMMANDS_ANYWHERE {
        if line.contains(command) {
            line = line.replace(command, &command.replacen("##", "#\\u{23}", 1));
        }
    }
    if line.trim_start().starts_with(COMMAND_AT_START) {
        line = line.replacen(COMMAND_AT_START, "\\u{3a}:", 1);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_control_characters_are_escaped() {
        assert_eq!(sanitize("a\u{1b}[31mb\u{7}"), "a\\u{1b}[31mb\\u{7}");
        assert_eq!(sanitize("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(
            sanitize("\u{61c}\u{200b}\u{2028}\u{2029}\u{feff}\u{ad}"),
            "\\u{61c}\\u{200b}\\u{2028}\\u{2029}\\u{feff}\\u{ad}"
        );
        assert_eq!(sanitize("a\u{2800}b"), "a\\u{2800}b");
        assert_eq!(sanitize("Кристалл 💎"), "Кристалл 💎");
        assert_eq!(
            sanitize(&"x".repeat(1000)).chars().count(),
            COLUMN_LIMIT + 1
        );
    }

    #[test]
    fn joiners_and_selectors_are_escaped_only_where_they_hide() {
        for shown in [
            "👩\u{200d}🚀",
            "❤\u{fe0f}\u{200d}🔥",
            "1\u{fe0f}⃣",
            "می\u{200c}خواهم",
            "葛\u{e0100}",
        ] {
            assert_eq!(sanitize(shown), shown);
        }
        assert_eq!(sanitize("a\u{200c}b\u{fe00}"), "a\\u{200c}b\\u{fe00}");
        assert_eq!(sanitize("💎\u{200d}\u{200d}"), "💎\u{200d}\\u{200d}");
        assert_eq!(sanitize("💎\u{e0101}\u{e0102}"), "💎\u{e0101}\\u{e0102}");
    }

    #[test]
    fn ci_commands_are_escaped() {
        assert_eq!(sanitize("  ::error::x"), "  \\u{3a}:error::x");
        assert_eq!(sanitize("a ##[error]x"), "a #\\u{23}[error]x");
        assert_eq!(sanitize("##vso[task]x"), "#\\u{23}vso[task]x");
        assert_eq!(sanitize("##teamcity[x]"), "#\\u{23}teamcity[x]");
        for harmless in ["a::b", "## heading", "#[test]", "std::io"] {
            assert_eq!(sanitize(harmless), harmless);
        }
    }
}
