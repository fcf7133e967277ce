//! A run that was kept: the journal of it, the reports that are made of it later, and the run sent
//! again.

mod bad_journals;
mod killed;
mod replaying;
mod reporting;

use crate::support::{Folder, Transcript};
use aghook::harness::RunEvent;

/// The events of a journal, or of a JSON report.
fn events(text: &str) -> Vec<RunEvent> {
    let read = |line: &str| RunEvent::from_json(line.as_bytes()).expect(line);
    text.lines().map(read).collect()
}

/// Every event of the bundled suite is read back and written again, byte for byte.
#[test]
fn every_event_of_a_run_is_read_back() {
    let folder = Folder::new();
    let run = Transcript::of(&mut folder.aghook(&["run", "--report", "json"])).ends_with(0);
    let mut lines = 0;
    for (line, event) in run.stdout.lines().zip(events(&run.stdout)) {
        let written = serde_json::to_string(&event).expect("serialises");
        assert_eq!(written, line);
        lines += 1;
    }
    assert!(lines > 400, "only {lines} lines");
}
