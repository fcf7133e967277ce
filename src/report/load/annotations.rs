//! GitHub workflow annotations: one line for each failed check of a load.

use std::io::{self, Write};

use super::checks::checks;
use crate::load::LoadReport;
use crate::report::annotations::annotation_line;
use crate::verify::Verdict;

/// Writes the annotations to standard output or standard error, both of which GitHub reads.
pub(crate) fn write_load_annotations(report: &LoadReport, out: &mut dyn Write) -> io::Result<()> {
    for check in checks(report) {
        // An undecided check fails the job as well.
        if check.verdict > Verdict::Warned {
            let title = format!("load {}: {}", check.verdict, check.name);
            let message = [vec![check.observed], check.details].concat();
            let line = annotation_line(check.verdict, None, &title, &message);
            writeln!(out, "{line}")?;
        }
    }
    out.flush()
}
