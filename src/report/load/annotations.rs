//! Annotations of GitHub workflows: a line for each check of a load that failed.

use std::io::{self, Write};

use super::checks::checks;
use crate::harness::Verdict;
use crate::load::LoadReport;
use crate::report::annotations::{data, property};

/// Writes them, to a stream that GitHub reads: standard output or standard error.
pub fn write_load_annotations(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    for check in checks(report) {
        // What could not be decided is an error too: it fails the job.
        if !matches!(check.verdict, Verdict::Failed | Verdict::Broken) {
            continue;
        }
        let mut message = vec![format!("observed {}", check.observed)];
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
