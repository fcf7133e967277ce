//! GitHub workflow annotations: one line for each failed check of a load.

use std::io::{self, Write};

use super::checks::checks;
use crate::load::LoadReport;
use crate::report::annotations::{data, property};
use crate::verify::Verdict;

/// Writes the annotations to standard output or standard error, both of which GitHub reads.
pub fn write_load_annotations(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    for check in checks(report) {
        // An undecided check fails the job as well.
        if !matches!(check.verdict, Verdict::Failed | Verdict::Broken) {
            continue;
        }
        let mut message = vec![check.observed.clone()];
        message.extend(check.details);
        let title = format!("load {}: {}", check.verdict, check.name);
        writeln!(
            out,
            "::error title={}::{}",
            property(&title),
            data(&message.join("\n"))
        )?;
    }
    out.flush()
}
