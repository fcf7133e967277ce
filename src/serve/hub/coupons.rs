//! The coupons of the hub.

use rusqlite::Connection;

use super::Hub;
use crate::serve::error::{FieldProblem, HubError, Location};
use crate::serve::model::{Coupon, CouponDraft, Item, ItemDraft};
use crate::serve::store::Document as _;

impl Hub {
    /// All coupons in the order of their creation.
    pub(crate) async fn coupons(&self) -> Result<Vec<Coupon>, HubError> {
        self.database.read(Coupon::all).await
    }

    pub(crate) async fn coupon(&self, id: &str) -> Result<Coupon, HubError> {
        let id = id.to_owned();
        let get = self
            .database
            .read(move |connection| Coupon::get(connection, &id));
        get.await
    }

    pub(crate) async fn create_coupon(&self, draft: CouponDraft) -> Result<Coupon, HubError> {
        let id = self.settings.random.id("cpn_");
        let save = self.database.write(move |connection| {
            let coupon = Coupon { id, draft };
            save_coupon(connection, &coupon)?;
            Ok(coupon)
        });
        save.await
    }

    pub(crate) async fn update_coupon(
        &self,
        id: &str,
        change: impl FnOnce(&mut CouponDraft) + Send + 'static,
    ) -> Result<Coupon, HubError> {
        let id = id.to_owned();
        let update = self.database.write(move |connection| {
            let mut coupon = Coupon::get(connection, &id)?;
            change(&mut coupon.draft);
            save_coupon(connection, &coupon)?;
            Ok(coupon)
        });
        update.await
    }

    pub(crate) async fn delete_coupon(&self, id: &str) -> Result<(), HubError> {
        let id = id.to_owned();
        let delete = self
            .database
            .write(move |connection| Coupon::delete(connection, &id));
        delete.await
    }
}

/// Checks a coupon and the items that it grants, and saves it.
pub(in crate::serve) fn save_coupon(
    connection: &Connection,
    coupon: &Coupon,
) -> Result<(), HubError> {
    let draft = &coupon.draft;
    if draft.items.is_empty() {
        let message = "a coupon of the type `free_item` needs at least one item in `items`";
        return Err(HubError::invalid_field("free_items", message));
    }
    let mut problems = Vec::new();
    for (index, free) in draft.items.iter().enumerate() {
        let item = match Item::get(connection, &free.item_id) {
            Err(HubError::NotFound { .. }) => None,
            found => Some(found?),
        };
        let msg = match item {
            None => format!("there is no item `{}`", free.item_id),
            Some(item) if too_many(item.draft.quantity, free.quantity) => {
                format!(
                    "the item's quantity times this is more than {}",
                    ItemDraft::MAX_QUANTITY
                )
            }
            Some(_) => continue,
        };
        let loc = ["body", "free_items", "items"].map(|key| Location::Key(key.to_owned()));
        problems.push(FieldProblem {
            loc: loc.into_iter().chain([Location::Index(index)]).collect(),
            msg,
            kind: "value_error",
        });
    }
    if !problems.is_empty() {
        return Err(HubError::Invalid(problems));
    }
    coupon.save(connection)
}

fn too_many(quantity: u64, times: u64) -> bool {
    let all = quantity.checked_mul(times);
    all.is_none_or(|all| all > ItemDraft::MAX_QUANTITY)
}
