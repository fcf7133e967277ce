//! The form of an ID: its prefix, the kind of its characters and its length. Redaction keeps it.

use std::fmt;

use serde_json::json;

use crate::capture::pseudonyms::is_uuid;
use crate::generate::KeyForm;

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

    /// As a profile's `idempotency_key` says it; `None` if it can't.
    pub(crate) fn as_key(&self) -> Option<String> {
        let form = match self.characters {
            Characters::Uuid => "uuid",
            Characters::Hex => "hex",
            Characters::Digits => "digits",
            Characters::Letters => "letters",
            Characters::Other => return None,
        };
        let mut key = json!({ "form": form });
        if !self.prefix.is_empty() {
            key["prefix"] = json!(self.prefix);
        }
        if self.characters != Characters::Uuid {
            key["length"] = json!(self.length);
        }
        serde_json::from_value::<KeyForm>(key.clone()).ok()?;
        Some(key.to_string())
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

    #[test]
    fn a_key_of_a_profile_has_the_form() {
        let key = |id| IdForm::of(id).as_key();
        assert_eq!(
            key("k_d1593e9c-c291-4004-8846-6679c2e5810b").as_deref(),
            Some(r#"{"form":"uuid","prefix":"k_"}"#)
        );
        assert_eq!(
            key("00112233445566778899aabb").as_deref(),
            Some(r#"{"form":"hex","length":24}"#)
        );
        // Too short for generated keys, and too strange.
        assert_eq!(key("12345"), None);
        assert_eq!(key("0000:1111:2222:3333:4444"), None);
    }
}
