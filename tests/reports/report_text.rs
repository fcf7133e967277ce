//! The text of a report, written as the program writes it.

use aghook::internals::report::{KeptAttempts, ReportKind, RunRecorder};
use aghook::internals::run::RunEvent;

/// The report of a run, from a record that keeps only what this report needs.
pub(crate) fn report_text(kind: ReportKind, events: impl IntoIterator<Item = RunEvent>) -> String {
    report_text_keeping(kind.kept_attempts(), kind, events)
}

/// The report of a run, from a record that keeps this.
pub(crate) fn report_text_keeping(
    kept: KeptAttempts,
    kind: ReportKind,
    events: impl IntoIterator<Item = RunEvent>,
) -> String {
    let mut out = Vec::new();
    let mut recorder = RunRecorder::new(kept);
    for event in events {
        let written = kind.write_event(&mut out, &event);
        written.expect("memory can be written to");
        match event {
            RunEvent::RunEnded(ended) => {
                let written = kind.write_end(&mut out, &recorder.finish(ended));
                written.expect("memory can be written to");
                return String::from_utf8(out).expect("UTF-8");
            }
            event => recorder.observe(event, |scenario| {
                let written = kind.write_scenario(&mut out, scenario);
                written.expect("memory can be written to");
            }),
        }
    }
    panic!("the events have no end");
}
