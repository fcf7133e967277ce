//! A unified diff in color: added lines are green, removed ones red.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::style::{DIM, paint};
use crate::report::sanitize::sanitize;

/// The most lines of a diff that are shown.
const LINE_LIMIT: usize = 120;

/// Writes a unified diff.
pub fn write_difference(out: &mut impl Write, difference: &str) -> io::Result<()> {
    let mut lines = difference.lines();
    for line in lines.by_ref().take(LINE_LIMIT) {
        let style = match line.as_bytes().first() {
            Some(b'+') => AnsiColor::Green.on_default(),
            Some(b'-') => AnsiColor::Red.on_default(),
            Some(b'@') => DIM,
            _ => Style::new(),
        };
        let line = paint(style, sanitize(line));
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
