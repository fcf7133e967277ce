//! Mistakes in the charset: a body that was decoded or encoded with anything but UTF-8, such as the
//! default of the platform.

use std::collections::HashMap;

use super::mistake::{Candidates, mistakes};

mistakes! {
    "Sign and verify the raw bytes of the request before anything decodes them. If you checked a copy \
     of the body, save the raw bytes instead. Where text must be decoded or encoded, name UTF-8: the \
     default of the platform may differ, as Java's does under LC_ALL=C.";
    LATIN_1 "body_decoded_as_latin_1"
        "The body was decoded as Latin-1 instead of UTF-8 before it was signed.";
    WINDOWS_1252 "body_decoded_as_windows_1252"
        "The body was decoded as windows-1252 instead of UTF-8 before it was signed.";
    ASCII "body_decoded_as_ascii"
        "The body was decoded as US-ASCII instead of UTF-8 before it was signed: each other byte became \
         U+FFFD.";
    INVALID_REPLACED "body_invalid_bytes_replaced"
        "The body has bytes that are not UTF-8, and each was replaced by U+FFFD before it was signed.";
    QUESTION_MARK_PER_BYTE "body_bytes_replaced"
        "Each byte of the body that is not ASCII was replaced by `?` before it was signed, as when \
         US-ASCII is used to decode and encode it.";
    QUESTION_MARK_PER_UNDEFINED "body_bytes_replaced"
        "Each byte of the body that windows-1252 does not define was replaced by `?` before it was \
         signed, as when windows-1252 is used to decode and encode it.";
    ENCODED_AS_ASCII "body_encoded_as_ascii"
        "The body was encoded as US-ASCII instead of UTF-8 before it was signed: each other character \
         became `?`.";
    ENCODED_AS_LATIN_1 "body_encoded_as_latin_1"
        "The body was encoded as Latin-1 instead of UTF-8 before it was signed.";
    ENCODED_AS_WINDOWS_1252 "body_encoded_as_windows_1252"
        "The body was encoded as windows-1252 instead of UTF-8 before it was signed.";
    UTF_16 "body_utf_16" "The body was encoded as UTF-16 instead of UTF-8 before it was signed.";
    WAS_LATIN_1 "body_was_decoded_as_latin_1"
        "The given body was decoded as Latin-1 instead of UTF-8, but the original bytes were signed.";
    WAS_WINDOWS_1252 "body_was_decoded_as_windows_1252"
        "The given body was decoded as windows-1252 instead of UTF-8, but the original bytes were \
         signed.";
}

const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// The characters of the bytes 0x80 to 0x9F in windows-1252. The five that it does not define are
/// control characters here, as in browsers and .NET.
const WINDOWS_1252_TABLE: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

pub(super) fn add_to(bodies: &mut Candidates<Vec<u8>>, body: &[u8]) {
    let decoded = |character: fn(u8) -> char| -> Vec<u8> {
        let text: String = body.iter().copied().map(character).collect();
        text.into_bytes()
    };
    let replaced = |is_known: fn(u8) -> bool| -> Vec<u8> {
        let bytes = body.iter().copied();
        bytes
            .map(|byte| if is_known(byte) { byte } else { b'?' })
            .collect()
    };
    bodies.add(decoded(char::from), [LATIN_1]);
    bodies.add(decoded(windows_1252), [WINDOWS_1252]);
    bodies.add(decoded(java_windows_1252), [WINDOWS_1252]);
    bodies.add(decoded(ascii), [ASCII]);
    let valid = String::from_utf8_lossy(body).into_owned().into_bytes();
    bodies.add(valid, [INVALID_REPLACED]);
    bodies.add(replaced(|byte| byte.is_ascii()), [QUESTION_MARK_PER_BYTE]);
    bodies.add(
        replaced(|byte| java_windows_1252(byte) != REPLACEMENT),
        [QUESTION_MARK_PER_UNDEFINED],
    );
    if let Ok(text) = std::str::from_utf8(body) {
        add_encoded(bodies, text);
    }
}

fn add_encoded(bodies: &mut Candidates<Vec<u8>>, text: &str) {
    let charsets = [
        (ascii as fn(u8) -> char, ENCODED_AS_ASCII, ENCODED_AS_ASCII),
        (char::from, ENCODED_AS_LATIN_1, WAS_LATIN_1),
        (windows_1252, ENCODED_AS_WINDOWS_1252, WAS_WINDOWS_1252),
    ];
    for (decode, encoded_as, was_decoded_as) in charsets {
        // Most libraries replace a character with one `?`, .NET each of its UTF-16 units.
        for marks in [|_| 1, char::len_utf16] {
            let bytes = encoded(text, decode, marks);
            // Text that was decoded wrongly turns back into UTF-8 that is not ASCII.
            let is_restored = !bytes.is_ascii() && std::str::from_utf8(&bytes).is_ok();
            let mistake = if is_restored {
                &was_decoded_as
            } else {
                &encoded_as
            };
            bodies.add(bytes, [mistake.clone()]);
        }
    }
    for mark in ["", "\u{feff}"] {
        let units = || mark.encode_utf16().chain(text.encode_utf16());
        bodies.add(units().flat_map(u16::to_be_bytes).collect(), [UTF_16]);
        bodies.add(units().flat_map(u16::to_le_bytes).collect(), [UTF_16]);
    }
}

/// `text` in a charset of single bytes that extends ASCII, with `marks` question marks for a character
/// that it lacks.
fn encoded(text: &str, decode: fn(u8) -> char, marks: fn(char) -> usize) -> Vec<u8> {
    let others = (0x80..=u8::MAX).filter(|byte| decode(*byte) != REPLACEMENT);
    let others: HashMap<char, u8> = others.map(|byte| (decode(byte), byte)).collect();
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => bytes.push(byte),
            _ => match others.get(&character) {
                Some(byte) => bytes.push(*byte),
                None => bytes.extend(std::iter::repeat_n(b'?', marks(character))),
            },
        }
    }
    bytes
}

fn windows_1252(byte: u8) -> char {
    let index = byte.checked_sub(0x80).map(usize::from);
    let character = index.and_then(|index| WINDOWS_1252_TABLE.chars().nth(index));
    character.unwrap_or(char::from(byte))
}

/// Java has no characters for the bytes that windows-1252 does not define.
fn java_windows_1252(byte: u8) -> char {
    match windows_1252(byte) {
        '\u{80}'..='\u{9f}' => REPLACEMENT,
        character => character,
    }
}

fn ascii(byte: u8) -> char {
    if byte.is_ascii() {
        char::from(byte)
    } else {
        REPLACEMENT
    }
}
