//! Where recorded deliveries differ from what aghook generates.

mod body_check;
mod difference;
mod event_text;
mod expectation;
mod id_form;
mod layout;
mod request_check;
mod retries;

pub(crate) use difference::{Difference, DifferenceName};
pub(crate) use expectation::Expectation;
pub(crate) use id_form::IdForm;
pub(crate) use layout::{Escapes, Layout, Whitespace};
pub(crate) use retries::{Retries, rounded};

use self::difference::Differences;
use super::recorded_delivery::{RecordedDelivery, SignatureCheck};

/// The result of a comparison.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// How many deliveries were compared.
    pub(crate) deliveries: u64,
    /// How many of them had a signature that matched the secret.
    pub(crate) signed: u64,
    pub(crate) retries: Retries,
    pub(crate) differences: Vec<Difference>,
}

/// Compares deliveries with what aghook would have sent.
pub(crate) fn compare(deliveries: &[RecordedDelivery], expected: &Expectation) -> Comparison {
    let mut found = Differences::default();
    for (number, delivery) in deliveries.iter().enumerate() {
        request_check::check(expected, number, delivery, &mut found);
        body_check::check(expected, number, delivery, &mut found);
    }
    let count = deliveries.len() as u64;
    let mut differences = Vec::new();
    found.drain_into(&mut differences, count, "deliveries");
    let retries = retries::compare(deliveries, &expected.policy, &mut differences);
    let signed = deliveries
        .iter()
        .filter(|delivery| delivery.signature == SignatureCheck::Matches);
    differences.sort_by_key(|difference| difference.name);
    Comparison {
        deliveries: count,
        signed: signed.count() as u64,
        retries,
        differences,
    }
}
