//! Flaws in handling `item.add` and `item.remove`.

use crate::protocol::{Event, EventKind};
use crate::receiver::ledger::LedgerAction;
use crate::receiver::refusal::Refusal;
use crate::receiver::response::ReceiverResponse;

use super::{Flaw, Flaws};

impl Flaws {
    /// The refusal of an event that is granted nevertheless.
    pub(crate) fn declining_response(&self, event: &Event) -> Option<ReceiverResponse> {
        let is_item_add = event.kind() == Some(EventKind::ItemAdd);
        let declined = || Refusal::Declined("this item can't be granted".to_owned());
        (is_item_add && self.has(Flaw::DeclinedButGranted))
            .then(|| ReceiverResponse::refusal(&declined()))
    }

    pub(crate) fn removal(&self) -> LedgerAction {
        if self.has(Flaw::RemovalIgnored) {
            LedgerAction::Ignore
        } else {
            LedgerAction::Remove
        }
    }
}
