//! Text that may stand in XML, and that means nothing to who reads the XML.

/// What Jenkins and GitLab take, in a test's output, for the path of a file to attach.
const ATTACHMENT: &str = "[[ATTACHMENT|";

/// `text` with what XML can't hold replaced by `U+FFFD`, and tabs by spaces. Markup is escaped by
/// who writes the XML.
pub(in crate::report) fn xml_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push_str("    "),
            '\n' => shown.push(character),
            // Control characters beyond ASCII are allowed, but the writer would drop them.
            '\u{fffe}' | '\u{ffff}' => shown.push(char::REPLACEMENT_CHARACTER),
            _ if character.is_control() => shown.push(char::REPLACEMENT_CHARACTER),
            _ => shown.push(character),
        }
    }
    shown.replace(ATTACHMENT, "[ [ATTACHMENT|")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn xml_allows(character: char) -> bool {
        matches!(character, '\n' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    }

    #[test]
    fn what_xml_forbids_is_replaced() {
        assert_eq!(xml_text("a\u{0}b\u{1b}c\u{ffff}d\te"), "a�b�c�d    e");
        assert_eq!(xml_text("]]> <&> 💎 Кристалл"), "]]> <&> 💎 Кристалл");
        assert_eq!(xml_text("[[ATTACHMENT|/etc/x]]"), "[ [ATTACHMENT|/etc/x]]");
    }

    proptest! {
        #[test]
        fn any_text_becomes_xml_text_that_the_writer_takes_whole(text: String) {
            let text = xml_text(&text);
            prop_assert!(text.chars().all(xml_allows));
            let written = quick_junit::XmlString::new(&text);
            prop_assert_eq!(written.as_str(), text.as_str());
        }
    }
}
