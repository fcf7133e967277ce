//! A stage between a run and its reports that compares each scenario's snapshot report with the
//! reviewed one. A difference fails the scenario.
//!
//! Events pass through unchanged, except the ends of scenarios and of the run, whose verdicts and
//! counts include the snapshots. So every report shows the results without extra code.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::difference::Difference;
use super::pending_snapshot::with_newline;
use super::snapshot_file::{REVIEWED, SnapshotFile, pending_path};
use super::snapshot_path::snapshot_path;
use super::snapshots_mode::{Destination, SnapshotsMode};
use super::volatile_paths::volatile_paths;
use crate::report::{RunningScenarios, ScenarioRecord, snapshot_text};
use crate::run::{RunEvent, SnapshotCompared, SnapshotOutcome, SnapshotsEnded};
use crate::scenario::{Level, SnapshotSettings};
use crate::verify::{Check, Verdict, VerdictCounts};

#[derive(Debug, Clone)]
pub(crate) struct SnapshotReviewSettings {
    pub folder: PathBuf,
    /// What to write; `auto` is already resolved.
    pub mode: SnapshotsMode,
    pub working_folder: PathBuf,
    /// The snapshots that can exist, if known.
    pub expected: Option<ExpectedSnapshots>,
    pub delete_unreferenced: bool,
}

/// The snapshots of a complete run, with no scenario excluded.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedSnapshots {
    /// The paths of its scenarios' snapshots, relative to the snapshots folder.
    pub paths: BTreeSet<PathBuf>,
    /// The files and folders of its scenarios. Only snapshots of files in these can be
    /// unreferenced.
    pub roots: Vec<PathBuf>,
}

/// Compares the snapshot of each scenario when it ends.
#[derive(Debug)]
pub(crate) struct SnapshotReview {
    settings: SnapshotReviewSettings,
    /// Which parts of responses snapshots show.
    shown: SnapshotSettings,
    target: String,
    running: RunningScenarios,
    /// The verdicts of scenarios with the checks of their snapshots.
    scenarios: VerdictCounts,
    /// The checks of snapshots.
    checks: VerdictCounts,
    ended: SnapshotsEnded,
}

/// The result of comparing one snapshot: what is wrong, if anything, and the difference.
type SnapshotFinding = (SnapshotOutcome, Option<Check>, Option<String>);

impl SnapshotReview {
    /// Creates a review. `shown` selects the parts of responses that reports show.
    pub(crate) fn new(settings: SnapshotReviewSettings, shown: SnapshotSettings) -> Self {
        let ended = SnapshotsEnded {
            folder: display_path(&settings.folder),
            ..SnapshotsEnded::default()
        };
        Self {
            settings,
            shown,
            target: String::new(),
            running: RunningScenarios::default(),
            scenarios: VerdictCounts::default(),
            checks: VerdictCounts::default(),
            ended,
        }
    }

    pub(crate) fn process(&mut self, event: RunEvent) -> Vec<RunEvent> {
        if let RunEvent::RunStarted(started) = &event {
            self.target.clone_from(&started.target);
        }
        let record = self.running.observe(event.clone());
        match (event, record) {
            (RunEvent::ScenarioEnded(mut ended), Some(record)) => {
                let compared = self.compare(&record);
                if let Some(check) = &compared.check {
                    self.checks.add(check.verdict);
                    ended.checks.add(check.verdict);
                    ended.verdict = ended.verdict.max(check.verdict);
                }
                self.scenarios.add(ended.verdict);
                vec![
                    RunEvent::SnapshotCompared(compared),
                    RunEvent::ScenarioEnded(ended),
                ]
            }
            (RunEvent::RunEnded(mut ended), _) => {
                self.find_unreferenced();
                ended.scenarios = self.scenarios;
                ended.checks += self.checks;
                vec![
                    RunEvent::SnapshotsEnded(self.ended.clone()),
                    RunEvent::RunEnded(ended),
                ]
            }
            (other, _) => vec![other],
        }
    }

    fn compare(&mut self, record: &ScenarioRecord) -> SnapshotCompared {
        let started = &record.started;
        let path = snapshot_path(
            &started.file,
            started.choice.as_deref(),
            &self.settings.working_folder,
        );
        let path = self.settings.folder.join(path);
        let file = display_path(&path);
        let found = self.compare_file(record, &path, &file);
        let (outcome, check, difference) = found.unwrap_or_else(|error| {
            let hint = format!("check {file} and its permissions");
            let (expected, observed) = ("the snapshot can be read and written", error.to_string());
            let check = check(&file, Verdict::Broken, expected, observed, hint);
            (SnapshotOutcome::Unusable, Some(check), None)
        });
        match outcome {
            SnapshotOutcome::AsReviewed => self.ended.as_reviewed += 1,
            SnapshotOutcome::Differs => self.ended.different += 1,
            SnapshotOutcome::Missing => self.ended.missing += 1,
            SnapshotOutcome::Written => self.ended.written += 1,
            SnapshotOutcome::Unusable | SnapshotOutcome::NotCompared => {}
        }
        SnapshotCompared {
            scenario: started.scenario,
            file,
            outcome,
            check,
            difference,
        }
    }

    fn compare_file(
        &self,
        record: &ScenarioRecord,
        path: &Path,
        file: &str,
    ) -> io::Result<SnapshotFinding> {
        // An undecided scenario says nothing about the receiver, so its report must not be
        // reviewed.
        if record.ended.verdict == Verdict::Broken {
            return Ok((SnapshotOutcome::NotCompared, None, None));
        }
        let text = snapshot_text(record, &self.shown, &self.target);
        let actual = SnapshotFile {
            source: Some(record.started.file.replace('\\', "/")),
            expression: Some(record.started.name.clone()),
            assertion_line: None,
            contents: text.trim_end_matches('\n').to_owned(),
        };
        let reviewed = SnapshotFile::read(path)?;
        let mode = self.settings.mode;
        let is_same = |reviewed: &SnapshotFile| reviewed.contents == actual.contents;
        if reviewed.as_ref().is_some_and(is_same) {
            if mode == SnapshotsMode::Force {
                actual.write(path)?;
            }
            if mode != SnapshotsMode::No {
                remove_if_exists(&pending_path(path))?;
            }
            return Ok((SnapshotOutcome::AsReviewed, None, None));
        }
        let mut destination = mode.destination(reviewed.is_some());
        // The report of a failed scenario is never accepted automatically.
        if destination == Destination::Reviewed && record.ended.verdict == Verdict::Failed {
            destination = Destination::Pending;
        }
        match destination {
            Destination::Reviewed => {
                actual.write(path)?;
                remove_if_exists(&pending_path(path))?;
                return Ok((SnapshotOutcome::Written, None, None));
            }
            Destination::Pending => {
                let pending = SnapshotFile {
                    assertion_line: Some(record.started.line),
                    ..actual.clone()
                };
                pending.write(&pending_path(path))?;
            }
            Destination::Discarded => {}
        }
        let mut hint = hint(destination, file);
        if let Some(reviewed) = &reviewed {
            let paths = volatile_paths(&reviewed.contents, &actual.contents);
            hint.extend(self.mask_hint(&paths));
        }
        let failed = |expected, observed| check(file, Verdict::Failed, expected, observed, hint);
        let Some(reviewed) = reviewed else {
            let check = failed("a reviewed snapshot", "none yet".to_owned());
            return Ok((SnapshotOutcome::Missing, Some(check), None));
        };
        let (before, after) = (reviewed.contents, actual.contents);
        let difference = Difference::between(file, &with_newline(before), &with_newline(after));
        let check = failed(
            "the run matches the reviewed snapshot",
            difference.summary(),
        );
        Ok((SnapshotOutcome::Differs, Some(check), Some(difference.text)))
    }

    /// How to mask values that the receiver seems to invent anew in each run.
    fn mask_hint(&self, paths: &[String]) -> Option<String> {
        if paths.is_empty() {
            return None;
        }
        let known = self.shown.mask.iter().map(ToString::to_string);
        let masks: Vec<String> = known.chain(paths.iter().cloned()).map(yaml_item).collect();
        Some(format!(
            "; if these values are new in each run, mask them in the profile: `snapshots: {{ mask: [{}] }}`",
            masks.join(", ")
        ))
    }

    fn find_unreferenced(&mut self) {
        let Some(expected) = &self.settings.expected else {
            return;
        };
        let files = WalkDir::new(&self.settings.folder).sort_by_file_name();
        // Unreadable files are reported when they are compared.
        for entry in files.into_iter().filter_map(Result::ok) {
            let path = entry.path();
            let relative = path.strip_prefix(&self.settings.folder).unwrap_or(path);
            let is_snapshot = path.extension().is_some_and(|ending| ending == REVIEWED);
            if !is_snapshot || expected.paths.contains(relative) {
                continue;
            }
            let source = SnapshotFile::read(path).ok().flatten();
            let source = source.and_then(|file| file.source);
            if !source.is_some_and(|source| expected.covers(Path::new(&source))) {
                continue;
            }
            self.ended.unreferenced.push(display_path(path));
            if self.settings.delete_unreferenced {
                let deleted =
                    fs::remove_file(path).and_then(|()| remove_if_exists(&pending_path(path)));
                self.ended.deleted = deleted.is_ok();
            }
        }
    }
}

impl ExpectedSnapshots {
    fn covers(&self, source: &Path) -> bool {
        let plain = |path: &Path| path.strip_prefix("./").unwrap_or(path).to_owned();
        let source = plain(source);
        self.roots
            .iter()
            .any(|root| root.as_os_str() == "." || source.starts_with(plain(root)))
    }
}

/// The check of a snapshot that has a problem.
fn check(file: &str, verdict: Verdict, expected: &str, observed: String, hint: String) -> Check {
    Check {
        subject: format!("snapshot {file}"),
        verdict,
        level: Level::Must,
        expected: expected.to_owned(),
        observed,
        hint: Some(hint),
        cause: None,
        source: None,
    }
}

fn hint(destination: Destination, file: &str) -> String {
    match destination {
        Destination::Discarded => {
            "to update it, run aghook without `CI` or with `--snapshots-mode new`, then review \
                              the pending snapshot"
                .to_owned()
        }
        Destination::Pending | Destination::Reviewed => {
            format!("if this is right, run `aghook snapshots accept {file}`")
        }
    }
}

/// A `JSONPath` as an item of a YAML list in brackets.
fn yaml_item(path: String) -> String {
    if path.contains(['[', ']', '{', '}', ',', '#', ':']) {
        serde_json::Value::from(path).to_string()
    } else {
        path
    }
}

fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A path with the same separators on every system.
fn display_path(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}
