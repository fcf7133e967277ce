//! What the fuzzers in `fuzz/` call: one function for each kind of input that others write.
//!
//! Each function asserts what must be true of any bytes, besides that nothing panics. Compiled only for
//! tests and for fuzzing.

mod captures;
mod configs;
mod events;
mod journals;
mod load_reports;
mod matchers;
mod mistakes;
mod responses;
mod scenarios;
mod signatures;
#[cfg(test)]
mod tests;

pub use captures::capture;
pub use configs::config;
pub use events::event;
pub use journals::journal;
pub use load_reports::load_report;
pub use matchers::matcher;
pub use responses::response;
pub use scenarios::scenario;
pub use signatures::signature;
