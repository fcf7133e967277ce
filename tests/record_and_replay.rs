//! A run that was kept: the journal of it, the reports that are made of it later, and the run sent
//! again.

mod support;

#[path = "record_and_replay/bad_journals.rs"]
mod bad_journals;
#[path = "record_and_replay/killed.rs"]
mod killed;
#[path = "record_and_replay/replaying.rs"]
mod replaying;
#[path = "record_and_replay/reporting.rs"]
mod reporting;

use aghook::harness::RunEvent;
use support::{Folder, Transcript};

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
