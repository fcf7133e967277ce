//! Explains a name that a report or a list shows: what it is, what it costs, and how to fix it, with code.
//!
//! The texts are those of the flaws, forgeries, faults, checks and causes themselves. What belongs to many
//! names, the code, is in the topics. Nothing here prints.

mod check_key;
mod explanation;
mod language;
mod subject;
mod topic;
mod topic_choice;

pub(crate) use explanation::Explanation;
pub(crate) use language::Language;
pub(crate) use subject::Subject;
pub(crate) use topic::Topic;
