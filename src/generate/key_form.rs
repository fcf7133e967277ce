//! The form of generated idempotency keys, if the profile has another one than the source's example.

use schemars::JsonSchema;
use serde::Deserialize;

use super::IdShape;
use super::identifiers;

// The doc comments are the descriptions in the JSON Schema, which authors read.

/// The form of generated idempotency keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeyForm {
    /// The text at the beginning. Default: none.
    pub(crate) prefix: String,
    /// The characters after the prefix: `letters` (and digits), `hex`, `digits` or `uuid`. Default:
    /// `letters`.
    pub(crate) form: KeyCharacters,
    /// How many characters follow the prefix, from 16 to 10000. A UUID has its own length. Default: 32.
    #[schemars(range(min = 16, max = 10_000))]
    pub(crate) length: KeyLength,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyCharacters {
    /// Letters and digits.
    #[default]
    Letters,
    /// Hex digits in lower case.
    Hex,
    Digits,
    Uuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "usize")]
#[schemars(with = "usize")]
pub(crate) struct KeyLength(usize);

impl Default for KeyLength {
    fn default() -> Self {
        Self(32)
    }
}

impl TryFrom<usize> for KeyLength {
    type Error = String;

    fn try_from(length: usize) -> Result<Self, String> {
        let lengths = IdShape::LENGTHS;
        let (from, to) = (lengths.start(), lengths.end());
        lengths.contains(&length).then_some(Self(length)).ok_or_else(|| {
            format!("a generated key can't have {length} characters\nuse a length from {from} to {to}")
        })
    }
}

impl KeyForm {
    /// A key that is derived from random bytes.
    pub(super) fn key(&self, random: &[u8]) -> String {
        let characters: &[u8] = match self.form {
            KeyCharacters::Letters => identifiers::LETTERS_AND_DIGITS,
            KeyCharacters::Hex => b"0123456789abcdef",
            KeyCharacters::Digits => b"0123456789",
            KeyCharacters::Uuid => return self.prefix.clone() + &identifiers::derived_uuid(random),
        };
        let length = self.prefix.len() + self.length.0;
        identifiers::lengthened(self.prefix.clone(), characters, random, length)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_have_their_form() {
        let key = |form| {
            let form: KeyForm = serde_json::from_value(form).unwrap();
            form.key(b"random")
        };
        for (form, pattern) in [
            (json!({}), "^[A-Za-z0-9]{32}$"),
            (json!({ "form": "hex", "length": 64 }), "^[0-9a-f]{64}$"),
            (
                json!({ "prefix": "kéy_", "form": "digits", "length": 16 }),
                "^kéy_[0-9]{16}$",
            ),
            (
                json!({ "prefix": "k_", "form": "uuid" }),
                "^k_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$",
            ),
        ] {
            let key = key(form);
            assert!(
                regex::Regex::new(pattern).unwrap().is_match(&key),
                "{key} is not {pattern}"
            );
        }
        let short: Result<KeyForm, _> = serde_json::from_value(json!({ "length": 3 }));
        assert!(short.unwrap_err().to_string().contains("from 16 to 10000"));
    }
}
