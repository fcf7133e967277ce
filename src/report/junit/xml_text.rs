//! Makes text safe for XML and for the tools that read it.

/// The marker that makes Jenkins and GitLab attach a file to a test.
const ATTACHMENT: &str = "[[ATTACHMENT|";

/// Replaces characters that XML forbids with `U+FFFD`, tabs with spaces, and the marker. The XML writer
/// escapes markup.
pub(crate) fn xml_text(text: &str) -> String {
    xml_characters(text).replace(ATTACHMENT, "[ [ATTACHMENT|")
}

/// The same without the marker, which only output can have. A name remains what `aghook list` prints.
pub(super) fn xml_characters(text: &str) -> String {
    let text = text.replace('\t', "    ");
    let characters = text.chars().map(|character| match character {
        '\n' => character,
        // XML allows control characters beyond ASCII, but the writer would drop them.
        '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        _ if character.is_control() => char::REPLACEMENT_CHARACTER,
        _ => character,
    });
    characters.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn xml_allows(character: char) -> bool {
        matches!(character, '\n' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    }

    #[test]
    fn characters_that_xml_forbids_are_replaced() {
        assert_eq!(xml_text("a\u{0}b\u{1b}c\u{ffff}d\te"), "a�b�c�d    e");
        assert_eq!(xml_text("]]> <&> 💎 Кристалл"), "]]> <&> 💎 Кристалл");
        assert_eq!(xml_text("[[ATTACHMENT|/etc/x]]"), "[ [ATTACHMENT|/etc/x]]");
    }

    proptest! {
        #[test]
        fn the_writer_keeps_all_characters(text: String) {
            let text = xml_text(&text);
            prop_assert!(text.chars().all(xml_allows));
            let written = quick_junit::XmlString::new(&text);
            prop_assert_eq!(written.as_str(), text.as_str());
        }
    }
}
