//! Which events of a load a receiver may refuse without failing.
//!
//! A game may deny sandbox events, or player IDs that it can't have. A load does not play a
//! scenario's steps, but it accepts every refusal that `aghook run` would accept.

use std::sync::Arc;

use crate::policy::StatusClass;
use crate::protocol::Event;
use crate::scenario::{
    Action, Case, Effect, ExpectedEffect, GrantPolicy, Level, Policy, StatusExpectation, Step,
};

/// The refusals that are allowed for an event: statuses from 400 to 499 that meet all of these.
#[derive(Debug, Clone, Default)]
pub(super) struct AllowedRefusals(Option<Arc<[StatusExpectation]>>);

impl AllowedRefusals {
    /// Those that a case allows for its event `name`; `None` if it must be acknowledged.
    ///
    /// A refusal is allowed unless a `must` expects a different response or that the event is
    /// granted. A scenario with a forgery, a fault, a hook, or another way to write or sign requests
    /// allows none, because its expected statuses concern that.
    pub(super) fn of_case(case: &Case, name: &str, event: &Event, policy: Policy) -> Option<Self> {
        let scenario = &case.scenario;
        let is_must = |level: Option<Level>| level.unwrap_or(scenario.level) == Level::Must;
        let is_staged = |step: &Step| match &step.action {
            Action::Script(_) | Action::Restart | Action::Hook(_) => true,
            Action::Deliver(deliver) => !deliver.is_ordinary(),
            Action::Request(_) | Action::Pause(_) | Action::AfterOthers => false,
        };
        if scenario.steps.iter().any(is_staged) {
            return None;
        }
        let requires_grant = |effect: &Effect| match &effect.expected {
            ExpectedEffect::Granted {
                event,
                if_delivered,
                ..
            } => event.name == name && !if_delivered && is_must(effect.level),
            ExpectedEffect::NotGranted(_)
            | ExpectedEffect::Removed(_)
            | ExpectedEffect::Probe { .. } => false,
        };
        if !need_not_be_granted(event, policy) && scenario.effects.iter().any(requires_grant) {
            return None;
        }
        let delivers = |step: &&Step| match &step.action {
            Action::Deliver(deliver) => deliver.events.iter().any(|event| event.name == name),
            _ => false,
        };
        let delivering = scenario.steps.iter().filter(delivers);
        let (mut required, mut has_status) = (Vec::new(), false);
        for expectation in delivering.flat_map(|step| &step.expect) {
            has_status |= expectation.status.is_some();
            if !is_must(expectation.level) {
                continue;
            }
            if expectation.outcome.is_some() {
                return None;
            }
            required.extend(expectation.status.clone());
        }
        has_status.then(|| Self(Some(required.into())))
    }

    /// Those for a generated event, which belongs to no scenario; `None` if it must be acknowledged.
    pub(super) fn of_generated(event: &Event, policy: Policy) -> Option<Self> {
        need_not_be_granted(event, policy).then(Self::default)
    }

    pub(super) fn allow(&self, status: u16) -> bool {
        let mut required = self.0.iter().flat_map(|required| required.iter());
        StatusClass::ClientError.matches(status) && required.all(|required| required.allows(status))
    }
}

/// Whether it is a sandbox or test event that the policy does not require to be granted.
fn need_not_be_granted(event: &Event, policy: Policy) -> bool {
    let ignored = |applies: bool, choice| applies && choice != Some(GrantPolicy::Grant);
    ignored(event.sandbox, policy.sandbox) || ignored(event.is_test(), policy.test)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::generate::{Generator, Seed};
    use crate::load::{EventTemplate, TemplateSettings};
    use crate::scenario::bundled_suite;

    /// The files of the bundled suite with an event that may be refused with this status.
    fn refusable(status: u16, policy: Policy) -> BTreeSet<String> {
        let seed = Seed::new(1);
        let settings = TemplateSettings {
            generator: Generator::new(seed, "1763889831".parse().expect("a start time")),
            seed,
            policy,
        };
        let mut files = BTreeSet::new();
        for case in bundled_suite().expect("the suite") {
            for name in case.scenario.events.keys() {
                let Ok(template) = EventTemplate::new(&case, name, &settings) else {
                    continue;
                };
                if template
                    .refusals
                    .is_some_and(|refusals| refusals.allow(status))
                {
                    files.insert(case.file_stem().to_owned());
                }
            }
        }
        files
    }

    #[test]
    fn allows_exactly_the_refusals_that_a_run_accepts() {
        let always = [
            "bundles_in_a_row",
            "burst",
            "deep_bundle",
            "huge_bundle",
            "items_array",
            "items_without_item",
            "joined_ids",
            "large_balance",
            "large_quantity",
            "late_delivery",
            "leading_zeros",
            "long_keys",
            "long_sku",
            "other_item_type",
            "player_beyond_ascii",
            "player_like_number",
            "player_with_escapes",
            "quantity_beyond_doubles",
            "several_items",
            "similar_players",
            "similar_players_beyond_ascii",
            "simultaneous_coupons",
            "stream_of_one_player",
            "three_decimal_currency",
            "zero_character",
            "zero_decimal_currency",
        ];
        let of = |status, policy| refusable(status, policy).into_iter().collect::<Vec<_>>();
        let mut all = [
            &always[..],
            &["sandbox", "sandbox_and_live", "test_trigger"],
        ]
        .concat();
        all.sort_unstable();
        assert_eq!(of(422, Policy::default()), all);
        let granting = Policy {
            sandbox: Some(GrantPolicy::Grant),
            test: Some(GrantPolicy::Grant),
            ..Policy::default()
        };
        assert_eq!(of(403, granting), always);
        assert!(of(500, Policy::default()).is_empty());
        assert!(of(200, Policy::default()).is_empty());
    }
}
