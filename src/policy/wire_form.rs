//! How a request is written on the wire, where HTTP leaves a choice to the sender. A receiver must not
//! depend on it.

use std::fmt;
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::de::{self, Unexpected};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

use super::written::{Written, deserialize_written, written_schema};

/// How many letters [`Pieces::Letters`] splits, so that a long text does not take long.
const SPLIT_LETTERS: usize = 12;

/// How the requests of a step are written on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Wire")]
pub struct WireForm {
    /// How the receiver learns where the body ends. Default: `content_length`.
    #[serde(skip_serializing_if = "is_default")]
    pub transfer: Transfer,
    /// The pieces in which the body is sent: a number of bytes, or `letters`. Default: one piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pieces: Option<Pieces>,
    /// How header names are spelled. Default: `as_documented`.
    #[serde(skip_serializing_if = "is_default")]
    pub header_case: HeaderCase,
    /// The value of the `Content-Type` header. Default: `application/json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Announce the body, and send it once the receiver agrees, or after a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expectancy>,
}

/// How the receiver learns where the body ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transfer {
    /// The header `Content-Length` has the body's length.
    #[default]
    ContentLength,
    /// The body is chunked (RFC 9112, section 7.1): each piece is a chunk. HTTP/1.1 only.
    Chunked,
}

/// How header names are spelled. They are case-insensitive (RFC 9110, section 5.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeaderCase {
    /// As in Aghanim's documentation: `X-Aghanim-Signature`. Over HTTP/2, always lower case.
    #[default]
    AsDocumented,
    /// `x-aghanim-signature`. HTTP/1.1 only.
    Lower,
    /// `X-AGHANIM-SIGNATURE`. HTTP/1.1 only.
    Upper,
    /// `x-aGhAnIm-sIgNaTuRe`. HTTP/1.1 only.
    Mixed,
}

impl HeaderCase {
    /// Spells the byte at this position of a header name.
    pub(crate) fn spell_byte(self, position: usize, byte: u8) -> u8 {
        match self {
            Self::AsDocumented => byte,
            Self::Lower => byte.to_ascii_lowercase(),
            Self::Mixed if position.is_multiple_of(2) => byte.to_ascii_lowercase(),
            Self::Upper | Self::Mixed => byte.to_ascii_uppercase(),
        }
    }

    /// Spells a header name that is written as documented.
    pub(crate) fn spell(self, name: &str) -> String {
        let bytes = name.bytes().enumerate();
        bytes
            .map(|(position, byte)| char::from(self.spell_byte(position, byte)))
            .collect()
    }
}

/// The value of the `Expect` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Expectancy {
    /// Wait for the response `100 Continue` before the body is sent (RFC 9110, section 10.1.1).
    /// HTTP/1.1 only.
    #[serde(rename = "100-continue")]
    Continue,
}

/// In which pieces the body is sent. Each is sent on its own, a moment after the previous one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pieces {
    /// Pieces of this many bytes.
    Bytes(NonZeroU32),
    /// A piece ends in the middle of each of the first letters that have several bytes in UTF-8.
    Letters,
}

impl Pieces {
    /// The lengths of all pieces but the last.
    pub(crate) fn lengths(self, body: &[u8]) -> Vec<usize> {
        let ends: Vec<usize> = match self {
            Self::Bytes(size) => {
                let size = size.get() as usize;
                (1..body.len().div_ceil(size))
                    .map(|count| count * size)
                    .collect()
            }
            Self::Letters => ends_inside_letters(body),
        };
        let begins = std::iter::once(0).chain(ends.iter().copied());
        ends.iter()
            .zip(begins)
            .map(|(end, begin)| end - begin)
            .collect()
    }
}

/// A position inside each of the first letters that have several bytes; another one for each letter.
fn ends_inside_letters(body: &[u8]) -> Vec<usize> {
    let starts = (0..body.len()).filter(|start| body[*start] >= 0xC0);
    let mut ends = Vec::new();
    for (number, start) in starts.take(SPLIT_LETTERS).enumerate() {
        // Bytes that are not UTF-8 may begin a letter inside another.
        let following = (body[start].leading_ones() as usize - 1).clamp(1, 3);
        let end = start + 1 + number % following;
        if end < body.len() && ends.last().is_none_or(|last| *last < end) {
            ends.push(end);
        }
    }
    ends
}

impl Written for Pieces {
    const EXPECTED: &'static str = "a number of bytes of at least 1, or `letters`";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        let size = match scalar {
            Unexpected::Str("letters") => return Ok(Self::Letters),
            Unexpected::Unsigned(size) => u32::try_from(size).ok().and_then(NonZeroU32::new),
            _ => None,
        };
        size.map(Self::Bytes)
            .ok_or_else(|| E::invalid_value(scalar, &Self::EXPECTED))
    }
}

deserialize_written!(Pieces);

written_schema!(Pieces, "Pieces", |_| {
    "description": "The pieces in which the body is sent: a number of bytes, or `letters`, which splits \
        letters that have several bytes in UTF-8.",
    "oneOf": [
        { "type": "integer", "minimum": 1, "maximum": u32::MAX },
        { "const": "letters" },
    ],
});

impl Serialize for Pieces {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bytes(size) => size.serialize(serializer),
            Self::Letters => serializer.serialize_str("letters"),
        }
    }
}

impl WireForm {
    /// Whether a request is written as documented.
    pub(crate) fn is_documented(&self) -> bool {
        *self == Self::default()
    }

    /// The first key that HTTP/2 has no equivalent of, with its value.
    pub(crate) fn http1_key(&self) -> Option<&'static str> {
        if self.transfer == Transfer::Chunked {
            Some("transfer: chunked")
        } else if self.header_case != HeaderCase::AsDocumented {
            Some("header_case")
        } else {
            self.expect
                .map(|Expectancy::Continue| "expect: 100-continue")
        }
    }
}

/// As in a file: `{ transfer: chunked, pieces: 100 }`.
impl fmt::Display for WireForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = json!(self);
        let entries = entries.as_object().into_iter().flatten();
        let entries = entries.map(|(key, value)| match value.as_str() {
            Some(text) => format!("{key}: {text}"),
            None => format!("{key}: {value}"),
        });
        write!(
            formatter,
            "{{ {} }}",
            entries.collect::<Vec<_>>().join(", ")
        )
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(size: u32) -> Pieces {
        Pieces::Bytes(NonZeroU32::new(size).expect("not zero"))
    }

    #[test]
    fn pieces_have_the_given_length_and_the_last_has_the_rest() {
        for (size, expected) in [(1, vec![1; 6]), (3, vec![3, 3]), (7, vec![]), (100, vec![])] {
            assert_eq!(bytes(size).lengths(b"abcdefg"), expected, "{size}");
        }
        assert_eq!(bytes(1).lengths(b""), [0; 0]);
    }

    #[test]
    fn letters_of_several_bytes_are_split_between_two_pieces() {
        let text = "aé水💎.é";
        let lengths = Pieces::Letters.lengths(text.as_bytes());
        let mut position = 0;
        let ends = lengths.iter().map(|length| {
            position += length;
            position
        });
        let ends: Vec<usize> = ends.collect();
        assert_eq!(ends, [2, 5, 9, 12]);
        assert!(ends.iter().all(|end| !text.is_char_boundary(*end)));
        let long = "é".repeat(100);
        assert_eq!(
            Pieces::Letters.lengths(long.as_bytes()).len(),
            SPLIT_LETTERS
        );
        assert_eq!(Pieces::Letters.lengths(b"abc"), [0; 0]);
        // Bytes that are not UTF-8 must not panic.
        assert_eq!(Pieces::Letters.lengths(&[0xFF; 9]), [1, 2, 2, 1, 2]);
    }

    #[test]
    fn names_are_spelled_in_each_case() {
        for (case, expected) in [
            (HeaderCase::AsDocumented, "X-Aghanim-Signature"),
            (HeaderCase::Lower, "x-aghanim-signature"),
            (HeaderCase::Upper, "X-AGHANIM-SIGNATURE"),
            (HeaderCase::Mixed, "x-aGhAnIm-sIgNaTuRe"),
        ] {
            assert_eq!(case.spell("X-Aghanim-Signature"), expected);
        }
    }

    #[test]
    fn a_form_is_displayed_as_in_a_file_and_reads_back() {
        for (text, shown) in [
            ("{}", "{  }"),
            (
                r#"{"transfer":"chunked","pieces":100}"#,
                "{ transfer: chunked, pieces: 100 }",
            ),
            (
                r#"{"pieces":"letters","header_case":"upper","expect":"100-continue"}"#,
                "{ pieces: letters, header_case: upper, expect: 100-continue }",
            ),
        ] {
            let form: WireForm = serde_json::from_str(text).expect("a form");
            assert_eq!(form.to_string(), shown);
            assert_eq!(json!(form).to_string(), text);
        }
        for bad in [
            r#"{"pieces":0}"#,
            r#"{"pieces":"words"}"#,
            r#"{"expect":"200"}"#,
        ] {
            assert!(serde_json::from_str::<WireForm>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_some_keys_need_http1() {
        let form = |text| serde_json::from_str::<WireForm>(text).expect("a form");
        let free = form(r#"{"pieces":1,"content_type":"application/json; charset=utf-8"}"#);
        assert_eq!(free.http1_key(), None);
        for text in [
            r#"{"transfer":"chunked"}"#,
            r#"{"header_case":"lower"}"#,
            r#"{"expect":"100-continue"}"#,
        ] {
            assert!(form(text).http1_key().is_some(), "{text}");
        }
    }
}
