//! Reviewed snapshot reports: where they are stored, how a run compares with them, and how they
//! are accepted.
//!
//! The files use the format of the `insta` library, so its tools can review them too.
//! [`crate::report`] creates the reports; the command line prints the results.

mod difference;
mod pending_snapshot;
mod snapshot_file;
mod snapshot_path;
mod snapshot_review;
mod snapshots_mode;
mod volatile_paths;

pub(crate) use pending_snapshot::{PendingSnapshot, find_pending};
pub use snapshot_file::SnapshotFile;
pub(crate) use snapshot_path::snapshot_path;
pub(crate) use snapshot_review::{ExpectedSnapshots, SnapshotReview, SnapshotReviewSettings};
pub(crate) use snapshots_mode::SnapshotsMode;
