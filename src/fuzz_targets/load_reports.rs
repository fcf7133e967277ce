//! Files that a load writes and other commands read: its JSON report and its failed events.

use crate::load::{LoadReport, read_failed_events};
use crate::report::{
    write_load_annotations, write_load_junit, write_load_markdown, write_load_page,
    write_load_summary,
};

/// Reads a load's report, joins it with itself and writes all reports of it; or reads failed events.
pub fn load_report(bytes: &[u8]) {
    if let Err(reason) = read_failed_events(bytes) {
        assert!(!reason.is_empty());
    }
    let Ok(mut report) = serde_json::from_slice::<LoadReport>(bytes) else {
        return;
    };
    let line = serde_json::to_vec(&report).expect("JSON");
    let again: LoadReport = serde_json::from_slice(&line).expect("the same report");
    assert_eq!(serde_json::to_vec(&again).expect("JSON"), line);
    let _ = report.add(&again);
    report.conclude(&[]);
    let _ = report.verdict();
    let _ = report.missing_shards().take(1).count();
    let mut out = Vec::new();
    for write in [
        write_load_annotations,
        write_load_junit,
        write_load_markdown,
        write_load_page,
        write_load_summary,
    ] {
        write(&report, &mut out).expect("written");
    }
    assert!(std::str::from_utf8(&out).is_ok());
}
