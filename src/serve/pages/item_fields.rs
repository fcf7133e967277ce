//! The form of an item.

use super::form::{Form, Mistakes};
use super::item_rows::{ItemRow, chosen, rows, rows_of_form};
use crate::serve::error::HubError;
use crate::serve::model::{Fallback, ItemDraft, ItemType, NestedItem};

/// The fields as text, as the form has them.
#[derive(Debug, Clone)]
pub(super) struct ItemFields {
    pub(super) sku: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) quantity: String,
    pub(super) price: String,
    pub(super) currency: String,
    pub(super) contents: Vec<ItemRow>,
    pub(super) fallback: String,
    pub(super) fallback_quantity: String,
}

impl ItemFields {
    pub(super) fn of_draft(draft: &ItemDraft) -> Self {
        let nested = draft.nested_items.iter();
        let fallback = draft.fallback.as_ref();
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        Self {
            sku: draft.sku.clone(),
            name: draft.name.clone(),
            description: draft.description.clone().unwrap_or_default(),
            quantity: draft.quantity.to_string(),
            price: number(draft.price).unwrap_or_default(),
            currency: draft.currency.clone(),
            contents: rows(nested.map(|nested| (nested.id.clone(), nested.count))),
            fallback: fallback
                .map(|fallback| fallback.item_id.clone())
                .unwrap_or_default(),
            fallback_quantity: number(fallback.and_then(|fallback| fallback.quantity))
                .unwrap_or_default(),
        }
    }

    pub(super) fn of_form(form: &Form) -> Self {
        let text = |name| form.text(name).to_owned();
        Self {
            sku: text("sku"),
            name: text("name"),
            description: text("description"),
            quantity: text("quantity"),
            price: text("price"),
            currency: text("currency"),
            contents: rows_of_form(form),
            fallback: text("fallback"),
            fallback_quantity: text("fallback_quantity"),
        }
    }

    /// The changes that the form makes, or what is wrong with it.
    pub(super) fn change(&self) -> Result<impl FnOnce(&mut ItemDraft) + Send + 'static, HubError> {
        const NUMBER: &str = "a whole number";
        let mut mistakes = Mistakes::default();
        let sku = mistakes.required("SKU", &self.sku);
        let quantity = mistakes
            .read("Quantity", &self.quantity, NUMBER)
            .unwrap_or(1);
        let price = mistakes.read("Price", &self.price, NUMBER);
        let nested: Vec<_> = chosen(&self.contents, &mut mistakes);
        let fallback_quantity = mistakes.read("Fallback quantity", &self.fallback_quantity, NUMBER);
        let fallback = Some(self.fallback.clone()).filter(|id| !id.is_empty());
        let fallback = fallback.map(|item_id| Fallback {
            item_id,
            quantity: fallback_quantity,
        });
        let fields = self.clone();
        mistakes.finish(move |draft: &mut ItemDraft| {
            draft.name = if fields.name.is_empty() {
                sku.clone()
            } else {
                fields.name
            };
            draft.sku = sku;
            draft.description = Some(fields.description).filter(|text| !text.is_empty());
            draft.quantity = quantity;
            draft.price = price;
            if !fields.currency.is_empty() {
                draft.currency = fields.currency.to_ascii_uppercase();
            }
            draft.kind = if nested.is_empty() {
                ItemType::Item
            } else {
                ItemType::Bundle
            };
            let nested = nested
                .into_iter()
                .map(|(id, count)| NestedItem { id, count });
            draft.nested_items = nested.collect();
            draft.fallback = fallback;
        })
    }
}
