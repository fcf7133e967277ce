//! A stage between a run and its reports: it compares each scenario's snapshot report with the
//! reviewed one, and lets a difference fail the scenario.
//!
//! Events pass through as they are, but for the ends of scenarios and of the run, whose verdict and
//! counts take the snapshots in. So every report tells of them, and none has to know how.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::difference::Difference;
use super::mode::{Destination, SnapshotsMode};
use super::pending::lines;
use super::snapshot_file::{REVIEWED, SnapshotFile, waiting_path};
use super::snapshot_path::snapshot_path;
use crate::harness::{
    Check, Counts, RunEnded, RunEvent, ScenarioEnded, SnapshotCompared, SnapshotOutcome,
    SnapshotsEnded, Verdict,
};
use crate::report::{SnapshotReport, SnapshotReports};
use crate::scenario::{Level, SnapshotSettings};

/// How a run's snapshots are compared.
#[derive(Debug, Clone)]
pub struct ReviewSettings {
    /// The folder of the snapshots.
    pub folder: PathBuf,
    /// What is written; `auto` has been decided.
    pub mode: SnapshotsMode,
    /// The folder from which paths of scenarios are read.
    pub working_folder: PathBuf,
    /// Which snapshots there can be, where that is known.
    pub expected: Option<Expected>,
    /// Whether snapshots that no scenario has are deleted.
    pub delete_unreferenced: bool,
}

/// The snapshots of a whole run, from which nothing was left out.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The snapshots of its scenarios, below the folder of the snapshots.
    pub paths: BTreeSet<PathBuf>,
    /// The files and folders that its scenarios came from. Only snapshots of files in these can
    /// have lost their scenario.
    pub roots: Vec<PathBuf>,
}

/// Compares snapshots as scenarios end.
#[derive(Debug)]
pub struct Review {
    settings: ReviewSettings,
    reports: SnapshotReports,
    scenarios: Counts,
    more_failed: usize,
    more_broken: usize,
    ended: SnapshotsEnded,
}

/// What was found of one snapshot.
struct Finding {
    outcome: SnapshotOutcome,
    problem: Option<Problem>,
    difference: Option<String>,
}

/// Why a snapshot is not right.
struct Problem {
    verdict: Verdict,
    expected: &'static str,
    observed: String,
    hint: String,
}

impl Review {
    /// Compares as `settings` say, and shows of answers what `shown` says.
    pub fn new(settings: ReviewSettings, shown: SnapshotSettings) -> Self {
        let ended = SnapshotsEnded {
            folder: shown_path(&settings.folder),
            ..SnapshotsEnded::default()
        };
        Self {
            settings,
            reports: SnapshotReports::new(shown),
            scenarios: Counts::default(),
            more_failed: 0,
            more_broken: 0,
            ended,
        }
    }

    /// Takes an event, and gives those that the reports get.
    pub fn pass(&mut self, event: RunEvent) -> Vec<RunEvent> {
        let report = self.reports.observe(&event);
        match (event, report) {
            (RunEvent::ScenarioEnded(ended), Some(report)) => {
                let compared = self.compare(&report);
                let ended = self.taken_in(ended, compared.check.as_ref());
                vec![
                    RunEvent::SnapshotCompared(compared),
                    RunEvent::ScenarioEnded(ended),
                ]
            }
            (RunEvent::RunEnded(ended), _) => {
                self.look_for_unreferenced();
                let ended = RunEnded {
                    scenarios: self.scenarios,
                    checks: Counts {
                        failed: ended.checks.failed + self.more_failed,
                        broken: ended.checks.broken + self.more_broken,
                        ..ended.checks
                    },
                    ..ended
                };
                vec![
                    RunEvent::SnapshotsEnded(self.ended.clone()),
                    RunEvent::RunEnded(ended),
                ]
            }
            (other, _) => vec![other],
        }
    }

    /// The end of a scenario that takes in what is wrong with its snapshot.
    fn taken_in(&mut self, mut ended: ScenarioEnded, check: Option<&Check>) -> ScenarioEnded {
        if let Some(check) = check {
            ended.checks.add(check.verdict);
            ended.verdict = ended.verdict.max(check.verdict);
            match check.verdict {
                Verdict::Broken => self.more_broken += 1,
                _ => self.more_failed += 1,
            }
        }
        self.scenarios.add(ended.verdict);
        ended
    }

    fn compare(&mut self, report: &SnapshotReport) -> SnapshotCompared {
        let started = &report.started;
        let path = snapshot_path(
            &started.file,
            started.choice.as_deref(),
            &self.settings.working_folder,
        );
        let path = self.settings.folder.join(path);
        let file = shown_path(&path);
        let finding = self.find(report, &path, &file).unwrap_or_else(|error| {
            let problem = Problem {
                verdict: Verdict::Broken,
                expected: "the snapshot can be read and written",
                observed: error.to_string(),
                hint: format!("look at {file}"),
            };
            Finding {
                outcome: SnapshotOutcome::Unusable,
                problem: Some(problem),
                difference: None,
            }
        });
        match finding.outcome {
            SnapshotOutcome::AsReviewed => self.ended.as_reviewed += 1,
            SnapshotOutcome::Differs => self.ended.different += 1,
            SnapshotOutcome::Missing => self.ended.missing += 1,
            SnapshotOutcome::Written => self.ended.written += 1,
            SnapshotOutcome::Unusable | SnapshotOutcome::NotCompared => {}
        }
        let check = finding.problem.map(|problem| Check {
            subject: format!("snapshot {file}"),
            verdict: problem.verdict,
            level: Level::Must,
            expected: problem.expected.to_owned(),
            observed: problem.observed,
            hint: Some(problem.hint),
            cause: None,
            source: None,
        });
        SnapshotCompared {
            scenario: started.scenario,
            file,
            outcome: finding.outcome,
            check,
            difference: finding.difference,
        }
    }

    fn find(&self, report: &SnapshotReport, path: &Path, file: &str) -> io::Result<Finding> {
        let quiet = |outcome| Finding {
            outcome,
            problem: None,
            difference: None,
        };
        // What could not be decided says nothing about the receiver, and must not be reviewed.
        if report.verdict == Verdict::Broken {
            return Ok(quiet(SnapshotOutcome::NotCompared));
        }
        let found = snapshot_of(report);
        let reviewed = SnapshotFile::read(path)?;
        let mode = self.settings.mode;
        if reviewed
            .as_ref()
            .is_some_and(|one| one.contents == found.contents)
        {
            if mode == SnapshotsMode::Force {
                found.write(path)?;
            }
            if mode != SnapshotsMode::No {
                remove_if_there(&waiting_path(path))?;
            }
            return Ok(quiet(SnapshotOutcome::AsReviewed));
        }
        let mut destination = mode.destination(reviewed.is_some());
        // What failed by itself is accepted by hand or not at all.
        if destination == Destination::InPlace && report.verdict == Verdict::Failed {
            destination = Destination::Beside;
        }
        match destination {
            Destination::InPlace => {
                found.write(path)?;
                remove_if_there(&waiting_path(path))?;
                return Ok(quiet(SnapshotOutcome::Written));
            }
            Destination::Beside => {
                let waiting = SnapshotFile {
                    assertion_line: Some(report.started.line),
                    ..found.clone()
                };
                waiting.write(&waiting_path(path))?;
            }
            Destination::Nowhere => {}
        }
        let hint = hint(destination, file);
        Ok(match reviewed {
            Some(reviewed) => {
                let (before, after) = (lines(reviewed.contents), lines(found.contents));
                let difference = Difference::between(file, &before, &after);
                Finding {
                    outcome: SnapshotOutcome::Differs,
                    problem: Some(Problem {
                        verdict: Verdict::Failed,
                        expected: "the report is as reviewed",
                        observed: difference.in_words(),
                        hint,
                    }),
                    difference: Some(difference.text),
                }
            }
            None => Finding {
                outcome: SnapshotOutcome::Missing,
                problem: Some(Problem {
                    verdict: Verdict::Failed,
                    expected: "there is a reviewed report",
                    observed: "there is none yet".to_owned(),
                    hint,
                }),
                difference: None,
            },
        })
    }

    /// Finds the snapshots whose scenario is gone.
    fn look_for_unreferenced(&mut self) {
        let Some(expected) = &self.settings.expected else {
            return;
        };
        let files = WalkDir::new(&self.settings.folder).sort_by_file_name();
        // What can't be read is told where it is compared.
        for entry in files.into_iter().filter_map(Result::ok) {
            let path = entry.path();
            let below = path.strip_prefix(&self.settings.folder).unwrap_or(path);
            let is_snapshot = path.extension().is_some_and(|ending| ending == REVIEWED);
            if !is_snapshot || expected.paths.contains(below) {
                continue;
            }
            let source = SnapshotFile::read(path).ok().flatten();
            let source = source.and_then(|file| file.source);
            if !source.is_some_and(|source| expected.covers(Path::new(&source))) {
                continue;
            }
            self.ended.unreferenced.push(shown_path(path));
            if self.settings.delete_unreferenced {
                let deleted =
                    fs::remove_file(path).and_then(|()| remove_if_there(&waiting_path(path)));
                self.ended.deleted = deleted.is_ok();
            }
        }
    }
}

impl Expected {
    fn covers(&self, source: &Path) -> bool {
        let plain = |path: &Path| path.strip_prefix("./").unwrap_or(path).to_owned();
        let source = plain(source);
        self.roots
            .iter()
            .any(|root| root.as_os_str() == "." || source.starts_with(plain(root)))
    }
}

fn snapshot_of(report: &SnapshotReport) -> SnapshotFile {
    SnapshotFile {
        source: Some(report.started.file.replace('\\', "/")),
        expression: Some(report.started.name.clone()),
        assertion_line: None,
        contents: report.text.trim_end_matches('\n').to_owned(),
    }
}

fn hint(destination: Destination, file: &str) -> String {
    match destination {
        Destination::Nowhere => "run it where `CI` is not set, or with `--snapshots-mode new`, \
                                 and review what is written"
            .to_owned(),
        Destination::Beside | Destination::InPlace => {
            format!("if that is right: `aghook snapshots accept {file}`")
        }
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A path with the same separators everywhere.
fn shown_path(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}
