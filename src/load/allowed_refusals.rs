//! Which events of a load a receiver may refuse without failing.
//!
//! A game may deny sandbox events, or player IDs that it can't have. A load does not play a
//! scenario's steps, but it accepts every refusal that `aghook run` would accept.

use crate::protocol::Event;
use crate::scenario::{Case, Effect, GrantPolicy, Level, Policy, StatusExpectation, Step};

/// The refusals that a scenario allows for one of its events: statuses that meet all of these.
#[derive(Debug, Clone)]
pub(super) struct AllowedRefusals(Vec<StatusExpectation>);

impl AllowedRefusals {
    /// The refusals that a case allows for its event `name`; `None` if it must be acknowledged.
    ///
    /// A refusal is allowed unless a `must` expects a different response or that the event is
    /// granted. A scenario with a forgery, a fault, a script or a restart allows none, because its
    /// expected statuses concern that.
    pub(super) fn of(case: &Case, name: &str, event: &Event, policy: Policy) -> Option<Self> {
        let scenario = &case.scenario;
        let is_must = |level: Option<Level>| level.unwrap_or(scenario.level) == Level::Must;
        let is_staged = |step: &Step| {
            let is_scripted = step.script.is_some() || step.restart;
            is_scripted || step.forge.is_some() || step.fault.is_some()
        };
        if scenario.steps.iter().any(|step| is_staged(step)) {
            return None;
        }
        let requires_grant = |effect: &Effect| {
            let granted = effect.granted.as_ref();
            granted.is_some_and(|granted| granted.value == name)
                && !effect.if_delivered
                && is_must(effect.level)
        };
        if !need_not_be_granted(event, policy)
            && scenario.effects.iter().any(|effect| requires_grant(effect))
        {
            return None;
        }
        let delivering = scenario.steps.iter().filter(|step| {
            let mut delivered = step.deliver.0.iter();
            delivered.any(|event| event.value == name)
        });
        let (mut required, mut has_status) = (Vec::new(), false);
        for expectation in delivering.flat_map(|step| &step.expect.0) {
            has_status |= expectation.status.is_some();
            if !is_must(expectation.level) {
                continue;
            }
            if expectation.outcome.is_some() {
                return None;
            }
            required.extend(expectation.status.clone());
        }
        has_status.then_some(Self(required))
    }

    /// Whether the status is an allowed refusal.
    pub(super) fn allow(&self, status: u16) -> bool {
        is_refusal(status) && self.0.iter().all(|required| required.allows(status))
    }
}

/// Whether a receiver may refuse a generated event, which belongs to no scenario.
pub(super) fn may_be_refused(event: &Event, status: u16, policy: Policy) -> bool {
    is_refusal(status) && need_not_be_granted(event, policy)
}

fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status)
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
                if template.may_be_refused(status) {
                    files.insert(case.file_stem().to_owned());
                }
            }
        }
        files
    }

    #[test]
    fn allows_exactly_the_refusals_that_a_run_accepts() {
        let always = [
            "items_array",
            "large_quantity",
            "late_delivery",
            "player_beyond_ascii",
            "quantity_beyond_doubles",
            "three_decimal_currency",
            "zero_decimal_currency",
        ];
        let of = |status, policy| refusable(status, policy).into_iter().collect::<Vec<_>>();
        let mut all = [&always[..], &["sandbox", "test_trigger"]].concat();
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
