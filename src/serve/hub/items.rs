//! The items of the hub.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::Hub;
use crate::serve::error::HubError;
use crate::serve::model::{Coupon, Item, ItemDraft, ItemType};
use crate::serve::redemption::MAX_DEPTH;
use crate::serve::store::Document as _;

impl Hub {
    /// All items in the order of their creation.
    pub(crate) async fn items(&self) -> Result<Vec<Item>, HubError> {
        self.database.read(Item::all).await
    }

    pub(crate) async fn item(&self, id: &str) -> Result<Item, HubError> {
        let id = id.to_owned();
        let get = self
            .database
            .read(move |connection| Item::get(connection, &id));
        get.await
    }

    pub(crate) async fn create_item(&self, draft: ItemDraft) -> Result<Item, HubError> {
        let now = self.settings.clock.unix_seconds();
        let item = Item {
            id: self.settings.random.id("itm_"),
            draft,
            created_at: now,
            modified_at: now,
            archived_at: None,
        };
        let save = self.database.write(move |connection| {
            save_item(connection, &item)?;
            Ok(item)
        });
        save.await
    }

    pub(crate) async fn update_item(
        &self,
        id: &str,
        change: impl FnOnce(&mut Item) + Send + 'static,
    ) -> Result<Item, HubError> {
        let (id, now) = (id.to_owned(), self.settings.clock.unix_seconds());
        let update = self.database.write(move |connection| {
            let mut item = Item::get(connection, &id)?;
            change(&mut item);
            item.modified_at = now;
            save_item(connection, &item)?;
            Ok(item)
        });
        update.await
    }

    pub(crate) async fn delete_item(&self, id: &str) -> Result<(), HubError> {
        let id = id.to_owned();
        let delete = self.database.write(move |connection| {
            let items = Item::all(connection)?;
            let user = items
                .iter()
                .find(|item| item.draft.references().any(|other| other == id));
            if let Some(user) = user {
                let message = format!(
                    "the item `{}` contains it or falls back on it",
                    user.draft.sku
                );
                return Err(HubError::Conflict(message));
            }
            let coupons = Coupon::all(connection)?;
            let user = coupons
                .iter()
                .find(|coupon| coupon.draft.items.iter().any(|free| free.item_id == id));
            if let Some(user) = user {
                let message = format!("the coupon `{}` grants it", user.draft.code);
                return Err(HubError::Conflict(message));
            }
            Item::delete(connection, &id)
        });
        delete.await
    }
}

/// Checks an item and what it contains, and saves it.
pub(in crate::serve) fn save_item(connection: &Connection, item: &Item) -> Result<(), HubError> {
    let draft = &item.draft;
    match draft.kind {
        ItemType::Bundle if draft.nested_items.is_empty() => {
            return Err(HubError::invalid_field(
                "nested_items",
                "a bundle needs at least one item",
            ));
        }
        ItemType::Item if !draft.nested_items.is_empty() => {
            return Err(HubError::invalid_field(
                "nested_items",
                "only an item of the type `bundle` contains items",
            ));
        }
        _ => {}
    }
    for id in draft.references() {
        let is_known = id == item.id || Item::get(connection, id).is_ok();
        if !is_known {
            return Err(HubError::invalid_field(
                "nested_items",
                format!("there is no item `{id}`"),
            ));
        }
    }
    item.save(connection)?;
    check_depth(connection, item, &mut BTreeSet::new())
}

/// Refuses bundles that contain themselves, or that nest too deep.
fn check_depth(
    connection: &Connection,
    item: &Item,
    outer: &mut BTreeSet<String>,
) -> Result<(), HubError> {
    if !outer.insert(item.id.clone()) {
        let message = format!("the item `{}` contains itself", item.draft.sku);
        return Err(HubError::invalid_field("nested_items", message));
    }
    if outer.len() > MAX_DEPTH {
        let message = format!("bundles nest deeper than {MAX_DEPTH}");
        return Err(HubError::invalid_field("nested_items", message));
    }
    for id in item.draft.references() {
        let inner = Item::get(connection, id)?;
        check_depth(connection, &inner, outer)?;
    }
    outer.remove(&item.id);
    Ok(())
}
