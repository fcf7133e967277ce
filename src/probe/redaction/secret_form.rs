//! The forms of a secret to search for, and where they can be found.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::layer::{Layer, SHORTENED, cut_escape};
use crate::protocol::Secret;

/// The minimum length, in bytes, of secrets whose encoded forms are redacted too. The encoded forms
/// of shorter ones would match any text by chance.
const ENCODED_FROM: usize = 6;
/// The minimum length of secrets that are also found in other case, and if a text ends within them.
const LONG_FROM: usize = 12;
/// How many bytes of the start of a long secret are redacted if a text ends there.
const START_FROM: usize = 8;
/// How often escapes are replaced: JSON within JSON within HTML within a URL.
const LAYERS: usize = 4;

/// How a text is read to find a form in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reading {
    AsIs,
    /// In any case.
    Lowercase,
    /// In lower case and without separators between digits.
    Hex,
    /// With the standard alphabet and without line breaks.
    Base64,
}

impl Reading {
    const ALL: [Self; 4] = [Self::AsIs, Self::Lowercase, Self::Hex, Self::Base64];

    /// How it reads a byte; `None` if it skips it.
    fn read(self, byte: u8) -> Option<u8> {
        let is_break = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        match self {
            Self::AsIs => Some(byte),
            Self::Lowercase => Some(byte.to_ascii_lowercase()),
            Self::Hex => (!is_break
                && !matches!(byte, b':' | b'-' | b',' | b'.' | b';' | b'_' | b'='))
            .then(|| byte.to_ascii_lowercase()),
            Self::Base64 => match byte {
                b'-' => Some(b'+'),
                b'_' => Some(b'/'),
                _ => (!is_break).then_some(byte),
            },
        }
    }
}

/// One form of a secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SecretForm {
    reading: Reading,
    bytes: Vec<u8>,
    /// How many characters before and after it hold a part of the secret.
    around: (usize, usize),
    /// The length of its start that is redacted if the text ends there.
    start_from: Option<usize>,
}

impl fmt::Debug for SecretForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretForm([not shown])")
    }
}

impl SecretForm {
    pub(super) fn all_of(secret: &Secret) -> Vec<Self> {
        let text = secret.expose_text();
        let mut forms = Vec::new();
        for text in [
            text.to_owned(),
            text.replace('\'', r"'\''"),
            text.replace('\'', r#"'"'"'"#),
            text.replace('\'', "''"),
            text.replace('"', "\"\""),
            text.replace(' ', "+"),
        ] {
            forms.extend(Self::plain(&text));
        }
        if text.len() >= LONG_FROM && !text.is_ascii() {
            // Reading in any case changes only letters of ASCII.
            forms.extend(Self::plain(&text.to_uppercase()));
            forms.extend(Self::plain(&text.to_lowercase()));
        }
        if text.len() >= ENCODED_FROM {
            forms.extend(Self::encoded(text.as_bytes()));
            for unit_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                let bytes = text.encode_utf16().flat_map(unit_bytes);
                forms.push(Self::new(Reading::AsIs, bytes.collect()));
            }
            let latin1 = text.chars().map(|character| u8::try_from(character).ok());
            if let (Some(bytes), false) = (latin1.collect(), text.is_ascii()) {
                forms.push(Self::new(Reading::AsIs, bytes));
            }
        }
        forms.sort_unstable();
        forms.dedup();
        forms
    }

    fn new(reading: Reading, bytes: Vec<u8>) -> Self {
        let start_from = match reading {
            Reading::AsIs | Reading::Lowercase => START_FROM,
            Reading::Hex => 2 * START_FROM,
            Reading::Base64 => 4 * START_FROM / 3,
        };
        Self {
            start_from: (bytes.len() > start_from + START_FROM / 2).then_some(start_from),
            reading,
            bytes,
            around: (0, 0),
        }
    }

    /// What a text has in any case if it has this form, or the part of it that is redacted at an end.
    fn beginning(&self) -> &[u8] {
        &self.bytes[..self.start_from.unwrap_or(self.bytes.len())]
    }

    /// The secret may itself contain what looks like an escape, which reading a text replaces.
    fn plain(text: &str) -> Vec<Self> {
        let mut forms = Vec::new();
        let mut layer = Layer::received(text.as_bytes());
        for _ in 0..=LAYERS {
            forms.push(Self::new(Reading::AsIs, layer.bytes.clone()));
            if text.len() >= LONG_FROM {
                let lowercase = layer.bytes.to_ascii_lowercase();
                forms.push(Self::new(Reading::Lowercase, lowercase));
            }
            match layer.unescaped() {
                Some(unescaped) if !unescaped.bytes.is_empty() => layer = unescaped,
                _ => break,
            }
        }
        forms
    }

    /// In hex, as a list of numbers, and in base64 after any number of other bytes.
    fn encoded(secret: &[u8]) -> Vec<Self> {
        let listed = |number: fn(&u8) -> String| {
            let numbers: String = secret.iter().map(number).collect();
            Self::new(Reading::Hex, numbers.into_bytes())
        };
        let mut forms = vec![
            listed(|byte| format!("{byte:02x}")),
            listed(|byte| format!("0x{byte:02x}")),
            listed(u8::to_string),
            listed(|byte| format!("{byte:03}")),
        ];
        for before in 0..3 {
            let text = STANDARD_NO_PAD.encode([&vec![0; before][..], secret].concat());
            // Each character holds six bits. Those at both ends hold bits of other bytes, too.
            let first = (before * 8).div_ceil(6);
            let end = (before + secret.len()) * 8 / 6;
            forms.push(Self {
                around: (usize::from(before > 0), text.len() - end),
                ..Self::new(Reading::Base64, text.as_bytes()[first..end].to_vec())
            });
        }
        forms
    }

    /// Where it is in `bytes`, which may have been cut at `ends`.
    fn find_in(&self, bytes: &[u8], ends: &[usize]) -> Vec<Range<usize>> {
        let found = occurrences(bytes, &self.bytes).into_iter().map(|start| {
            let end = start + self.bytes.len();
            start.saturating_sub(self.around.0)..bytes.len().min(end.saturating_add(self.around.1))
        });
        let mut found: Vec<_> = found.collect();
        let Some(least) = self.start_from else {
            return found;
        };
        for &end in ends {
            let most = end.min(self.bytes.len() - 1);
            let cut = (least..=most).rev();
            let cut = cut.filter(|length| bytes[..end].ends_with(&self.bytes[..*length]));
            if let Some(length) = cut.take(1).next() {
                let start = (end - length).saturating_sub(self.around.0);
                found.push(start..end);
            }
        }
        found
    }
}

/// Where a text may have been cut: at its end and where it was shortened for a message, or at an escape
/// before these that is not whole.
fn cut_ends(bytes: &[u8]) -> Vec<usize> {
    const MOST: usize = 20;
    let shortened = occurrences(bytes, SHORTENED).into_iter().take(MOST);
    let ends = shortened.chain([bytes.len()]);
    // An escape that is cut may be one of escaped characters, such as `&#` and a part of `\u0038`.
    let with_escapes = ends.flat_map(|end| {
        let cut = |end: &usize| cut_escape(&bytes[..*end]);
        std::iter::successors(Some(end), cut).take(LAYERS + 1)
    });
    with_escapes.collect()
}

/// Where `wanted` occurs, without overlaps.
fn occurrences(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    // Nearly all responses are text, and searching text is many times faster. A long response must
    // not delay other requests.
    if let (Ok(text), Ok(wanted)) = (std::str::from_utf8(bytes), std::str::from_utf8(wanted)) {
        return text.match_indices(wanted).map(|(at, _)| at).collect();
    }
    let mut found = Vec::new();
    let mut next = 0;
    for (at, window) in bytes.windows(wanted.len()).enumerate() {
        if at >= next && window[0] == wanted[0] && window == wanted {
            found.push(at);
            next = at + wanted.len();
        }
    }
    found
}

/// The forms with one reading.
#[derive(Clone)]
pub(super) struct ReadForms {
    reading: Reading,
    pub(super) forms: Vec<SecretForm>,
    /// Finds what each of them begins with in one pass. Nearly all texts have none of these beginnings. `None`
    /// if the forms are too long for it.
    beginnings: Option<AhoCorasick>,
}

impl fmt::Debug for ReadForms {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ReadForms([not shown])")
    }
}

impl ReadForms {
    pub(super) fn all_of(forms: &[SecretForm]) -> Vec<Self> {
        let read = Reading::ALL.map(|reading| {
            let own = forms.iter().filter(|form| form.reading == reading);
            let forms: Vec<SecretForm> = own.cloned().collect();
            Self {
                reading,
                beginnings: AhoCorasick::new(forms.iter().map(SecretForm::beginning)).ok(),
                forms,
            }
        });
        read.into_iter()
            .filter(|read| !read.forms.is_empty())
            .collect()
    }

    /// Where they are in the bytes that a layer was made from.
    fn find_in(&self, layer: &Layer) -> Vec<Range<usize>> {
        let bytes: Cow<'_, [u8]> = match self.reading {
            Reading::AsIs => layer.bytes.as_slice().into(),
            reading => {
                let read = layer.bytes.iter().filter_map(|byte| reading.read(*byte));
                read.collect()
            }
        };
        let may_have = |beginnings: &AhoCorasick| beginnings.is_match(bytes.as_ref());
        if !self.beginnings.as_ref().is_none_or(may_have) {
            return Vec::new();
        }
        let ends = cut_ends(&bytes);
        let forms = self.forms.iter();
        let found: Vec<_> = forms.flat_map(|form| form.find_in(&bytes, &ends)).collect();
        if found.is_empty() {
            return found;
        }
        let read = layer.mapped(|byte| self.reading.read(byte));
        found
            .into_iter()
            .map(|range| read.received_range(range))
            .collect()
    }
}

/// Where the forms are in `bytes`, in the order of their starts; overlapping ranges are joined.
pub(super) fn find(forms: &[ReadForms], bytes: &[u8]) -> Vec<Range<usize>> {
    let received = Layer::received(bytes);
    // UTF-16 and UTF-32 have zeros between the bytes of ASCII.
    let without_zeros = bytes
        .contains(&0)
        .then(|| received.mapped(|byte| (byte != 0).then_some(byte)));
    let mut found = Vec::new();
    for layer in [Some(received), without_zeros].into_iter().flatten() {
        let mut layer = Some(layer);
        for _ in 0..=LAYERS {
            let Some(current) = layer else { break };
            for read in forms {
                found.extend(read.find_in(&current));
            }
            layer = current.unescaped();
        }
    }
    found.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in found {
        match joined.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}
