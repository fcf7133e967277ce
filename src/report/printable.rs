//! Text of a receiver made safe to be shown: it steers neither a terminal nor a CI system that
//! reads what is printed.

/// The most characters of a line that are shown.
const COLUMN_LIMIT: usize = 400;

/// Where GitHub, Azure and `TeamCity` take the rest of a line as a command to them.
const COMMANDS_ANYWHERE: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// What begins a line that GitHub takes as a command to it.
const COMMAND_AT_START: &str = "::";

/// One line that can't steer what shows it: control characters and the marks of commands are
/// escaped, and it ends in time.
pub fn printable(line: &str) -> String {
    let mut shown = String::new();
    for (index, character) in line.chars().enumerate() {
        if index == COLUMN_LIMIT {
            shown.push('…');
            break;
        }
        match character {
            '\t' => shown.push(character),
            // Marks that turn the direction of the text could hide what stands there.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    without_commands(shown)
}

fn without_commands(mut line: String) -> String {
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
    fn what_could_steer_a_terminal_is_escaped() {
        assert_eq!(printable("a\u{1b}[31mb\u{7}"), "a\\u{1b}[31mb\\u{7}");
        assert_eq!(printable("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(printable("Кристалл 💎"), "Кристалл 💎");
        assert_eq!(
            printable(&"x".repeat(1000)).chars().count(),
            COLUMN_LIMIT + 1
        );
    }

    #[test]
    fn what_could_steer_a_ci_system_is_escaped() {
        assert_eq!(printable("  ::error::x"), "  \\u{3a}:error::x");
        assert_eq!(printable("a ##[error]x"), "a #\\u{23}[error]x");
        assert_eq!(printable("##vso[task]x"), "#\\u{23}vso[task]x");
        assert_eq!(printable("##teamcity[x]"), "#\\u{23}teamcity[x]");
        for harmless in ["a::b", "## heading", "#[test]", "std::io"] {
            assert_eq!(printable(harmless), harmless);
        }
    }
}
