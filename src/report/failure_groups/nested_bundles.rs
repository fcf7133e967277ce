//! The ways in which bundles in bundles fail if they are not opened, as one problem.

use std::collections::BTreeMap;

use super::event_features::EventFeatures;
use super::grant_cause::GrantCause;
use super::group_key::GroupKey;
use super::{FailureGroup, FoundKey};
use crate::verify::GrantFailure;

/// What is left of a bundle if the bundles in it are not opened, other items, less or nothing, is one
/// problem.
pub(super) fn join_nested_bundles(
    groups: &mut BTreeMap<GroupKey, FailureGroup>,
    keys: &mut BTreeMap<FoundKey, GroupKey>,
    granted: Option<&EventFeatures>,
) {
    let parts = GroupKey::Grant(GrantCause::Other(GrantFailure::PartMissing));
    let others = [GrantFailure::AcceptedNotGranted, GrantFailure::TooLittle];
    let others = others.map(|failure| GroupKey::Grant(GrantCause::Other(failure)));
    let is_of_nested = |groups: &BTreeMap<GroupKey, FailureGroup>, key: &GroupKey| {
        let events = groups.get(key).map(|group| &group.events).zip(granted);
        events.is_some_and(|(events, granted)| events.are_only_nested_bundles(granted))
    };
    if !is_of_nested(groups, &parts) {
        return;
    }
    for other in others {
        if is_of_nested(groups, &other)
            && let Some(group) = groups.remove(&other)
        {
            groups.entry(parts.clone()).or_default().merge(group);
            for key in keys.values_mut().filter(|key| **key == other) {
                key.clone_from(&parts);
            }
        }
    }
}
