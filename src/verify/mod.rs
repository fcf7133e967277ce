//! Judges what a receiver did: responses against expectations, changes of inventory against grants, and
//! retries against the retry policy. Decides how long effects may take to show.
//!
//! Judging is a pure function of what was observed. Nothing here sends requests.

mod delivery_verdict;
mod effect_probe;
mod effect_watch;
mod event_outcomes;
mod expectation;
mod expected_grant;
mod expected_inventory;
mod grant_check;
mod grant_failure;
mod held_items;
mod mixed_bundles;
mod redemption;
mod retry_check;
mod verdict;
mod wrong_changes;

pub(crate) use delivery_verdict::DeliveryVerdict;
pub(crate) use effect_probe::{EffectProbe, ProbeQuery};
pub(crate) use effect_watch::EffectWatch;
pub(crate) use event_outcomes::EventOutcomes;
pub(crate) use expectation::{Observed, PreparedExpectation, check, describe_expectations};
#[cfg(any(test, fuzzing))]
pub(crate) use expected_grant::acceptable_grants;
pub(crate) use expected_grant::named_skus;
pub(crate) use expected_inventory::{ExpectedInventory, GrantCount, InventoryCheck};
pub(crate) use grant_check::{Changes, GrantCheck, GrantExpectation, HeldOnce, check_grants};
pub(crate) use grant_failure::GrantFailure;
pub(crate) use held_items::HeldItems;
pub(crate) use redemption::{Redemption, RedemptionEvent};
pub(crate) use retry_check::check_retry_policy;
pub(crate) use verdict::Requirement;
pub use verdict::{Check, Verdict, VerdictCounts};
