//! A unified diff at a terminal: what came is green, what went is red.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::style::{DIM, paint};
use crate::report::printable::printable;

/// The most lines of a diff that are shown.
const LINE_LIMIT: usize = 120;

/// Writes a diff, line by line.
pub fn write_difference(out: &mut impl Write, difference: &str) -> io::Result<()> {
    let mut lines = difference.lines();
    for line in lines.by_ref().take(LINE_LIMIT) {
        let style = match line.as_bytes().first() {
            Some(b'+') => AnsiColor::Green.on_default(),
            Some(b'-') => AnsiColor::Red.on_default(),
            Some(b'@') => DIM,
            _ => Style::new(),
        };
        let line = paint(style, printable(line));
        writeln!(out, "        {line}")?;
    }
    match lines.count() {
        0 => Ok(()),
        more => writeln!(
            out,
            "        {}",
            paint(DIM, format!("… {more} more lines"))
        ),
    }
}
