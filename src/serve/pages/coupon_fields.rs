//! The form of a coupon.

use super::form::{Form, Mistakes};
use super::item_rows::{ItemRow, chosen, rows, rows_of_form};
use super::moment::{input_value, read_input};
use crate::serve::error::HubError;
use crate::serve::model::{CouponDraft, CouponLimits, FreeItem};

/// The fields as text, as the form has them.
#[derive(Debug, Clone)]
pub(super) struct CouponFields {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) items: Vec<ItemRow>,
    pub(super) max_redemptions: String,
    pub(super) max_per_player: String,
    pub(super) starts: String,
    pub(super) ends: String,
    pub(super) players: String,
    pub(super) except_players: String,
}

impl CouponFields {
    pub(super) fn of_draft(draft: &CouponDraft) -> Self {
        let limits = &draft.limits;
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let list = |list: &Option<Vec<String>>| list.as_deref().unwrap_or_default().join(", ");
        Self {
            code: draft.code.clone(),
            name: draft.name.clone(),
            items: rows(
                draft
                    .items
                    .iter()
                    .map(|item| (item.item_id.clone(), item.quantity)),
            ),
            max_redemptions: number(limits.max_redemptions).unwrap_or_default(),
            max_per_player: limits.per_player().to_string(),
            starts: input_value(limits.start_at),
            ends: input_value(limits.end()),
            players: list(&limits.player_ids),
            except_players: list(&limits.exclude_player_ids),
        }
    }

    pub(super) fn of_form(form: &Form) -> Self {
        let text = |name| form.text(name).to_owned();
        Self {
            code: text("code"),
            name: text("name"),
            items: rows_of_form(form),
            max_redemptions: text("max_redemptions"),
            max_per_player: text("max_per_player"),
            starts: text("starts"),
            ends: text("ends"),
            players: text("players"),
            except_players: text("except_players"),
        }
    }

    /// The coupon of the form, or what is wrong with it.
    pub(super) fn draft(&self) -> Result<CouponDraft, HubError> {
        const NUMBER: &str = "a whole number from 1";
        let mut mistakes = Mistakes::default();
        let code = mistakes.required("Code", &self.code);
        let items = chosen(&self.items, &mut mistakes);
        if items.is_empty() {
            mistakes.add("Items", "choose at least one item");
        }
        let limits = CouponLimits {
            start_at: read_input("Starts", &self.starts, &mut mistakes),
            end_at: read_input("Ends", &self.ends, &mut mistakes),
            expires_at: None,
            max_redemptions: mistakes.read("Redemptions by all", &self.max_redemptions, NUMBER),
            max_redemptions_per_user: mistakes.read(
                "Redemptions by each player",
                &self.max_per_player,
                NUMBER,
            ),
            player_ids: player_list(&self.players),
            exclude_player_ids: player_list(&self.except_players),
        };
        let free = |(item_id, quantity)| FreeItem { item_id, quantity };
        mistakes.finish(CouponDraft {
            name: if self.name.is_empty() {
                code.clone()
            } else {
                self.name.clone()
            },
            code,
            items: items.into_iter().map(free).collect(),
            limits,
            category_id: None,
        })
    }
}

/// Player IDs between commas or on lines. `None` for an empty list, which restricts nothing.
fn player_list(text: &str) -> Option<Vec<String>> {
    let players = text.split([',', '\n']).map(str::trim);
    let players: Vec<_> = players
        .filter(|player| !player.is_empty())
        .map(str::to_owned)
        .collect();
    Some(players).filter(|players| !players.is_empty())
}
