//! `aghook run` against receivers: scenarios that pass, fail, or blame no receiver.

mod after_others;
mod bundled_suite;
mod bundles;
mod captured_values;
mod common_problems;
mod cookbook;
mod explore;
mod failure_screen;
mod faults;
mod held_items;
mod hooks;
mod hostile_receivers;
mod https;
mod instances;
mod killed_receiver;
mod named_hooks;
mod probe_values;
mod profile_settings;
mod receiver_ledger;
mod routes;
#[path = "../support/mod.rs"]
mod support;
mod template_receiver;
mod typical_bugs;
mod verdicts;
mod wire_forms;
