//! The options that compare snapshot reports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::CommandError;
use super::scenario_selection::ScenarioSelection;
use crate::scenario::Case;
use crate::snapshots::{ExpectedSnapshots, SnapshotReviewSettings, SnapshotsMode, snapshot_path};

/// The options that compare snapshot reports.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Snapshots")]
pub(super) struct SnapshotOptions {
    /// Compare each scenario's requests, responses and checks, without generated IDs and times, with
    /// the reviewed snapshot in this folder, and fail if they differ
    #[arg(long, value_name = "DIR")]
    snapshots: Option<PathBuf>,

    /// Which differing snapshots to write: auto, always, new, unseen, no, force [default: the
    /// environment variable `INSTA_UPDATE`, or auto]
    ///
    /// `new` writes `FILE.snap.new`, for `aghook snapshots`. `always` replaces `FILE.snap`, `unseen`
    /// writes `FILE.snap` if there is none, otherwise `FILE.snap.new`. `force` replaces `FILE.snap` even
    /// without differences, and `no` writes nothing. `auto` is `no` if `CI` is set, otherwise `new`. A
    /// broken scenario writes no snapshot, and a failed one only `FILE.snap.new`.
    #[arg(long, value_name = "MODE", requires = "snapshots")]
    snapshots_mode: Option<SnapshotsMode>,

    /// Delete snapshots without a scenario; not allowed with options that filter scenarios
    #[arg(long, requires = "snapshots", conflicts_with_all = ["filter", "tag", "partition"])]
    delete_unreferenced: bool,
}

impl SnapshotOptions {
    pub(super) fn settings(
        &self,
        cases: &[Case],
        scenarios: &ScenarioSelection,
    ) -> Result<Option<SnapshotReviewSettings>, CommandError> {
        let Some(folder) = &self.snapshots else {
            return Ok(None);
        };
        if folder.is_file() {
            return Err(
                CommandError::usage(format!("{} is a file", folder.display()))
                    .with_help("choose a folder for the snapshots"),
            );
        }
        let working_folder = std::env::current_dir().unwrap_or_default();
        let paths = paths_of(cases, &working_folder)?;
        let paths = paths.into_keys().collect();
        let expected = scenarios
            .roots()
            .map(|roots| ExpectedSnapshots { paths, roots });
        let text =
            |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let tf_build = std::env::var_os("TF_BUILD").is_some();
        Ok(Some(SnapshotReviewSettings {
            folder: folder.clone(),
            mode: self.mode()?.resolve(text("CI").as_deref(), tf_build),
            working_folder,
            expected,
            delete_unreferenced: self.delete_unreferenced,
        }))
    }

    fn mode(&self) -> Result<SnapshotsMode, CommandError> {
        if let Some(mode) = self.snapshots_mode {
            return Ok(mode);
        }
        match std::env::var("INSTA_UPDATE") {
            Ok(word) if !word.is_empty() => word.parse().map_err(|error| {
                CommandError::usage(format!("INSTA_UPDATE: {error}"))
                    .with_help("unset it, or use `--snapshots-mode`")
            }),
            _ => Ok(SnapshotsMode::Auto),
        }
    }
}

/// The snapshot path of each case. Two cases with the same path are an error.
fn paths_of(
    cases: &[Case],
    working_folder: &Path,
) -> Result<BTreeMap<PathBuf, String>, CommandError> {
    let mut paths: BTreeMap<PathBuf, String> = BTreeMap::new();
    for case in cases {
        let (file, choice) = (&case.source.name, case.choice.as_deref());
        let path = snapshot_path(file, choice, working_folder);
        let shown = path.display().to_string();
        if let Some(other) = paths.insert(path, file.to_string()) {
            let message = format!("{other} and {file} have the same snapshot, {shown}");
            let help = "rename one of them, or run them separately with different snapshot folders";
            return Err(CommandError::usage(message).with_help(help));
        }
    }
    Ok(paths)
}
