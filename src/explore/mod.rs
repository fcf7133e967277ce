//! Explores a receiver: draws lawful histories of deliveries, runs them as scenarios, and shrinks those
//! that fail.
//!
//! A history is written in the words of scenario files, and the same code that runs and judges
//! scenarios runs and judges it. Nothing here prints or writes files.

mod case_runner;
mod changes;
mod corpus;
mod coverage;
mod deadlines;
mod drawn_events;
mod drawn_steps;
mod drawn_values;
mod expectations;
mod explorer;
mod failure_class;
mod found_failure;
mod history;
mod history_generator;
mod interleaved;
mod isolation;
mod kind;
mod names;
mod possible_kinds;
mod progress;
mod recent_cases;
mod restarts;
mod same_failure;
mod scenario_text;
mod search_state;
mod shrinker;

pub(crate) use corpus::CorpusCase;
pub(crate) use explorer::{ExploreEnd, ExploreSettings, Explorer};
pub use kind::Kind;
