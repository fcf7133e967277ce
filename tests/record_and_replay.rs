//! A run that was kept: the journal of it, the reports that are made of it later, and the run sent
//! again.

mod support;

use aghook::harness::RunEvent;
use support::{Folder, Transcript};

/// Every event of the bundled suite is read back and written again, byte for byte.
#[test]
fn every_event_of_a_run_is_read_back() {
    let folder = Folder::new();
    let run = Transcript::of(&mut folder.aghook(&["run", "--report", "json"])).ends_with(0);
    let mut lines = 0;
    for line in run.stdout.lines() {
        let event = RunEvent::from_json(line.as_bytes()).expect(line);
        let written = serde_json::to_string(&event).expect("serialises");
        assert_eq!(written, line);
        lines += 1;
    }
    assert!(lines > 400, "only {lines} lines");
}
