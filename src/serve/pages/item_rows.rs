//! Rows of a form that each choose an item and a quantity.

use super::form::{Form, Mistakes};
use crate::serve::model::Item;

/// Empty rows after the filled ones.
const EMPTY_ROWS: usize = 3;

#[derive(Debug, Clone, Default)]
pub(super) struct ItemRow {
    pub(super) item_id: String,
    pub(super) quantity: String,
}

/// The rows for these items, and some empty ones.
pub(super) fn rows(items: impl Iterator<Item = (String, u64)>) -> Vec<ItemRow> {
    let filled = items.map(|(item_id, quantity)| ItemRow {
        item_id,
        quantity: quantity.to_string(),
    });
    with_empty(filled.collect())
}

/// The rows that a form has.
pub(super) fn rows_of_form(form: &Form) -> Vec<ItemRow> {
    let pairs = form.all("row_item").zip(form.all("row_quantity"));
    let rows = pairs.map(|(item_id, quantity)| ItemRow {
        item_id: item_id.to_owned(),
        quantity: quantity.to_owned(),
    });
    with_empty(rows.filter(|row| !row.item_id.is_empty()).collect())
}

fn with_empty(mut rows: Vec<ItemRow>) -> Vec<ItemRow> {
    rows.resize_with(rows.len() + EMPTY_ROWS, ItemRow::default);
    rows
}

/// The chosen items with their quantities.
pub(super) fn chosen(rows: &[ItemRow], mistakes: &mut Mistakes) -> Vec<(String, u64)> {
    let filled = rows.iter().filter(|row| !row.item_id.is_empty());
    let mut chosen = Vec::new();
    for row in filled {
        let quantity = match &*row.quantity {
            "" => Some(1),
            text => mistakes.read("Quantity", text, "a whole number from 1"),
        };
        chosen.extend(quantity.map(|quantity| (row.item_id.clone(), quantity)));
    }
    chosen
}

/// The items of a list, by ID and name.
pub(super) fn options(items: &[Item]) -> Vec<(String, String)> {
    let named = items.iter().map(|item| {
        let label = format!("{} ({})", item.draft.name, item.draft.sku);
        (item.id.clone(), label)
    });
    named.collect()
}
