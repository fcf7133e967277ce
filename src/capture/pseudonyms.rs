//! Replaces a value with another of the same form, always with the same one within a capture.
//!
//! Each letter becomes a letter of the same case, each digit a digit, and everything else stays. So a
//! UUID stays a UUID, and a retry has the same key as its first attempt. The replacement depends on a
//! random key that is never written, so nobody can compute it from a guessed value.

use std::collections::{BTreeSet, HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use crate::protocol::Signer;

/// Texts with fewer letters and digits could get the same replacement as another by chance.
const SURELY_UNIQUE: usize = 12;
/// How often to look for a replacement that no other text has.
const TRIES: u32 = 64;
/// A longer prefix, such as that of `whevt_…`, is more likely a name.
const LONGEST_PREFIX: usize = 8;

const LOWER: &[char] = &['é', 'è', 'ñ', 'ó', 'ö', 'ú', 'ü', 'ß', 'ç', 'å'];
const UPPER: &[char] = &['É', 'È', 'Ñ', 'Ó', 'Ö', 'Ú', 'Ü', 'Ø', 'Ç', 'Å'];
const WIDE: &[char] = &['水', '晶', '山', '川', '月', '火', '木', '金', '土', '日'];
const ASTRAL: &[char] = &['😀', '😃', '😄', '😁', '😆', '😅', '😂', '😊', '😇', '🙂'];

pub(crate) struct Pseudonyms {
    signer: Signer,
    /// The replacements of short texts.
    given: HashMap<[u8; 32], String>,
    used: HashSet<String>,
    /// The prefixes of IDs, such as `whevt_`, which stay.
    prefixes: BTreeSet<String>,
}

impl Pseudonyms {
    /// `key` must be random.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let known = ["gm_", "idmpt_", "itm_", "ord_", "whevt_", "whtx_"];
        Self {
            signer: Signer::from_key(key),
            given: HashMap::new(),
            used: HashSet::new(),
            prefixes: known.map(str::to_owned).into(),
        }
    }

    /// Remembers the prefix of an ID of an event, such as `whevt_`.
    pub(super) fn learn_prefix(&mut self, id: &str) {
        let Some((prefix, rest)) = id.split_once('_') else {
            return;
        };
        let is_prefix = (2..=LONGEST_PREFIX).contains(&prefix.len())
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase());
        if is_prefix && rest.len() >= prefix.len() {
            self.prefixes.insert(format!("{prefix}_"));
        }
    }

    /// The replacement of a text.
    pub(super) fn of(&mut self, text: &str) -> String {
        let prefix = self.prefix(text).len();
        let (prefix, text) = text.split_at(prefix);
        let variable = text.chars().filter(|c| c.is_alphanumeric()).count();
        if variable >= SURELY_UNIQUE {
            return format!("{prefix}{}", self.derive(text, 0));
        }
        let digest = Sha256::digest(text).into();
        if let Some(given) = self.given.get(&digest) {
            return format!("{prefix}{given}");
        }
        let mut tries = (0..TRIES).map(|number| self.derive(text, number));
        let unused = tries.find(|found| found != text && !self.used.contains(found));
        let found = unused.unwrap_or_else(|| self.derive(text, TRIES));
        self.used.insert(found.clone());
        self.given.insert(digest, found.clone());
        format!("{prefix}{found}")
    }

    fn prefix<'text>(&self, text: &'text str) -> &'text str {
        let end = text.find('_').map_or(0, |end| end + 1);
        let prefix = &text[..end];
        if self.prefixes.contains(prefix) {
            prefix
        } else {
            ""
        }
    }

    fn derive(&self, text: &str, number: u32) -> String {
        let mut random = Keystream::new(&self.signer, text, number);
        let is_hex = is_hex(text);
        let is_uuid = is_uuid(text);
        let replaced = text.char_indices().map(|(at, c)| {
            // The version and the variant of a UUID.
            if is_uuid && (at == 14 || at == 19) {
                return c;
            }
            match c {
                'a'..='z' | '0'..='9' if is_hex => random.of(b"0123456789abcdef"),
                'A'..='Z' if is_hex => random.of(b"ABCDEF"),
                '0'..='9' => random.of(b"0123456789"),
                'a'..='z' => random.of(b"abcdefghijklmnopqrstuvwxyz"),
                'A'..='Z' => random.of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                '\0'..='\u{7f}' => c,
                '\u{10000}'.. => random.of(ASTRAL),
                _ if c.is_lowercase() => random.of(LOWER),
                _ if c.is_uppercase() => random.of(UPPER),
                _ => random.of(WIDE),
            }
        });
        replaced.collect()
    }

    /// The replacement of a number as it is written: sign, point and exponent stay.
    pub(super) fn of_number(&mut self, written: &str) -> String {
        let mut random = Keystream::new(&self.signer, written, 0);
        let mut is_first = true;
        let mut is_exponent = false;
        let replaced = written.chars().map(|c| {
            is_exponent |= matches!(c, 'e' | 'E');
            if !c.is_ascii_digit() || is_exponent {
                return c;
            }
            let is_leading = std::mem::take(&mut is_first);
            match (c, is_leading) {
                ('0', true) => c,
                (_, true) => random.of(b"123456789"),
                _ => random.of(b"0123456789"),
            }
        });
        replaced.collect()
    }
}

/// Whether all letters and digits are hex digits of one case, of which there are many.
fn is_hex(text: &str) -> bool {
    let mut alphanumeric = text.chars().filter(|c| c.is_alphanumeric());
    let count = alphanumeric.clone().count();
    let has_letter = alphanumeric.clone().any(|c| c.is_ascii_alphabetic());
    let lower = alphanumeric
        .clone()
        .all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    let upper = alphanumeric.all(|c| matches!(c, '0'..='9' | 'A'..='F'));
    count >= 16 && has_letter && (lower || upper)
}

pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// Random bytes that a text determines.
struct Keystream<'signer> {
    signer: &'signer Signer,
    block: [u8; 32],
    used: usize,
}

impl<'signer> Keystream<'signer> {
    fn new(signer: &'signer Signer, text: &str, number: u32) -> Self {
        let block = *signer.sign(number.into(), text.as_bytes()).as_bytes();
        Self {
            signer,
            block,
            used: 0,
        }
    }

    fn of<T: Copy + Into<char>>(&mut self, choices: &[T]) -> char {
        if self.used == self.block.len() {
            self.block = *self.signer.sign_message(&self.block).as_bytes();
            self.used = 0;
        }
        let byte = self.block[self.used];
        self.used += 1;
        choices[(usize::from(byte) * choices.len()) >> 8].into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::new(&[7; 32])
    }

    fn class(c: char) -> u8 {
        match c {
            '0'..='9' => 0,
            'a'..='z' => 1,
            'A'..='Z' => 2,
            '\0'..='\u{7f}' => 3,
            _ => 4,
        }
    }

    #[test]
    fn ids_keep_their_form() {
        let mut pseudonyms = pseudonyms();
        let uuid = pseudonyms.of("d1593e9c-c291-4004-8846-6679c2e5810b");
        assert!(
            is_uuid(&uuid) && uuid.contains("-4") && uuid.contains("-8"),
            "{uuid}"
        );
        let event = pseudonyms.of("whevt_eCacGbJVbvToOgzjXUgOCitkQE");
        assert!(event.starts_with("whevt_") && event.len() == 32, "{event}");
        let unknown = pseudonyms.of("anna_smith");
        assert!(
            !unknown.contains("anna") && unknown.contains('_'),
            "{unknown}"
        );
        pseudonyms.learn_prefix("evt_00112233445566778899aabb");
        let learned = pseudonyms.of("evt_00112233445566778899aabb");
        let (prefix, rest) = learned.split_at(4);
        assert!(prefix == "evt_" && is_hex(rest), "{learned}");
    }

    #[test]
    fn numbers_keep_their_form() {
        let mut pseudonyms = pseudonyms();
        let number = pseudonyms.of_number("-1234.50e+7");
        assert_ne!(number, "-1234.50e+7");
        assert!(number.starts_with('-') && number.ends_with("e+7") && &number[5..6] == ".");
        assert_eq!(pseudonyms.of_number("0"), "0");
    }

    #[test]
    fn short_values_stay_different() {
        let mut pseudonyms = pseudonyms();
        let ids: BTreeSet<String> = (0..26)
            .map(|n| pseudonyms.of(&format!("p{n:02}")))
            .collect();
        assert_eq!(ids.len(), 26);
    }

    proptest! {
        #[test]
        fn the_same_value_has_the_same_replacement_of_the_same_classes(text: String) {
            let mut pseudonyms = pseudonyms();
            let first = pseudonyms.of(&text);
            prop_assert_eq!(&first, &pseudonyms.of(&text));
            let classes = |text: &str| text.chars().map(class).collect::<Vec<_>>();
            prop_assert_eq!(classes(&first), classes(&text));
        }
    }
}
