//! Whether a receiver may refuse an event of a load: what `aghook run` would not blame it for.
//!
//! A game may deny sandbox events, or players whose IDs it can't have. A load has no steps and no
//! expectations, but it must not blame a receiver for what the scenario itself lets it do.

use crate::protocol::Event;
use crate::scenario::{Case, Effect, GrantPolicy, Level, Policy, StatusExpectation, Step};

/// The statuses of a refusal that a scenario allows for one of its events.
#[derive(Debug, Clone)]
pub(super) struct AllowedRefusals(Vec<StatusExpectation>);

impl AllowedRefusals {
    /// What a case allows for its event `name`; none where the event must be acknowledged.
    ///
    /// That is so where no must demands another answer, or that the event is granted all the same. A
    /// scenario with a forgery, a fault, a script or a restart is about that, and its events are as
    /// any other.
    pub(super) fn of(case: &Case, name: &str, event: &Event, policy: Policy) -> Option<Self> {
        let scenario = &case.scenario;
        let is_must = |level: Option<Level>| level.unwrap_or(scenario.level) == Level::Must;
        let is_staged = |step: &Step| {
            let told = step.script.is_some() || step.restart;
            told || step.forge.is_some() || step.fault.is_some()
        };
        if scenario.steps.iter().any(|step| is_staged(step)) {
            return None;
        }
        let demands_grant = |effect: &Effect| {
            let granted = effect.granted.as_ref();
            granted.is_some_and(|granted| granted.value == name)
                && !effect.if_delivered
                && is_must(effect.level)
        };
        if !need_not_be_granted(event, policy)
            && scenario.effects.iter().any(|one| demands_grant(one))
        {
            return None;
        }
        let delivering = scenario.steps.iter().filter(|step| {
            let mut delivered = step.deliver.0.iter();
            delivered.any(|event| event.value == name)
        });
        let (mut demanded, mut is_said) = (Vec::new(), false);
        for expectation in delivering.flat_map(|step| &step.expect.0) {
            is_said |= expectation.status.is_some();
            if !is_must(expectation.level) {
                continue;
            }
            if expectation.outcome.is_some() {
                return None;
            }
            demanded.extend(expectation.status.clone());
        }
        is_said.then_some(Self(demanded))
    }

    /// Whether this status is such a refusal.
    pub(super) fn allow(&self, status: u16) -> bool {
        is_refusal(status) && self.0.iter().all(|demanded| demanded.allows(status))
    }
}

/// Whether a receiver may refuse a generated event, of which no scenario speaks.
pub(super) fn may_be_refused(event: &Event, status: u16, policy: Policy) -> bool {
    is_refusal(status) && need_not_be_granted(event, policy)
}

fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status)
}

/// Whether it is a sandbox or test event, and the policy does not say that such are granted.
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

    /// The files of the bundled suite with an event that may be answered so.
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
    fn what_a_run_would_not_blame_is_allowed_and_nothing_else() {
        let in_any_case = [
            "items_array",
            "large_quantity",
            "late_delivery",
            "player_beyond_ascii",
            "quantity_beyond_doubles",
            "three_decimal_currency",
            "zero_decimal_currency",
        ];
        let of = |status, policy| refusable(status, policy).into_iter().collect::<Vec<_>>();
        let mut all = [&in_any_case[..], &["sandbox", "test_trigger"]].concat();
        all.sort_unstable();
        assert_eq!(of(422, Policy::default()), all);
        let granting = Policy {
            sandbox: Some(GrantPolicy::Grant),
            test: Some(GrantPolicy::Grant),
            ..Policy::default()
        };
        assert_eq!(of(403, granting), in_any_case);
        assert!(of(500, Policy::default()).is_empty());
        assert!(of(200, Policy::default()).is_empty());
    }
}
