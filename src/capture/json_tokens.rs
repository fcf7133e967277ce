//! Walks over the text of a JSON document, so that its strings and numbers can be read, or
//! replaced, where they are written.

use std::ops::Range;
use std::rc::Rc;

use serde::de::IgnoredAny;

/// Stands for the items of a list in a path.
pub(crate) const ITEM: &str = "[]";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// The name of an object's member. The path includes it.
    Key,
    String,
    Number,
    /// `true`, `false` or `null`.
    Word,
    /// The beginning of an object.
    Object,
    /// The beginning of a list.
    List,
}

/// A token and its place. The range of a string includes the quotation marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    /// Tokens of one list share it.
    pub(crate) path: Rc<[Rc<str>]>,
    pub(crate) range: Range<usize>,
}

/// Nobody nests an event deeper, and each token has a path.
const DEEPEST: usize = 64;

impl Token {
    pub(crate) fn is_at(&self, path: &[&str]) -> bool {
        self.path.iter().map(AsRef::as_ref).eq(path.iter().copied())
    }
}

/// The tokens in order; `None` if the text is not JSON.
pub(crate) fn tokens(text: &str) -> Option<Vec<Token>> {
    // Checks the nesting, too.
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut walk = Walk {
        text,
        at: 0,
        path: Vec::new(),
        item: ITEM.into(),
        found: Vec::new(),
    };
    walk.value()?;
    Some(walk.found)
}

struct Walk<'text> {
    text: &'text str,
    at: usize,
    path: Vec<Rc<str>>,
    /// The part of a path for each item of a list.
    item: Rc<str>,
    found: Vec<Token>,
}

impl Walk<'_> {
    fn value(&mut self) -> Option<()> {
        match self.next_byte()? {
            b'{' => {
                self.token(TokenKind::Object, self.at..self.at + 1);
                self.members(b'}', |walk| {
                    let name = walk.string_range()?;
                    let text: String = serde_json::from_str(&walk.text[name.clone()]).ok()?;
                    walk.path.push(text.into());
                    walk.token(TokenKind::Key, name);
                    // The colon.
                    walk.next_byte()?;
                    walk.at += 1;
                    Some(())
                })
            }
            b'[' => {
                self.token(TokenKind::List, self.at..self.at + 1);
                self.members(b']', |walk| {
                    let item = walk.item.clone();
                    walk.path.push(item);
                    Some(())
                })
            }
            b'"' => {
                let range = self.string_range()?;
                self.token(TokenKind::String, range);
                Some(())
            }
            first => {
                let rest = &self.text[self.at..];
                let ends = |c: char| ",]} \t\r\n".contains(c);
                let end = self.at + rest.find(ends).unwrap_or(rest.len());
                let kind = match first {
                    b't' | b'f' | b'n' => TokenKind::Word,
                    _ => TokenKind::Number,
                };
                self.token(kind, self.at..end);
                self.at = end;
                Some(())
            }
        }
    }

    /// Reads the members of an object or a list. `begin` reads what comes before a value, and adds it
    /// to the path.
    fn members(&mut self, close: u8, begin: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        if self.path.len() == DEEPEST {
            return None;
        }
        self.at += 1;
        while self.next_byte()? != close {
            if self.next_byte()? == b',' {
                self.at += 1;
                self.next_byte()?;
            }
            begin(self)?;
            self.value()?;
            self.path.pop();
        }
        self.at += 1;
        Some(())
    }

    /// The next byte that is not whitespace.
    fn next_byte(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        Some(bytes[self.at])
    }

    fn string_range(&mut self) -> Option<Range<usize>> {
        let (bytes, begin) = (self.text.as_bytes(), self.at);
        let mut end = begin + 1;
        while *bytes.get(end)? != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        self.at = end + 1;
        Some(begin..self.at)
    }

    fn token(&mut self, kind: TokenKind, range: Range<usize>) {
        let path = match self.found.last() {
            Some(last) if last.path[..] == self.path[..] => Rc::clone(&last.path),
            _ => self.path.as_slice().into(),
        };
        self.found.push(Token { kind, path, range });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let tokens = tokens(text).expect("JSON");
        let shown = tokens.iter().map(|token| {
            let text = &text[token.range.clone()];
            format!("{} {:?} {text}", token.path.join("."), token.kind)
        });
        shown.collect()
    }

    #[test]
    fn every_token_has_its_path_and_place() {
        let text = " { \"a\" : [ 1.50, \"x\\\"y\" , { \"é\":null} ],\"b\":{}, \"c\": [ ] }\n";
        let expected = [
            " Object {",
            "a Key \"a\"",
            "a List [",
            "a.[] Number 1.50",
            "a.[] String \"x\\\"y\"",
            "a.[] Object {",
            "a.[].é Key \"é\"",
            "a.[].é Word null",
            "b Key \"b\"",
            "b Object {",
            "c Key \"c\"",
            "c List [",
        ];
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn what_is_not_json_has_no_tokens() {
        for text in ["", "{", "{\"a\":}", "[1,]", "x", "{} {}", &"[".repeat(1000)] {
            assert_eq!(tokens(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_string_is_found(texts: Vec<String>) {
            let json = Value::from(texts.clone()).to_string();
            let found = tokens(&json).expect("JSON");
            let found = found.iter().filter(|token| token.kind == TokenKind::String);
            let found: Vec<String> = found
                .map(|token| serde_json::from_str(&json[token.range.clone()]).expect("a string"))
                .collect();
            prop_assert_eq!(found, texts);
        }
    }
}
