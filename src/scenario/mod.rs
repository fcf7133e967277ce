//! The scenario format: what a file may say, how it is read, and what is wrong in it.
//!
//! Nothing here sends anything.

pub mod document;
