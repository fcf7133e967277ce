//! The receiver's variants: harmless ways in which other sound receivers differ from this one.
//!
//! They test a test suite: a suite that fails a variant would fail sound receivers. `admission`
//! refuses some deliveries, `granting` changes what an event grants, `responding` changes responses,
//! `wire` how they are sent, and `inventory_view` what the probe shows.

mod admission;
mod granting;
mod inventory_view;
mod responding;
mod wire;

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use crate::receiver::error::ReceiverError;
use crate::receiver::settings::{BundleHandling, CreditedEvent, ReceiverSettings};
use crate::receiver::variant::Variant;

use super::{KeyLocks, conflict, first_chosen, lock};

use inventory_view::HiddenGrants;

/// Variants that can't be combined: at most one of each list.
const CONFLICTS: &[&[Variant]] = &[
    &[
        Variant::Created201,
        Variant::Accepted202,
        Variant::NoContent204,
    ],
    &[Variant::Forgery400, Variant::Forgery401],
    &[Variant::UnknownType200, Variant::UnknownType202],
    &[Variant::CreditsOnItemAdd, Variant::CreditsOnEither],
    &[Variant::SandboxDenied, Variant::SandboxAndTestGranted],
    &[
        Variant::BodyArray,
        Variant::BodyNested,
        Variant::BodyEmptyObject,
        Variant::BodyText,
        Variant::BodyNone,
        Variant::BodyHuge,
    ],
    &[Variant::RedeliveryDiffers, Variant::AnswersNumbered],
    &[Variant::ChunkedAnswers, Variant::Http10Answers],
    &[
        Variant::BundleBySku,
        Variant::BundlePartsBySku,
        Variant::BundleQuantityIgnored,
    ],
    &[Variant::InProgress409, Variant::InProgress503],
    &[Variant::AsynchronousGrants, Variant::Mailbox],
];

/// How long keys are remembered, if not forever.
const A_DAY: Duration = Duration::from_hours(24);

#[derive(Debug)]
pub(crate) struct Variants {
    chosen: BTreeSet<Variant>,
    responses: AtomicU64,
    /// When the last deliveries were accepted, if their rate is limited.
    accepted: Mutex<VecDeque<Instant>>,
    /// The signatures of deliveries that were granted or deliberately skipped. The signature of a
    /// failed delivery is not included, because it may be sent again.
    used_signatures: Mutex<HashSet<String>>,
    key_locks: KeyLocks,
    /// Only in memory: after a crash they are visible at once, because the ledger has them.
    hidden_grants: tokio::sync::Mutex<HiddenGrants>,
}

impl Variants {
    /// The variants of these settings. Applies those that are only another setting.
    pub(crate) fn new(settings: &mut ReceiverSettings) -> Result<Self, ReceiverError> {
        let chosen = settings.variants.clone();
        if let Some((first, second)) = conflict(&chosen, CONFLICTS) {
            return Err(ReceiverError::ConflictingVariants(first, second));
        }
        if chosen.contains(&Variant::BundleBySku) {
            settings.bundles = BundleHandling::Sku;
        }
        if chosen.contains(&Variant::BundlePartsBySku) {
            settings.bundles = BundleHandling::Parts;
        }
        if chosen.contains(&Variant::CreditsOnItemAdd) {
            settings.credit_on = CreditedEvent::ItemAdd;
        }
        if chosen.contains(&Variant::CreditsOnEither) {
            settings.credit_on = CreditedEvent::Either;
        }
        if chosen.contains(&Variant::SandboxAndTestGranted) {
            settings.grant_sandbox = true;
            settings.grant_test = true;
        }
        if chosen.contains(&Variant::FreshnessUnlimited) {
            settings.tolerance = Duration::MAX;
        }
        if chosen.contains(&Variant::KeysKeptADay) {
            settings.key_lifetime = Some(A_DAY);
        }
        Ok(Self {
            chosen,
            responses: AtomicU64::new(0),
            accepted: Mutex::default(),
            used_signatures: Mutex::default(),
            key_locks: KeyLocks::default(),
            hidden_grants: tokio::sync::Mutex::default(),
        })
    }

    pub(crate) fn has(&self, variant: Variant) -> bool {
        self.chosen.contains(&variant)
    }
}
