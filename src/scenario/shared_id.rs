//! IDs that the events of a scenario can share.

use indexmap::IndexMap;

use super::document::Spanned;
use super::event_spec::{EventSpec, Shareable};

/// An ID that an event can share with another, by `same_as`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SharedId {
    Player,
    Transaction,
}

impl SharedId {
    pub(crate) const ALL: [Self; 2] = [Self::Player, Self::Transaction];

    fn of(self, spec: &EventSpec) -> Option<&Shareable> {
        match self {
            Self::Player => spec.player_id.as_ref(),
            Self::Transaction => spec.transaction_id.as_ref(),
        }
    }

    /// Follows `same_as` from the event `name` to the event that has the ID, and returns that event's
    /// name and its value. `None` if the event refers back to itself.
    pub(crate) fn owner<'events>(
        self,
        events: &'events IndexMap<String, Spanned<EventSpec>>,
        name: &'events str,
    ) -> Option<(&'events str, Option<&'events Shareable>)> {
        let mut owner = name;
        for _ in 0..=events.len() {
            match events.get(owner).and_then(|spec| self.of(&spec.value)) {
                Some(Shareable::SameAs(other)) => owner = &other.value,
                given => return Some((owner, given)),
            }
        }
        None
    }
}
