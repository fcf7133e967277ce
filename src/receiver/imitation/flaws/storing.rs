//! Flaws of the database's columns: IDs that become equal or are cut, and values that do not fit.

use http::StatusCode;
use percent_encoding::percent_decode_str;

use crate::protocol::{Event, Field, Item, NestedItem, Text};
use crate::receiver::imitation::event_items::{each_item, each_nested};
use crate::receiver::imitation::similar_ids::{
    in_latin_1, normalised, truncated, without_accents, without_leading_zeros,
    without_trailing_spaces,
};
use crate::receiver::refusal::Refusal;

use super::{Flaw, Flaws, caused_by};

/// The length of the column for idempotency keys, if it is too short.
const KEY_LENGTH: usize = 64;
/// The longest SKU before 2026-07-14. `[P]`
const SKU_LENGTH: usize = 100;
/// `whtx_` and 11 characters, the shorter of both lengths in public examples. `[P]`
const TRANSACTION_LENGTH: usize = 16;

impl Flaws {
    /// A player ID as the receiver stores and compares it.
    pub(crate) fn stored_player(&self, player_id: &str) -> String {
        if self.has(Flaw::PlayerCaseInsensitive) {
            player_id.to_lowercase()
        } else if self.has(Flaw::PlayerAccentInsensitive) {
            without_accents(player_id)
        } else if self.has(Flaw::PlayerNormalised) {
            normalised(player_id)
        } else if self.has(Flaw::PlayerTrailingSpace) {
            without_trailing_spaces(player_id)
        } else if self.has(Flaw::PlayerLeadingZeros) {
            without_leading_zeros(player_id)
        } else if self.has(Flaw::PlayerLatin1) {
            in_latin_1(player_id)
        } else {
            player_id.to_owned()
        }
    }

    /// Changes the player ID as the receiver reads it, so that the item goes to somebody else.
    pub(super) fn change_player(&self, event: &mut Event) {
        let player_id = &event.event_data.player_id;
        let is_number = player_id.bytes().all(|byte| byte.is_ascii_digit());
        let changed = if self.has(Flaw::PlayerIdRounded) && is_number {
            player_id
                .parse::<f64>()
                .map_or_else(|_| player_id.to_string(), |number| number.to_string())
        } else if self.has(Flaw::PlayerIdUnescaped) {
            let spaced = player_id.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        } else {
            return;
        };
        event.event_data.player_id = changed.into();
    }

    /// A key as the receiver stores and compares it.
    pub(super) fn stored_key(&self, key: &str) -> String {
        if self.has(Flaw::KeyCaseInsensitive) {
            key.to_lowercase()
        } else if self.has(Flaw::KeyTruncated) {
            truncated(key, KEY_LENGTH)
        } else {
            key.to_owned()
        }
    }

    /// The player and the SKU of the balance. If its key is both joined by a colon, several players
    /// with a colon in their IDs share it with one without.
    pub(crate) fn balance(&self, player_id: &str, sku: &str) -> (String, String) {
        if self.has(Flaw::WalletKeyJoined)
            && let Some((owner, rest)) = player_id.split_once(':')
        {
            return (owner.to_owned(), format!("{rest}:{sku}"));
        }
        (player_id.to_owned(), sku.to_owned())
    }

    /// What a player holds, as the column of the balance keeps it.
    pub(crate) fn stored_balance(&self, quantity: u128) -> i128 {
        let quantity = i128::try_from(quantity).unwrap_or(i128::MAX);
        if self.has(Flaw::Balance32Bit) {
            #[expect(clippy::cast_possible_truncation, reason = "the flaw")]
            let kept = quantity as i32;
            kept.into()
        } else {
            quantity
        }
    }

    pub(super) fn join_wallet_keys(&self, event: &mut Event) {
        let player_id = event.event_data.player_id.to_string();
        let join = |sku: &mut Text| *sku = self.balance(&player_id, sku).1.into();
        each_item(event, &mut |item: &mut Item| {
            join(&mut item.sku);
            each_nested(&mut item.nested_items, &mut |inner: &mut NestedItem| {
                join(&mut inner.sku);
            });
        });
        event.event_data.player_id = self.balance(&player_id, "").0.into();
    }

    pub(super) fn truncate_skus(&self, event: &mut Event) {
        if !self.has(Flaw::SkuTruncated) {
            return;
        }
        let cut = |sku: &mut Text| *sku = truncated(sku, SKU_LENGTH).into();
        each_item(event, &mut |item: &mut Item| {
            cut(&mut item.sku);
            each_nested(&mut item.nested_items, &mut |inner: &mut NestedItem| {
                cut(&mut inner.sku);
            });
        });
    }

    /// Refuses an event with a value that the database can't store.
    pub(super) fn check_columns(&self, event: &Event) -> Result<(), Refusal> {
        let fails = |flaw| {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            if self.has(flaw) {
                Err(caused_by(flaw, status))
            } else {
                Ok(())
            }
        };
        if event.transaction_id.chars().count() > TRANSACTION_LENGTH {
            fails(Flaw::LongTransactionIdCrashes)?;
        }
        let has_nul = |item: &Item| {
            let description = item.description.value();
            let texts = description.into_iter().chain([&item.name]);
            texts.into_iter().any(|text| text.contains('\0'))
        };
        if event.event_data.named_items().any(has_nul) {
            fails(Flaw::NulCrashes)?;
        }
        if event.event_data.item.is_absent() || event.event_data.item == Field::Null {
            fails(Flaw::ItemRequired)?;
        }
        Ok(())
    }
}
