//! Recorded runs: the journal, reports from it, and replays.

mod bad_journals;
mod killed;
mod replaying;
mod reporting;

use crate::support::{Folder, Transcript};
use aghook::internals::run::RunEvent;

/// The events of a journal or a JSON report.
fn events(text: &str) -> Vec<RunEvent> {
    let read = |line: &str| RunEvent::from_json(line.as_bytes()).expect(line);
    text.lines().map(read).collect()
}

/// Every event of the bundled suite can be parsed and serialised again without changes.
#[test]
fn every_event_of_a_run_can_be_parsed() {
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
