//! Text of a receiver made safe for a terminal.

/// The most characters of a line that are shown.
const COLUMN_LIMIT: usize = 400;

/// One line that can't steer the terminal: control characters are escaped, and it ends in time.
pub(super) fn printable(line: &str) -> String {
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
    shown
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
}
