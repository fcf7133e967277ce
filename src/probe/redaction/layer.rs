//! A text with its escapes replaced, which knows where each byte was in the received text.

use std::ops::Range;

/// Bytes that were made from received bytes, and where.
pub(super) struct Layer {
    pub(super) bytes: Vec<u8>,
    /// Where each byte began, and where the received bytes end; `None` if they are unchanged.
    starts: Option<Vec<usize>>,
}

/// The longest escape, such as `&DiacriticalGrave;`.
const ESCAPE_LIMIT: usize = 18;

/// What marks the end of a text that was shortened for a message.
pub(super) const SHORTENED: &[u8] = "…".as_bytes();

impl Layer {
    pub(super) fn received(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            starts: None,
        }
    }

    /// Where a range was in the received bytes.
    pub(super) fn received_range(&self, range: Range<usize>) -> Range<usize> {
        match &self.starts {
            Some(starts) => starts[range.start]..starts[range.end],
            None => range,
        }
    }

    /// Without some bytes, and with others replaced.
    pub(super) fn mapped(&self, map: impl Fn(u8) -> Option<u8>) -> Self {
        let mut changed = Changed::of(self);
        for (at, byte) in self.bytes.iter().enumerate() {
            if let Some(byte) = map(*byte) {
                changed.push(&[byte], at);
            }
        }
        changed.finish()
    }

    /// The text with the escapes of JSON, programming languages, URLs and HTML replaced once. `None` if
    /// there are none.
    pub(super) fn unescaped(&self) -> Option<Self> {
        let mut next = self.bytes.iter().position(|byte| is_escape(*byte))?;
        let mut changed = Changed::of(self);
        let (mut at, mut found) = (0, false);
        while at < self.bytes.len() {
            changed.copy(at..next);
            at = next;
            if let Some((text, length)) = escape(&self.bytes[at..]) {
                changed.push(&text, at);
                (at, found) = (at + length, true);
            } else if let Some(&[byte]) = self.bytes.get(at..=at) {
                changed.push(&[byte], at);
                at += 1;
            }
            let after = self.bytes[at..].iter().position(|byte| is_escape(*byte));
            next = after.map_or(self.bytes.len(), |after| at + after);
        }
        found.then(|| changed.finish())
    }
}

/// A layer that is being made from another.
struct Changed<'layer> {
    from: &'layer Layer,
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl<'layer> Changed<'layer> {
    fn of(from: &'layer Layer) -> Self {
        Self {
            from,
            bytes: Vec::with_capacity(from.bytes.len()),
            starts: Vec::with_capacity(from.bytes.len() + 1),
        }
    }

    fn start(&self, at: usize) -> usize {
        self.from.starts.as_ref().map_or(at, |starts| starts[at])
    }

    fn push(&mut self, bytes: &[u8], at: usize) {
        self.bytes.extend_from_slice(bytes);
        let start = self.start(at);
        self.starts.extend(bytes.iter().map(|_| start));
    }

    fn copy(&mut self, range: Range<usize>) {
        self.bytes
            .extend_from_slice(&self.from.bytes[range.clone()]);
        match &self.from.starts {
            Some(starts) => self.starts.extend_from_slice(&starts[range]),
            None => self.starts.extend(range),
        }
    }

    fn finish(mut self) -> Layer {
        self.starts.push(self.start(self.from.bytes.len()));
        Layer {
            bytes: self.bytes,
            starts: Some(self.starts),
        }
    }
}

/// Where an escape may begin that the end of the text cuts off.
pub(super) fn cut_escape(bytes: &[u8]) -> Option<usize> {
    let from = bytes.len().saturating_sub(ESCAPE_LIMIT);
    let tail = &bytes[from..];
    let at = tail.iter().rposition(|byte| is_escape(*byte))?;
    Some(from + at)
}

/// Whether the text is cut here, perhaps within an escape.
fn is_cut(rest: &[u8]) -> bool {
    let near = &rest[..rest.len().min(ESCAPE_LIMIT + SHORTENED.len())];
    let mark = near
        .windows(SHORTENED.len())
        .position(|part| part == SHORTENED);
    match mark {
        None if rest.len() > ESCAPE_LIMIT => false,
        end => match &rest[..end.unwrap_or(rest.len())] {
            [] => true,
            last @ [first, ..] => is_escape(*first) && escape(last).is_none(),
        },
    }
}

/// Whether an escape can begin with this byte.
fn is_escape(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&')
}

/// What an escape stands for, in bytes, and its length.
type Escape = (Vec<u8>, usize);

/// The escape at the start of `bytes`.
fn escape(bytes: &[u8]) -> Option<Escape> {
    match bytes {
        [b'\\', b'u', b'{', digits @ ..] => {
            let length = digits.iter().take(7).position(|byte| *byte == b'}')?;
            character(hexadecimal(digits, length)?, length + 4)
        }
        [b'\\' | b'%', b'u', digits @ ..] => utf16_escape(bytes[0], digits),
        [b'\\', b'U', digits @ ..] => character(hexadecimal(digits, 8)?, 10),
        [b'\\', b'x', digits @ ..] => byte(hexadecimal(digits, 2)?, 4),
        [b'%', digits @ ..] => byte(hexadecimal(digits, 2)?, 3),
        [b'\\', b'n', ..] => byte(0x0a, 2),
        [b'\\', b'r', ..] => byte(0x0d, 2),
        [b'\\', b't', ..] => byte(0x09, 2),
        [b'\\', b'b', ..] => byte(0x08, 2),
        [b'\\', b'f', ..] => byte(0x0c, 2),
        [b'\\', escaped, ..] if escaped.is_ascii_punctuation() => byte((*escaped).into(), 2),
        [b'&', b'#', b'x' | b'X', digits @ ..] => reference(digits, 16, 3),
        [b'&', b'#', digits @ ..] => reference(digits, 10, 2),
        [b'&', name @ ..] => entity(name),
        _ => None,
    }
}

fn byte(code: u32, length: usize) -> Option<Escape> {
    Some((vec![u8::try_from(code).ok()?], length))
}

fn character(code: u32, length: usize) -> Option<Escape> {
    let character = char::from_u32(code)?;
    Some((character.to_string().into_bytes(), length))
}

fn hexadecimal(digits: &[u8], length: usize) -> Option<u32> {
    let digits = digits.get(..length).filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0, |number, digit| {
        Some(number * 16 + char::from(*digit).to_digit(16)?)
    })
}

/// A UTF-16 code unit, or two for characters beyond the first 65,536. `introducer` is `\` or `%`.
fn utf16_escape(introducer: u8, digits: &[u8]) -> Option<Escape> {
    let first = hexadecimal(digits, 4)?;
    if !(0xd800..0xdc00).contains(&first) {
        return character(first, 6);
    }
    let [other, b'u', digits @ ..] = digits.get(4..)? else {
        return None;
    };
    let second = hexadecimal(digits, 4)?;
    if *other != introducer || !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    character(0x1_0000 + (first - 0xd800) * 0x400 + (second - 0xdc00), 12)
}

/// A character reference of HTML by number. The semicolon can be missing.
fn reference(digits: &[u8], base: u32, before: usize) -> Option<Escape> {
    const DIGITS: usize = 10;
    let is_digit = |byte: &&u8| char::from(**byte).is_digit(base);
    let length = digits.iter().take(DIGITS).take_while(is_digit).count();
    let number = std::str::from_utf8(digits.get(..length)?).ok()?;
    let semicolon = usize::from(digits.get(length) == Some(&b';'));
    if semicolon == 0 && is_cut(&digits[length..]) {
        return None;
    }
    let code = u32::from_str_radix(number, base).ok()?;
    character(code, before + length + semicolon)
}

/// The names that HTML has for ASCII characters.
const ENTITIES: [(&str, u8); 45] = [
    ("Tab;", b'\t'),
    ("NewLine;", b'\n'),
    ("excl;", b'!'),
    ("quot;", b'"'),
    ("QUOT;", b'"'),
    ("num;", b'#'),
    ("dollar;", b'$'),
    ("percnt;", b'%'),
    ("amp;", b'&'),
    ("AMP;", b'&'),
    ("apos;", b'\''),
    ("lpar;", b'('),
    ("rpar;", b')'),
    ("ast;", b'*'),
    ("midast;", b'*'),
    ("plus;", b'+'),
    ("comma;", b','),
    ("period;", b'.'),
    ("sol;", b'/'),
    ("colon;", b':'),
    ("semi;", b';'),
    ("lt;", b'<'),
    ("LT;", b'<'),
    ("equals;", b'='),
    ("gt;", b'>'),
    ("GT;", b'>'),
    ("quest;", b'?'),
    ("commat;", b'@'),
    ("lsqb;", b'['),
    ("lbrack;", b'['),
    ("bsol;", b'\\'),
    ("rsqb;", b']'),
    ("rbrack;", b']'),
    ("Hat;", b'^'),
    ("lowbar;", b'_'),
    ("UnderBar;", b'_'),
    ("grave;", b'`'),
    ("DiacriticalGrave;", b'`'),
    ("lcub;", b'{'),
    ("lbrace;", b'{'),
    ("verbar;", b'|'),
    ("vert;", b'|'),
    ("VerticalLine;", b'|'),
    ("rcub;", b'}'),
    ("rbrace;", b'}'),
];

fn entity(text: &[u8]) -> Option<Escape> {
    let mut entities = ENTITIES.iter();
    let (name, code) = entities.find(|(name, _)| text.starts_with(name.as_bytes()))?;
    byte((*code).into(), name.len() + 1)
}
