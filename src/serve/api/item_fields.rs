//! The fields of an item in Aghanim's API. `[P]`

use serde_json::{Map, Value, json};

use super::currencies::CURRENCIES;
use super::fields::{
    Fields, Shape, count, flag, integer, is_given, nonempty, not_supported, one_of, text,
};
use super::webhook_fields::set;
use crate::generate::in_major_units;
use crate::protocol::Field;
use crate::serve::error::HubError;
use crate::serve::model::{Fallback, Item, ItemDraft, ItemType, NestedItem};

const TYPES: &[&str] = &[
    "item",
    "currency",
    "bundle",
    "lootbox",
    "subscription",
    "virtual_currency",
];
/// The longest `name` and `sku`, and the longest `description`.
const LONGEST_NAME: usize = 255;
const LONGEST_DESCRIPTION: usize = 512;
/// How many items a bundle contains. The document has no limit. `[A]`
const MOST_NESTED: usize = 1_000;

/// Fields that only the shop shows. The local Aghanim has no shop, so it keeps and returns them.
const SHOP: &[(&str, Shape)] = &[
    ("highlights", Shape::Object),
    ("price_template_id", Shape::Text),
    ("reward_points_price", Shape::Integer),
    ("image_url", Shape::Text),
    ("image_url_apple", Shape::Text),
    ("icon_url", Shape::Text),
    ("icon_url_apple", Shape::Text),
    ("image_url_featured", Shape::Text),
    ("image_url_featured_apple", Shape::Text),
    ("background_image_url", Shape::Text),
    ("background_image_url_apple", Shape::Text),
    ("background_image_color", Shape::Text),
    ("featured_card_background_image_url", Shape::Text),
    ("featured_card_background_image_url_apple", Shape::Text),
    ("view_option", Shape::OneOf(&["default", "skeleton"])),
    ("position", Shape::Integer),
    ("categories", Shape::Texts),
    ("duration", Shape::Integer),
    ("enable_reward_points_redemption", Shape::Flag),
    ("rarity_id", Shape::Text),
    ("comment", Shape::Text),
    ("meta", Shape::Object),
];

/// Fields that would change what webhooks say, in ways that are not documented.
const UNSUPPORTED: [&str; 3] = ["price_point", "discount_percent", "bonus_percent"];

/// What a request says about an item.
#[derive(Debug)]
pub(super) struct ItemFields {
    name: Option<String>,
    description: Field<String>,
    sku: Option<String>,
    kind: Option<&'static str>,
    price: Option<u64>,
    currency: Option<&'static str>,
    quantity: Option<u64>,
    is_stackable: Option<bool>,
    is_currency: Option<bool>,
    nested_items: Option<Vec<NestedPart>>,
    fallback_item_id: Field<String>,
    fallback_item_quantity: Field<u64>,
    archived_at: Field<i64>,
    shop: Map<String, Value>,
}

/// A part of a bundle, which the API names by its ID or its SKU.
#[derive(Debug, Clone)]
pub(super) struct NestedPart {
    id: Option<String>,
    sku: Option<String>,
    count: u64,
}

impl ItemFields {
    fn read(fields: &Fields<'_>) -> Self {
        let quantity = |value: &Value| {
            let most = i64::try_from(ItemDraft::MAX_QUANTITY).unwrap_or(i64::MAX);
            integer(1..=most)(value).map(i64::unsigned_abs)
        };
        let parts = fields.objects("nested_items", MOST_NESTED);
        let part = |part: Fields<'_>| {
            let missing = ("`id` or `sku` is required".to_owned(), "value_error");
            if !part.has("id") && !part.has("sku") {
                part.mistake("id", missing);
            }
            NestedPart {
                id: part.optional("id", nonempty(LONGEST_NAME)),
                sku: part.optional("sku", nonempty(LONGEST_NAME)),
                count: part.optional("count", quantity).unwrap_or(1),
            }
        };
        Self {
            name: fields.optional("name", text(LONGEST_NAME)),
            description: fields.nullable("description", text(LONGEST_DESCRIPTION)),
            sku: fields.optional("sku", nonempty(LONGEST_NAME)),
            kind: fields.optional("type", one_of(TYPES)),
            price: fields.optional("price", count(0)),
            currency: fields.optional("currency", one_of(CURRENCIES)),
            quantity: fields.optional("quantity", quantity),
            is_stackable: fields.optional("is_stackable", flag),
            is_currency: fields.optional("is_currency", flag),
            nested_items: parts.map(|parts| parts.into_iter().map(part).collect()),
            fallback_item_id: fields.nullable("fallback_item_id", nonempty(LONGEST_NAME)),
            fallback_item_quantity: fields.nullable("fallback_item_quantity", quantity),
            archived_at: fields.nullable("archived_at", |value| match value.as_f64() {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "seconds fit, and casts saturate"
                )]
                Some(seconds) => Ok(seconds as i64),
                None => Err(("value is not a valid float".to_owned(), "type_error.float")),
            }),
            shop: fields.given(SHOP),
        }
    }

    /// Reads a new item.
    pub(super) fn create(body: &Map<String, Value>) -> Result<Self, HubError> {
        Self::checked(
            body,
            &[
                "name",
                "currency",
                "sku",
                "type",
                "is_stackable",
                "is_currency",
            ],
        )
    }

    /// Reads a change of an item. Fields that are left out stay. `[A]`
    pub(super) fn update(body: &Map<String, Value>) -> Result<Self, HubError> {
        Self::checked(body, &[])
    }

    fn checked(body: &Map<String, Value>, required: &[&str]) -> Result<Self, HubError> {
        let read = Fields::read_body(body, required, Self::read)?;
        let unsupported = UNSUPPORTED.into_iter().find(|name| is_given(body, name));
        match (read.kind, unsupported) {
            (Some(kind), _) if !matches!(kind, "item" | "bundle") => Err(not_supported(&format!(
                "items of the type `{kind}`, only `item` and `bundle`"
            ))),
            (_, Some(name)) => Err(not_supported(&format!("`{name}`"))),
            _ if body.get("is_system") == Some(&Value::Bool(true)) => {
                Err(not_supported("`is_system`: true"))
            }
            _ => Ok(read),
        }
    }

    /// The SKUs of nested items that are named only by it.
    pub(super) fn nested_skus(&self) -> impl Iterator<Item = &str> {
        let parts = self.nested_items.iter().flatten();
        parts
            .filter(|part| part.id.is_none())
            .filter_map(|part| part.sku.as_deref())
    }

    /// Changes an item. `id_of` finds the ID for an SKU.
    pub(super) fn apply(self, item: &mut Item, id_of: impl Fn(&str) -> String) {
        let draft = &mut item.draft;
        replace(&mut draft.name, self.name);
        replace(&mut draft.sku, self.sku);
        replace(&mut draft.currency, self.currency.map(str::to_owned));
        replace(&mut draft.quantity, self.quantity);
        replace(&mut draft.is_stackable, self.is_stackable);
        replace(&mut draft.is_currency, self.is_currency);
        set(&mut draft.description, self.description);
        draft.price = self.price.or(draft.price);
        if let Some(kind) = self.kind {
            draft.kind = if kind == "bundle" {
                ItemType::Bundle
            } else {
                ItemType::Item
            };
        }
        if let Some(parts) = self.nested_items {
            let parts = parts.into_iter().map(|part| NestedItem {
                id: part
                    .id
                    .unwrap_or_else(|| id_of(&part.sku.unwrap_or_default())),
                count: part.count,
            });
            draft.nested_items = parts.collect();
        }
        match self.fallback_item_id {
            Field::Absent => {}
            Field::Null => draft.fallback = None,
            Field::Value(item_id) => {
                draft.fallback = Some(Fallback {
                    item_id,
                    quantity: None,
                });
            }
        }
        if let Some(fallback) = &mut draft.fallback {
            set(&mut fallback.quantity, self.fallback_item_quantity);
        }
        draft.shop.extend(self.shop);
        set(&mut item.archived_at, self.archived_at);
    }
}

fn replace<T>(value: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *value = new;
    }
}

/// The item as the API returns it.
pub(super) fn item_json(item: &Item, all: &[Item]) -> Value {
    let draft = &item.draft;
    let mut json = json!({
        "name": draft.name,
        "description": draft.description,
        "price": draft.price,
        "currency": draft.currency,
        "sku": draft.sku,
        "type": draft.kind.name(),
        "quantity": draft.quantity,
        "is_stackable": draft.is_stackable,
        "is_currency": draft.is_currency,
        "id": item.id,
        "source": "order",
        "is_custom": false,
        "created_at": item.created_at,
        "modified_at": item.modified_at,
        "archived_at": item.archived_at,
        "price_minor_unit": draft.price,
        "price_decimal": draft.price.map(|minor| in_major_units(minor, &draft.currency)),
        "fallback_item_id": draft.fallback.as_ref().map(|fallback| &fallback.item_id),
        "fallback_item_quantity": draft.fallback.as_ref().and_then(|fallback| fallback.quantity),
        "model_type": "ItemRead",
    });
    if draft.kind == ItemType::Bundle {
        let sku = |id: &str| {
            all.iter()
                .find(|item| item.id == id)
                .map(|item| &item.draft.sku)
        };
        let nested = draft.nested_items.iter();
        json["nested_items"] = nested
            .map(|part| json!({ "id": part.id, "count": part.count, "sku": sku(&part.id) }))
            .collect();
    }
    if let Value::Object(entries) = &mut json {
        // What was not given is absent, except where the document says that it can be null.
        entries.retain(|key, value| !value.is_null() || key == "description");
        entries.extend(draft.shop.clone());
    }
    json
}
