//! IDs as a database stores or compares them, so that different ones become one.

use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};

/// One composition of each accented letter.
pub(super) fn normalised(id: &str) -> String {
    ComposingNormalizer::new_nfc().normalize(id).into_owned()
}

/// Letters without their accents.
pub(super) fn without_accents(id: &str) -> String {
    let decomposed = DecomposingNormalizer::new_nfd();
    let decomposed = decomposed.normalize(id);
    let is_mark = |character: &char| matches!(character, '\u{300}'..='\u{36f}');
    let letters = decomposed.chars().filter(|letter| !is_mark(letter));
    letters.collect()
}

/// Without the spaces at the end.
pub(super) fn without_trailing_spaces(id: &str) -> String {
    id.trim_end_matches(' ').to_owned()
}

/// As a number is written, if it is one.
pub(super) fn without_leading_zeros(id: &str) -> String {
    let is_number = id.bytes().all(|byte| byte.is_ascii_digit());
    let digits = if is_number {
        id.trim_start_matches('0')
    } else {
        id
    };
    digits.to_owned()
}

/// With `?` for each character that Latin-1 does not have.
pub(super) fn in_latin_1(id: &str) -> String {
    let known = |character: char| if character > 'ÿ' { '?' } else { character };
    id.chars().map(known).collect()
}

/// The first characters of a text, as a column of this length stores it.
pub(super) fn truncated(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}
