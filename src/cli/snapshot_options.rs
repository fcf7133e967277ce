//! Whether snapshot reports are compared in a run, and what is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::command_error::CommandError;
use super::files::ScenarioOptions;
use crate::scenario::Case;
use crate::snapshots::{ExpectedSnapshots, SnapshotReviewSettings, SnapshotsMode, snapshot_path};

/// Whether snapshot reports are compared, and what is written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Snapshots")]
pub(super) struct SnapshotOptions {
    /// Compare each scenario's snapshot report with the reviewed one in this folder; a difference
    /// is a failure
    #[arg(long, value_name = "DIR")]
    snapshots: Option<PathBuf>,

    /// What is written where a report is not as reviewed: auto, always, new, unseen, no, force
    ///
    /// `new` writes it beside the reviewed one, as `.snap.new`, for `aghook snapshots`. `always`
    /// puts it in the reviewed one's place, `unseen` only where there is none yet, `force` even
    /// where nothing differs, and `no` writes nothing. Left out, `INSTA_UPDATE` decides, or `auto`:
    /// `new`, but `no` where `CI` is set. What could not be decided is never written, and a failed
    /// scenario's report never takes the reviewed one's place.
    #[arg(long, value_name = "MODE", requires = "snapshots")]
    snapshots_mode: Option<SnapshotsMode>,

    /// Delete the snapshots that no scenario has; only where no option leaves scenarios out
    #[arg(long, requires = "snapshots", conflicts_with_all = ["filter", "tag", "partition"])]
    delete_unreferenced: bool,
}

impl SnapshotOptions {
    /// How snapshots are compared, if they are.
    pub(super) fn settings(
        &self,
        cases: &[Case],
        scenarios: &ScenarioOptions,
    ) -> Result<Option<SnapshotReviewSettings>, CommandError> {
        let Some(folder) = &self.snapshots else {
            return Ok(None);
        };
        if folder.is_file() {
            return Err(CommandError::usage(
                format!("{} is a file", folder.display()),
                "name a folder for the snapshots".to_owned(),
            ));
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
                CommandError::usage(
                    format!("INSTA_UPDATE: {error}"),
                    "unset it, or name a mode with `--snapshots-mode`".to_owned(),
                )
            }),
            _ => Ok(SnapshotsMode::Auto),
        }
    }
}

/// Where the snapshot of each case is. Two in one place would never both be as reviewed.
fn paths_of(
    cases: &[Case],
    working_folder: &Path,
) -> Result<BTreeMap<PathBuf, String>, CommandError> {
    let mut paths: BTreeMap<PathBuf, String> = BTreeMap::new();
    for case in cases {
        let (file, choice) = (&case.source.name, case.choice.as_deref());
        let path = snapshot_path(file, choice, working_folder);
        if let Some(other) = paths.insert(path.clone(), file.to_string()) {
            return Err(CommandError::usage(
                format!(
                    "{other} and {file} have the same snapshot, {}",
                    path.display()
                ),
                "rename one of them, or run them one after the other with folders of their own"
                    .to_owned(),
            ));
        }
    }
    Ok(paths)
}
