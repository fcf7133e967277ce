//! How a JSON text is written: its whitespace and its escapes.

use std::fmt;

use crate::generate::BodyLayout;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) whitespace: Whitespace,
    pub(crate) escapes: Escapes,
    pub(crate) surrounding: Surrounding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whitespace {
    Compact,
    Spaced,
    /// Indented by two spaces.
    Indented,
    /// The same with Windows line breaks.
    IndentedCrlf,
    Other,
}

/// What was seen of the characters that can be escaped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent observation"
)]
pub(crate) struct Escapes {
    pub(crate) plain_non_ascii: bool,
    pub(crate) escaped_non_ascii: bool,
    pub(crate) plain_slash: bool,
    pub(crate) escaped_slash: bool,
    /// An escape that JSON does not need, such as `\u003c`.
    pub(crate) escaped_ascii: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Surrounding {
    pub(crate) before: bool,
    pub(crate) after: bool,
}

impl Layout {
    /// The layout of a valid JSON text.
    pub(crate) fn of(text: &str) -> Self {
        let whole = text.trim_ascii();
        Self {
            whitespace: Whitespace::of(whole),
            escapes: Escapes::of(whole),
            surrounding: Surrounding {
                before: !text.starts_with(whole),
                after: !text.ends_with(whole),
            },
        }
    }
}

impl Whitespace {
    fn of(text: &str) -> Self {
        let compact = outside_strings(text, |c, out| {
            if !c.is_ascii_whitespace() {
                out.push(c);
            }
        });
        let known = [
            Self::Compact,
            Self::Spaced,
            Self::Indented,
            Self::IndentedCrlf,
        ];
        let known = known.into_iter();
        let mut fitting = known.filter(|whitespace| whitespace.write(&compact) == text);
        fitting.next().unwrap_or(Self::Other)
    }

    /// Writes a compact text with this whitespace.
    fn write(self, compact: &str) -> String {
        let line_break = match self {
            Self::Compact | Self::Other => return compact.to_owned(),
            Self::Spaced => {
                return outside_strings(compact, |c, out| {
                    out.push(c);
                    if matches!(c, ',' | ':') {
                        out.push(' ');
                    }
                });
            }
            Self::Indented => "\n",
            Self::IndentedCrlf => "\r\n",
        };
        let mut depth = 0_usize;
        let mut opened = false;
        outside_strings(compact, |c, out| {
            let new_line = |depth: usize, out: &mut String| {
                out.push_str(line_break);
                out.push_str(&"  ".repeat(depth));
            };
            let closes = matches!(c, '}' | ']');
            if closes {
                depth = depth.saturating_sub(1);
            }
            // An empty list stays on one line.
            if closes != opened {
                new_line(depth, out);
            }
            opened = matches!(c, '{' | '[');
            match c {
                ',' => {
                    out.push(c);
                    new_line(depth, out);
                }
                ':' => out.push_str(": "),
                _ => out.push(c),
            }
            depth += usize::from(opened);
        })
    }
}

/// Copies strings, and lets `write` write the characters outside of them.
fn outside_strings(text: &str, mut write: impl FnMut(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let (mut in_string, mut is_escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            out.push(c);
            in_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
        } else if c == '"' {
            write(c, &mut out);
            in_string = true;
        } else {
            write(c, &mut out);
        }
    }
    out
}

impl Escapes {
    fn of(text: &str) -> Self {
        let mut seen = Self::default();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match c {
                '/' => seen.plain_slash = true,
                '\\' => match rest.next() {
                    Some('/') => seen.escaped_slash = true,
                    Some('u') => {
                        let digits: String = rest.by_ref().take(4).collect();
                        match u32::from_str_radix(&digits, 16) {
                            // Control characters must be escaped.
                            Ok(0x20..=0x7e) => seen.escaped_ascii = true,
                            Ok(0x7f..) => seen.escaped_non_ascii = true,
                            _ => {}
                        }
                    }
                    _ => {}
                },
                c if !c.is_ascii() => seen.plain_non_ascii = true,
                _ => {}
            }
        }
        seen
    }

    /// Adds what was seen of another text.
    pub(crate) fn add(&mut self, other: Self) {
        self.plain_non_ascii |= other.plain_non_ascii;
        self.escaped_non_ascii |= other.escaped_non_ascii;
        self.plain_slash |= other.plain_slash;
        self.escaped_slash |= other.escaped_slash;
        self.escaped_ascii |= other.escaped_ascii;
    }

    /// What differs from how a layout of ours is written.
    pub(super) fn difference(self, expected: BodyLayout) -> Option<&'static str> {
        let escapes_non_ascii = matches!(expected, BodyLayout::Escaped | BodyLayout::SpacedEscaped);
        let escapes_slashes = expected == BodyLayout::EscapedSlashes;
        if self.escaped_ascii {
            Some("plain ASCII characters are written as `\\uXXXX`")
        } else if self.escaped_non_ascii && !escapes_non_ascii {
            Some("non-ASCII characters are written as `\\uXXXX`")
        } else if self.plain_non_ascii && escapes_non_ascii {
            Some("non-ASCII characters are not escaped")
        } else if self.escaped_slash && !escapes_slashes {
            Some("slashes are written as `\\/`")
        } else if self.plain_slash && escapes_slashes {
            Some("slashes are not escaped")
        } else {
            None
        }
    }
}

impl fmt::Display for Whitespace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Compact => "without whitespace",
            Self::Spaced => "with a space after each colon and comma",
            Self::Indented => "indented by two spaces",
            Self::IndentedCrlf => "indented by two spaces, with Windows line breaks",
            Self::Other => "with other whitespace",
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_layout_of_ours_is_recognised() {
        let event =
            json!({ "a": "Zoë a/b: c, \"d\\", "b": [{ "y": 1, "x": null }, [], {}], "c": 1 });
        for layout in BodyLayout::value_variants() {
            let seen = Layout::of(&layout.text(&event));
            let expected = match layout {
                BodyLayout::Spaced | BodyLayout::SpacedEscaped => Whitespace::Spaced,
                BodyLayout::Indented => Whitespace::Indented,
                BodyLayout::IndentedCrlf => Whitespace::IndentedCrlf,
                _ => Whitespace::Compact,
            };
            assert_eq!(seen.whitespace, expected, "{layout}");
            assert_eq!(seen.escapes.difference(*layout), None, "{layout}");
            let other = match layout {
                BodyLayout::Escaped | BodyLayout::SpacedEscaped => BodyLayout::EscapedSlashes,
                _ => BodyLayout::Escaped,
            };
            assert!(seen.escapes.difference(other).is_some(), "{layout}");
            assert_eq!(
                seen.surrounding.after,
                *layout == BodyLayout::TrailingNewline
            );
            assert_eq!(
                seen.surrounding.before,
                *layout == BodyLayout::LeadingWhitespace
            );
        }
        let four = "{\n    \"a\": 1\n}";
        assert_eq!(Layout::of(four).whitespace, Whitespace::Other);
    }
}
