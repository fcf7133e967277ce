//! Reviewed snapshot reports: where they are kept, what a run makes of them, and how they are
//! accepted.
//!
//! The files are in the format of the `insta` library, so that its tools review them too. What is in
//! a report is made in [`crate::report`]; what is printed about it is the command line's.

mod difference;
mod mode;
mod pending;
mod review;
mod snapshot_file;
mod snapshot_path;

pub use difference::Difference;
pub use mode::{SnapshotsMode, UnknownSnapshotsMode};
pub use pending::{Kind, Pending, pending_below};
pub use review::{Expected, Review, ReviewSettings};
pub use snapshot_file::SnapshotFile;
pub use snapshot_path::snapshot_path;
