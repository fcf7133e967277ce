//! The order of the deliveries of a step.

use rand::seq::SliceRandom;

use super::plan::{Plan, PlannedEvent};
use crate::policy::Fault;
use crate::scenario::Step;

/// One delivery of a step: its number, from 1, and its event.
pub(crate) struct NumberedDelivery<'run> {
    pub(crate) number: usize,
    pub(crate) name: &'run str,
    pub(crate) event: &'run PlannedEvent,
}

/// The deliveries of a step in the order in which they start.
pub(crate) fn delivery_order<'run>(
    plan: &'run Plan,
    step_number: usize,
    step: &'run Step,
) -> Vec<NumberedDelivery<'run>> {
    let times = step.times.map_or(1, |times| times.value);
    let fault = step.fault.map(|fault| fault.value);
    let named = step.deliver.0.iter();
    let mut order: Vec<_> = named
        .flat_map(|name| (0..times).map(move |_| name.value.as_str()))
        .filter_map(|name| Some((name, plan.events.get(name)?)))
        .collect();
    // With `out_of_order`, the first delivery stays first: its retry comes after the others.
    let late = usize::from(fault == Some(Fault::OutOfOrder)).min(order.len());
    if step.shuffle {
        let seed = plan.seed.derive(&format!("order of step {step_number}"));
        order[late..].shuffle(&mut seed.random());
    } else if late > 0 {
        order[late..].reverse();
    }
    if fault == Some(Fault::Duplicate) {
        order = order.into_iter().flat_map(|one| [one, one]).collect();
    }
    let numbered = order.into_iter().enumerate();
    numbered
        .map(|(index, (name, event))| NumberedDelivery {
            number: index + 1,
            name,
            event,
        })
        .collect()
}
