//! Files that users name: reading with limits, and reports that replace earlier ones.
//!
//! Nothing here knows what a file contains.

mod input_file;
mod replacement;

pub(crate) use input_file::{open, read, read_start, read_text};
pub(crate) use replacement::{Readers, Replacement, create, is_of_system, is_same_file};
