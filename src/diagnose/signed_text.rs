//! Compares the text that a receiver signed with the text that it should sign.

use std::cmp::Ordering;

use crate::protocol::{Secret, Signer};

use super::mistake::Mistake;
use super::{Received, Search, Target, key};

/// How many bytes an excerpt shows before the first difference and from it.
const EXCERPT_BYTES: usize = 24;

/// How many bytes an excerpt shows in hex.
const HEX_BYTES: usize = 8;

/// A shorter key is not searched in the text: it would occur by chance.
const MIN_KEY_BYTES: usize = 4;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
const REPLACEMENT_CHARACTER: &[u8] = "\u{fffd}".as_bytes();

/// What a text that a receiver signed shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedText {
    /// Whether one of the given secrets makes the presented signature from this text.
    pub makes_signature: bool,
    /// `None` if it is what should be signed.
    pub difference: Option<TextDifference>,
}

/// The first difference between the text that was signed and the one that should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextDifference {
    /// In bytes, from 0.
    pub offset: usize,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// `None` if the text contains a secret.
    pub excerpt: Option<Excerpt>,
    /// The mistakes that together turn one text into the other, if they are known.
    pub mistakes: Vec<Mistake>,
    /// What the bytes at the difference show.
    pub hint: Option<&'static str>,
}

/// The surroundings of the first difference.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Excerpt {
    /// The end of what both texts begin with.
    pub after: String,
    pub expected: ExcerptSide,
    pub signed: ExcerptSide,
}

/// One of the texts, from the first difference.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct ExcerptSide {
    pub text: String,
    pub hex: String,
}

/// Compares `signed` with the timestamp, a dot and the body. Ignores a newline at the end of `signed`
/// if the signature was made without it, because files often end with one. Without a timestamp there is
/// nothing to compare with.
pub(crate) fn compare_signed_text(
    received: &Received<'_>,
    secret: &Secret,
    others: &[Secret],
    signed: &[u8],
) -> Option<SignedText> {
    let timestamp = received.timestamp?;
    let makes_signature = |text: &[u8]| {
        std::iter::once(secret).chain(others).any(|secret| {
            let made = Signer::new(secret).sign_message(text).to_hex();
            let presented = received.signature.unwrap_or_default().trim_ascii();
            made[..].eq_ignore_ascii_case(presented)
        })
    };
    let bare = signed.strip_suffix(b"\n").unwrap_or(signed);
    let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
    let signed = if makes_signature(bare) { bare } else { signed };
    let expected = [timestamp, b".", received.body].concat();
    let difference = (expected != signed).then(|| TextDifference {
        mistakes: mistakes(received, secret, signed),
        excerpt: (!contains_key(signed, secret, others)).then(|| Excerpt::new(&expected, signed)),
        ..TextDifference::locate(&expected, signed, timestamp.len())
    });
    Some(SignedText {
        makes_signature: makes_signature(signed),
        difference,
    })
}

fn mistakes(received: &Received<'_>, secret: &Secret, signed: &[u8]) -> Vec<Mistake> {
    let mut search = Search::new(received, secret, &[], Target::Text(signed));
    search.keys.truncate(1);
    search.algorithms.truncate(1);
    let found = search.run(received);
    found.map(|found| found.mistakes).unwrap_or_default()
}

fn contains_key(text: &[u8], secret: &Secret, others: &[Secret]) -> bool {
    let keys = key::candidates(secret, others).0;
    keys.iter().any(|key| {
        let key = key.value.expose_bytes();
        key.len() >= MIN_KEY_BYTES && text.windows(key.len()).any(|part| part == key)
    })
}

impl TextDifference {
    fn locate(expected: &[u8], signed: &[u8], timestamp_length: usize) -> Self {
        let offset = common_length(expected, signed);
        let before = &expected[..character_start(expected, offset)];
        let lines = before.split(|byte| *byte == b'\n');
        let in_line = lines.clone().next_back().unwrap_or_default();
        let characters = in_line.iter().filter(|byte| is_start(**byte));
        Self {
            offset,
            line: lines.count(),
            column: 1 + characters.count(),
            excerpt: None,
            mistakes: Vec::new(),
            hint: match offset.cmp(&timestamp_length) {
                Ordering::Less => Some("The signed text does not begin with the timestamp."),
                Ordering::Equal => Some("The timestamp is not followed by a dot."),
                Ordering::Greater => hint(&expected[offset..], &signed[offset..]),
            },
        }
    }
}

/// What the first different bytes show.
fn hint(expected: &[u8], signed: &[u8]) -> Option<&'static str> {
    let (Some(wanted), Some(got)) = (expected.first(), signed.first()) else {
        return Some(if signed.is_empty() {
            "The signed text ends too early."
        } else {
            "The signed text goes on after the end of the body."
        });
    };
    let replaced = *got == b'?' || signed.starts_with(REPLACEMENT_CHARACTER);
    Some(match (wanted, got) {
        (b'\n', b'\r') => {
            "The signed text has Windows line breaks (CR LF), the body has Unix ones (LF)."
        }
        (b'\r', b'\n') => {
            "The signed text has Unix line breaks (LF), the body has Windows ones (CR LF)."
        }
        _ if signed.starts_with(BYTE_ORDER_MARK) => "The signed text has a byte order mark here.",
        _ if expected.starts_with(BYTE_ORDER_MARK) => {
            "The body has a byte order mark here, the signed text does not."
        }
        (_, b'\\') => "The signed text has an escape here, the body does not.",
        (b'\\', _) => "The body has an escape here, the signed text does not.",
        _ if replaced && !wanted.is_ascii() => {
            "A character was replaced, so the text was not decoded and encoded as UTF-8."
        }
        (_, got) if got.is_ascii_whitespace() => {
            "The signed text has whitespace here, the body does not."
        }
        (wanted, _) if wanted.is_ascii_whitespace() => {
            "The body has whitespace here, the signed text does not."
        }
        _ => return None,
    })
}

impl Excerpt {
    fn new(expected: &[u8], signed: &[u8]) -> Self {
        let offset = common_length(expected, signed);
        let start = character_start(expected, offset);
        let from = character_start(expected, start.saturating_sub(EXCERPT_BYTES));
        let after = String::from_utf8_lossy(&expected[from..start]);
        let cut = if from == 0 { "" } else { "…" };
        Self {
            after: format!("{cut}{after}"),
            expected: ExcerptSide::new(expected, start, offset),
            signed: ExcerptSide::new(signed, start, offset),
        }
    }
}

impl ExcerptSide {
    /// The text from `start`, and the bytes from `offset`.
    fn new(text: &[u8], start: usize, offset: usize) -> Self {
        let end = character_start(text, text.len().min(start + EXCERPT_BYTES));
        let shown = String::from_utf8_lossy(&text[start..end.max(start)]);
        let cut = if end < text.len() { "…" } else { "" };
        let bytes = text[offset..].iter().take(HEX_BYTES);
        let bytes: Vec<String> = bytes.map(|byte| format!("{byte:02x}")).collect();
        Self {
            text: format!("{shown}{cut}"),
            hex: bytes.join(" "),
        }
    }
}

fn common_length(one: &[u8], other: &[u8]) -> usize {
    let pairs = one.iter().zip(other);
    pairs.take_while(|(one, other)| one == other).count()
}

/// The start of the UTF-8 character at `offset`.
fn character_start(text: &[u8], offset: usize) -> usize {
    let mut start = offset;
    while start > 0 && text.get(start).is_some_and(|byte| !is_start(*byte)) {
        start -= 1;
    }
    start
}

/// Whether a byte begins a character of UTF-8.
fn is_start(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "{\"name\": \"Кристалл 💎\",\n \"quantity\": 3}";

    fn compare(body: &str, signed: &[u8]) -> TextDifference {
        let received = Received {
            signature: None,
            timestamp: Some(b"17"),
            body: body.as_bytes(),
        };
        let secret = Secret::new("whsec_1").expect("not empty");
        let compared = compare_signed_text(&received, &secret, &[], signed).expect("a timestamp");
        compared.difference.expect("a difference")
    }

    #[test]
    fn known_mistakes_are_named() {
        for (signed, names) in [
            (
                format!("17.\u{feff}{BODY}"),
                &["body_byte_order_mark_added"][..],
            ),
            (format!("17.{BODY}\n"), &["body_newline_added"]),
            (
                format!("17.{}", BODY.replace('\n', "\r\n")),
                &["body_windows_line_breaks"],
            ),
            (BODY.to_owned(), &["body_only"]),
            (format!("17:{BODY}"), &["separator_colon"]),
            (format!("17000.{BODY}"), &["timestamp_milliseconds"]),
            (format!("42.{BODY}"), &["timestamp_of_another_attempt"]),
            (
                "17|{\"name\":\"Кристалл 💎\",\"quantity\":3}".to_owned(),
                &["separator_bar", "json_compact"],
            ),
        ] {
            let difference = compare(BODY, signed.as_bytes());
            let found: Vec<_> = difference
                .mistakes
                .iter()
                .map(|mistake| &*mistake.name)
                .collect();
            assert_eq!(found, names, "{signed}");
        }
    }

    #[test]
    fn the_place_of_an_unknown_difference_and_its_bytes_are_shown() {
        for (from, to, place, hint) in [
            ("3}", "3", (51, 2, 15), "The signed text ends too early."),
            (
                "3}",
                "3}x",
                (52, 2, 16),
                "The signed text goes on after the end of the body.",
            ),
            (
                "3}",
                "3 ,}",
                (51, 2, 15),
                "The signed text has whitespace here, the body does not.",
            ),
            (
                ": 3",
                ":4",
                (49, 2, 13),
                "The body has whitespace here, the signed text does not.",
            ),
            (
                "и",
                "\\u0438",
                (17, 1, 16),
                "The signed text has an escape here, the body does not.",
            ),
            (
                "и",
                "?",
                (17, 1, 16),
                "A character was replaced, so the text was not decoded and encoded as UTF-8.",
            ),
            (
                "17.",
                "x17.",
                (0, 1, 1),
                "The signed text does not begin with the timestamp.",
            ),
            (
                "17.",
                "17#",
                (2, 1, 3),
                "The timestamp is not followed by a dot.",
            ),
        ] {
            let signed = format!("17.{BODY}").replace(from, to);
            let found = compare(BODY, signed.as_bytes());
            assert_eq!((found.offset, found.line, found.column), place, "{signed}");
            assert_eq!(found.hint, Some(hint), "{signed}");
            assert_eq!(found.mistakes, [], "{signed}");
        }
    }

    #[test]
    fn excerpts_are_cut_between_characters() {
        let signed = format!("17.{BODY}").replace("💎", "💜");
        let difference = compare(BODY, signed.as_bytes());
        assert_eq!((difference.offset, difference.column), (33, 23));
        let excerpt = difference.excerpt.expect("no secret");
        assert_eq!(excerpt.after, "…ame\": \"Кристалл ");
        assert_eq!(excerpt.expected.text, "💎\",\n \"quantity\": 3}");
        assert_eq!(excerpt.expected.hex, "8e 22 2c 0a 20 22 71 75");
        assert_eq!(excerpt.signed.hex, "9c 22 2c 0a 20 22 71 75");
    }

    #[test]
    fn a_text_with_the_secret_has_no_excerpt() {
        for secret in ["whsec_1", "d2hzZWNfMQ==", &hex::encode("whsec_1")] {
            let difference = compare(BODY, format!("{secret}17.{BODY}").as_bytes());
            assert_eq!(difference.excerpt, None, "{secret}");
        }
    }
}
