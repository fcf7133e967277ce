//! JSON that a terminal can show: control characters and invisible ones are escaped, and mean the same.

use std::io::{self, Write};

use serde::Serialize;

use crate::scenario::document::is_disguising;

/// Writes a value on one line, with a line break after it.
pub(crate) fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(EscapingWriter(&mut *out), value)?;
    out.write_all(b"\n")
}

/// Writes a value on several lines, with a line break after it.
pub(crate) fn write_indented(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(EscapingWriter(&mut *out), value)?;
    out.write_all(b"\n")
}

/// Escapes what `serde_json` leaves. Outside of strings, JSON has none of it.
struct EscapingWriter<'out>(&'out mut dyn Write);

impl Write for EscapingWriter<'_> {
    /// `serde_json` writes whole characters.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        while let Some(at) = rest.find(is_escaped) {
            let (before, from) = rest.split_at(at);
            self.0.write_all(before.as_bytes())?;
            let mut after = from.chars();
            for unit in after.next().map_or_else(Vec::new, units) {
                write!(self.0, "\\u{unit:04x}")?;
            }
            rest = after.as_str();
        }
        self.0.write_all(rest.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn is_escaped(character: char) -> bool {
    character == '\u{7f}' || (!character.is_ascii() && is_disguising(character))
}

fn units(character: char) -> Vec<u16> {
    character.encode_utf16(&mut [0; 2]).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_escaped_and_mean_the_same() {
        let text = "a\u{1b}\u{7f}\u{9b}\u{202e}\u{e0041}💎é";
        let mut out = Vec::new();
        write_line(&mut out, &text).expect("written");
        let line = String::from_utf8(out).expect("UTF-8");
        assert_eq!(line, "\"a\\u001b\\u007f\\u009b\\u202e\\udb40\\udc41💎é\"\n");
        assert_eq!(serde_json::from_str::<String>(&line).expect("JSON"), text);
    }
}
