//! The order of the deliveries of a step.

use bytes::Bytes;
use rand::seq::SliceRandom;

use crate::generate::Seed;
use crate::policy::Fault;
use crate::scenario::Deliver;

/// One delivery of a step: its number, from 1, and its event.
#[derive(Debug)]
pub(crate) struct PlannedDelivery {
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) body: Bytes,
}

/// The deliveries of a step in the order in which they start. `events` has the name and the body of
/// each event to deliver; `seed` decides the order if it is random.
pub(super) fn delivery_order(
    deliver: &Deliver,
    events: &[(&str, &Bytes)],
    seed: Seed,
) -> Vec<PlannedDelivery> {
    let times = deliver.times.unwrap_or(1) as usize;
    let named = events.iter();
    let mut order: Vec<_> = named
        .flat_map(|event| std::iter::repeat_n(event, times))
        .collect();
    // With `out_of_order`, the first delivery stays first: its retry comes after the others.
    let late = usize::from(deliver.fault() == Some(Fault::OutOfOrder)).min(order.len());
    if deliver.shuffle {
        order[late..].shuffle(&mut seed.random());
    } else if late > 0 {
        order[late..].reverse();
    }
    if deliver.fault() == Some(Fault::Duplicate) {
        order = order.into_iter().flat_map(|one| [one, one]).collect();
    }
    let numbered = order.into_iter().zip(1..);
    numbered
        .map(|((name, body), number)| PlannedDelivery {
            number,
            name: (*name).to_owned(),
            body: Bytes::clone(body),
        })
        .collect()
}
