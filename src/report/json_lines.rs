//! The JSON report: one JSON object per line for every run event, described in
//! `docs/report-json.md`.

use std::io::{self, Write};

use super::Report;
use crate::run::RunEvent;

/// Writes every event as one line of JSON.
pub struct JsonLines<W> {
    out: W,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> Report for JsonLines<W> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, event)?;
        self.out.write_all(b"\n")?;
        // A reader must see what happened even if the run is killed.
        self.out.flush()
    }
}
