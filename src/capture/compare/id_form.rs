//! The form of an ID: its prefix, the kind of its characters and its length. Redaction keeps it.

use std::fmt;

use crate::capture::pseudonyms::is_uuid;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IdForm {
    prefix: String,
    characters: Characters,
    length: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Characters {
    Uuid,
    Hex,
    Digits,
    /// Letters and digits, perhaps with the signs of Base64.
    Letters,
    Other,
}

impl IdForm {
    pub(crate) fn of(id: &str) -> Self {
        let end = id.find('_').map_or(0, |end| end + 1);
        let (prefix, rest) = id.split_at(end);
        Self {
            prefix: prefix.to_owned(),
            characters: Characters::of(rest),
            length: rest.chars().count(),
        }
    }

    pub(crate) fn is_uuid(&self) -> bool {
        self.prefix.is_empty() && self.characters == Characters::Uuid
    }
}

impl Characters {
    fn of(text: &str) -> Self {
        /// Fewer hex digits could be letters and digits by chance.
        const SURELY_HEX: usize = 16;
        let all = |matches: fn(u8) -> bool| !text.is_empty() && text.bytes().all(matches);
        if is_uuid(text) {
            Self::Uuid
        } else if all(|byte| byte.is_ascii_digit()) {
            Self::Digits
        } else if text.len() >= SURELY_HEX
            && (all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                || all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')))
        {
            Self::Hex
        } else if all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')) {
            Self::Letters
        } else {
            Self::Other
        }
    }
}

impl fmt::Display for IdForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            prefix,
            characters,
            length,
        } = self;
        if !prefix.is_empty() {
            write!(formatter, "`{prefix}` and ")?;
        }
        match characters {
            Characters::Uuid => write!(formatter, "a UUID"),
            Characters::Hex => write!(formatter, "{length} hex digits"),
            Characters::Digits => write!(formatter, "{length} digits"),
            Characters::Letters => write!(formatter, "{length} letters or digits"),
            Characters::Other => write!(formatter, "{length} characters"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_described() {
        for (id, form) in [
            (
                "whevt_eCacGbJVbvToOgzjXUgOCitkQE",
                "`whevt_` and 26 letters or digits",
            ),
            ("idmpt_YWJj/+==", "`idmpt_` and 8 letters or digits"),
            ("d1593e9c-c291-4004-8846-6679c2e5810b", "a UUID"),
            ("00112233445566778899aabb", "24 hex digits"),
            ("12345", "5 digits"),
            ("a b", "3 characters"),
            ("", "0 characters"),
        ] {
            assert_eq!(IdForm::of(id).to_string(), form);
        }
    }
}
