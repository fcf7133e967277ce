//! `/s2s/v1/items`.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use serde_json::Value;

use super::ApiState;
use super::fields::one_of;
use super::item_fields::{ItemFields, item_json};
use super::query::{Query, part};
use super::refusal::{Detail, json_response};
use super::request_body::JsonObject;
use crate::serve::error::HubError;
use crate::serve::model::{Item, ItemDraft, Page};

const DEFAULT_LIMIT: u32 = 10;
/// Filters of the document that need data that the local Aghanim does not have.
const OTHER_FILTERS: [&str; 4] = ["category_id", "rarity_id", "item_price_type", "with_price"];

pub(super) fn routes() -> Router<Arc<ApiState>> {
    Router::new()
        .route(
            "/items",
            get(list)
                .post(create)
                .put(in_bulk)
                .patch(in_bulk)
                .delete(in_bulk),
        )
        .route("/items/{id}", get(read).put(update).delete(delete))
}

const ORDER: &[&str] = &["created_at", "modified_at", "name", "position", "price"];

/// Which items a list has, and their order.
struct ItemFilter {
    page: Page,
    state: Option<&'static str>,
    search: Option<String>,
    stackable: Option<&'static str>,
    types: Option<String>,
    ids: Option<String>,
    order_by: &'static str,
    is_descending: bool,
}

impl ItemFilter {
    fn read(query: Query) -> Result<Self, HubError> {
        query.refuse(&OTHER_FILTERS)?;
        let owned = |name| query.get(name).map(str::to_owned);
        let filter = Self {
            page: query.page(DEFAULT_LIMIT),
            state: query.read("state", one_of(&["active", "archived"])),
            search: owned("search_string").map(|text| text.to_lowercase()),
            stackable: query.read(
                "item_stackable_type",
                one_of(&["stackable", "non_stackable"]),
            ),
            types: owned("types"),
            ids: owned("ids"),
            order_by: query
                .read("order_by", one_of(ORDER))
                .unwrap_or("created_at"),
            is_descending: query.read("sort_order", one_of(&["asc", "desc"])) == Some("desc"),
        };
        query.finish(filter)
    }

    fn matches(&self, item: &Item) -> bool {
        let draft = &item.draft;
        let lists = |list: &Option<String>, value: &str| {
            list.as_ref()
                .is_none_or(|list| list.split(',').any(|entry| entry.trim() == value))
        };
        let contains =
            |text: &str| draft.name.to_lowercase().contains(text) || draft.sku.contains(text);
        let state = if item.archived_at.is_some() {
            "archived"
        } else {
            "active"
        };
        let stackable = if draft.is_stackable {
            "stackable"
        } else {
            "non_stackable"
        };
        self.state.is_none_or(|wanted| wanted == state)
            && self.stackable.is_none_or(|wanted| wanted == stackable)
            && self.search.as_deref().is_none_or(contains)
            && lists(&self.types, draft.kind.name())
            && lists(&self.ids, &item.id)
    }

    fn compare(&self, one: &Item, other: &Item) -> Ordering {
        let position = |item: &Item| item.draft.shop.get("position").and_then(Value::as_i64);
        let ascending = match self.order_by {
            "name" => one.draft.name.cmp(&other.draft.name),
            "price" => one.draft.price.cmp(&other.draft.price),
            "modified_at" => one.modified_at.cmp(&other.modified_at),
            "position" => position(one).cmp(&position(other)),
            _ => one.created_at.cmp(&other.created_at),
        };
        if self.is_descending {
            ascending.reverse()
        } else {
            ascending
        }
    }
}

async fn list(
    State(state): State<Arc<ApiState>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Detail> {
    let filter = ItemFilter::read(Query::parse(query.as_deref()))?;
    let all = state.hub.items().await?;
    let mut found: Vec<&Item> = all.iter().filter(|item| filter.matches(item)).collect();
    found.sort_by(|one, other| filter.compare(one, other));
    let found = part(found, filter.page).into_iter();
    let found = found.map(|item| item_json(item, &all)).collect();
    Ok(json_response(StatusCode::OK, &found))
}

async fn create(
    State(state): State<Arc<ApiState>>,
    JsonObject(body): JsonObject,
) -> Result<Response, Detail> {
    let fields = ItemFields::create(&body)?;
    let ids = nested_ids(&state, &fields).await?;
    let mut item = Item {
        id: String::new(),
        draft: ItemDraft::plain(String::new(), String::new()),
        created_at: 0,
        modified_at: 0,
        archived_at: None,
    };
    fields.apply(&mut item, |sku| ids.get(sku).cloned().unwrap_or_default());
    let item = state.hub.create_item(item.draft).await?;
    respond(&state, StatusCode::CREATED, &item).await
}

async fn read(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
) -> Result<Response, Detail> {
    let item = state.hub.item(&id).await?;
    respond(&state, StatusCode::OK, &item).await
}

async fn update(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    JsonObject(body): JsonObject,
) -> Result<Response, Detail> {
    let fields = ItemFields::update(&body)?;
    let ids = nested_ids(&state, &fields).await?;
    let change = move |item: &mut Item| {
        fields.apply(item, |sku| ids.get(sku).cloned().unwrap_or_default());
    };
    let item = state.hub.update_item(&id, change).await?;
    respond(&state, StatusCode::OK, &item).await
}

async fn delete(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
) -> Result<Response, Detail> {
    state.hub.delete_item(&id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn in_bulk() -> Detail {
    HubError::Unsupported(
        "the local Aghanim changes one item at a time: use `/v1/items/{item_id}`, or a seed file"
            .to_owned(),
    )
    .into()
}

/// The IDs of nested items that are named by their SKU.
async fn nested_ids(
    state: &ApiState,
    fields: &ItemFields,
) -> Result<HashMap<String, String>, HubError> {
    let skus: Vec<String> = fields.nested_skus().map(str::to_owned).collect();
    if skus.is_empty() {
        return Ok(HashMap::new());
    }
    let items = state.hub.items().await?;
    let ids: HashMap<String, String> = items
        .into_iter()
        .map(|item| (item.draft.sku, item.id))
        .collect();
    match skus.iter().find(|sku| !ids.contains_key(*sku)) {
        Some(sku) => Err(HubError::invalid_field(
            "nested_items",
            format!("there is no item with the SKU `{sku}`"),
        )),
        None => Ok(ids),
    }
}

async fn respond(state: &ApiState, status: StatusCode, item: &Item) -> Result<Response, Detail> {
    let all = state.hub.items().await?;
    Ok(json_response(status, &item_json(item, &all)))
}
