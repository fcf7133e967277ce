//! The two ways in which bundles in bundles fail if they are not opened, as one problem.

use std::collections::BTreeMap;

use super::event_features::EventFeatures;
use super::grant_cause::GrantCause;
use super::group_key::GroupKey;
use super::{FailureGroup, FoundKey};
use crate::verify::GrantFailure;

/// What is left of a bundle if the bundles in it are not opened, other items or nothing, is one problem.
pub(super) fn join_nested_bundles(
    groups: &mut BTreeMap<GroupKey, FailureGroup>,
    keys: &mut BTreeMap<FoundKey, GroupKey>,
    granted: Option<&EventFeatures>,
) {
    let parts = GroupKey::Grant(GrantCause::Other(GrantFailure::PartMissing));
    let nothing = GroupKey::Grant(GrantCause::Other(GrantFailure::AcceptedNotGranted));
    let is_of_nested = |key| {
        let events = groups.get(key).map(|group| &group.events).zip(granted);
        events.is_some_and(|(events, granted)| events.are_only_nested_bundles(granted))
    };
    if !is_of_nested(&parts) || !is_of_nested(&nothing) {
        return;
    }
    if let Some(group) = groups.remove(&nothing) {
        groups.entry(parts.clone()).or_default().merge(group);
    }
    for key in keys.values_mut().filter(|key| **key == nothing) {
        key.clone_from(&parts);
    }
}
