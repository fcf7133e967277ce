//! The form of a webhook.

use super::form::Form;
use crate::protocol::EventKind;
use crate::serve::model::WebhookDraft;

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "the checkboxes of a form")]
pub(super) struct WebhookFields {
    pub(super) url: String,
    pub(super) description: String,
    pub(super) coupon_redeemed: bool,
    pub(super) item_add: bool,
    pub(super) enabled: bool,
    pub(super) keeps_responses: bool,
    pub(super) player_context: bool,
}

impl WebhookFields {
    pub(super) fn of_draft(draft: &WebhookDraft) -> Self {
        Self {
            url: draft.url.clone(),
            description: draft.description.clone().unwrap_or_default(),
            coupon_redeemed: draft.events.contains(&EventKind::CouponRedeemed),
            item_add: draft.events.contains(&EventKind::ItemAdd),
            enabled: draft.enabled,
            keeps_responses: draft.enabled_logs,
            player_context: draft.player_context_enabled == Some(true),
        }
    }

    pub(super) fn of_form(form: &Form) -> Self {
        Self {
            url: form.text("url").to_owned(),
            description: form.text("description").to_owned(),
            coupon_redeemed: form.is_on("coupon_redeemed"),
            item_add: form.is_on("item_add"),
            enabled: form.is_on("enabled"),
            keeps_responses: form.is_on("keeps_responses"),
            player_context: form.is_on("player_context"),
        }
    }

    /// Changes the fields that the form has.
    pub(super) fn apply(self, draft: &mut WebhookDraft) {
        let events = [
            (self.coupon_redeemed, EventKind::CouponRedeemed),
            (self.item_add, EventKind::ItemAdd),
        ];
        let chosen = events.into_iter().filter(|(is_on, _)| *is_on);
        draft.events = chosen.map(|(_, kind)| kind).collect();
        draft.url = self.url;
        draft.description = Some(self.description).filter(|text| !text.is_empty());
        draft.enabled = self.enabled;
        draft.enabled_logs = self.keeps_responses;
        draft.player_context_enabled = Some(self.player_context);
    }
}
