//! A unified diff in color: added lines are green, removed ones red.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::layout::TextOutput;
use super::style::{DIM, paint};
use crate::report::sanitize::sanitize;

const LINE_LIMIT: usize = 120;

pub(crate) fn write_difference(out: &mut dyn Write, difference: &str) -> io::Result<()> {
    write_lines(&mut TextOutput::new(out, None), difference)
}

pub(super) fn write_lines(out: &mut TextOutput<'_>, difference: &str) -> io::Result<()> {
    let mut lines = difference.lines();
    for line in lines.by_ref().take(LINE_LIMIT) {
        let style = match line.as_bytes().first() {
            Some(b'+') => AnsiColor::Green.on_default(),
            Some(b'-') => AnsiColor::Red.on_default(),
            Some(b'@') => DIM,
            _ => Style::new(),
        };
        out.whole_line(8, &paint(style, sanitize(line)))?;
    }
    match lines.count() {
        0 => Ok(()),
        more => out.whole_line(8, &paint(DIM, format!("… {more} more lines"))),
    }
}
