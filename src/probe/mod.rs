//! What the receiver holds, and the profile's other hooks: probes over HTTP, by command or by function, and
//! requests and commands that scenarios run.
//!
//! Hooks are run here; `verify` judges what they return.

mod command_process;
mod hook_check;
mod hook_command;
mod hook_error;
mod http_hook;
mod placeholders;
mod prepared_headers;
mod prepared_hook;
mod prepared_probe;
mod probe_answer;
mod probe_batch;
mod probe_history;
mod probe_value;
mod redaction;

pub(crate) use hook_check::unusable_hooks;
pub(crate) use hook_error::{HookError, HookFailure};
pub(crate) use placeholders::{fill_in, in_braces, percent_encoded, with_placeholders};
pub(crate) use prepared_headers::{DeliveryHeaderFailure, PreparedHeaders};
pub(crate) use prepared_hook::PreparedHook;
pub(crate) use prepared_probe::PreparedProbe;
#[cfg(any(test, fuzzing))]
pub(crate) use probe_answer::read_number;
pub(crate) use probe_batch::ProbePair;
pub(crate) use probe_history::ProbeProblem;
pub(crate) use redaction::{REDACTED, Redaction};

pub(crate) const QUANTITY_PROBE: &str = "quantity";
