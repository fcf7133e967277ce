//! `/s2s/v1/coupons`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;

use super::ApiState;
use super::coupon_fields::{CouponFields, TYPES, coupon_json};
use super::fields::one_of;
use super::query::{Query, part};
use super::refusal::{Detail, json_response};
use super::request_body::JsonObject;
use crate::serve::error::HubError;
use crate::serve::model::{Coupon, Page};

const DEFAULT_LIMIT: u32 = 10;

pub(super) fn routes() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/coupons", get(list).post(create).patch(in_bulk))
        .route("/coupons/{id}", get(read).put(update).delete(delete))
}

/// Which coupons a list has.
struct CouponFilter {
    page: Page,
    search: Option<String>,
    kind: Option<&'static str>,
    category_id: Option<String>,
}

impl CouponFilter {
    fn read(query: Query) -> Result<Self, HubError> {
        query.refuse(&["generated_type"])?;
        let owned = |name| query.get(name).map(str::to_owned);
        let filter = Self {
            page: query.page(DEFAULT_LIMIT),
            search: owned("q"),
            kind: query.read("type", one_of(TYPES)),
            category_id: owned("category_id"),
        };
        query.finish(filter)
    }

    fn matches(&self, coupon: &Coupon) -> bool {
        let draft = &coupon.draft;
        let contains = |text: &str| draft.name.contains(text) || draft.code.contains(text);
        let category = self.category_id.as_ref();
        self.search.as_deref().is_none_or(contains)
            && self.kind.is_none_or(|kind| kind == "free_item")
            && category.is_none_or(|category| draft.category_id.as_ref() == Some(category))
    }
}

async fn list(
    State(state): State<Arc<ApiState>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Detail> {
    let filter = CouponFilter::read(Query::parse(query.as_deref()))?;
    let (coupons, items) = (state.hub.coupons().await?, state.hub.items().await?);
    let found = coupons
        .into_iter()
        .filter(|coupon| filter.matches(coupon))
        .collect();
    let found = part(found, filter.page).into_iter();
    let found = found.map(|coupon| coupon_json(&coupon, &items)).collect();
    Ok(json_response(StatusCode::OK, &found))
}

async fn create(
    State(state): State<Arc<ApiState>>,
    JsonObject(body): JsonObject,
) -> Result<Response, Detail> {
    let coupon = state
        .hub
        .create_coupon(CouponFields::create(&body)?)
        .await?;
    respond(&state, StatusCode::CREATED, &coupon).await
}

async fn read(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
) -> Result<Response, Detail> {
    let coupon = state.hub.coupon(&id).await?;
    respond(&state, StatusCode::OK, &coupon).await
}

async fn update(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    JsonObject(body): JsonObject,
) -> Result<Response, Detail> {
    let change = CouponFields::update(&body)?;
    let coupon = state
        .hub
        .update_coupon(&id, |draft| change.apply(draft))
        .await?;
    respond(&state, StatusCode::OK, &coupon).await
}

async fn delete(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
) -> Result<Response, Detail> {
    state.hub.delete_coupon(&id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn in_bulk() -> Detail {
    HubError::Unsupported(
        "the local Aghanim changes one coupon at a time: use `/v1/coupons/{coupon_id}`".to_owned(),
    )
    .into()
}

async fn respond(
    state: &ApiState,
    status: StatusCode,
    coupon: &Coupon,
) -> Result<Response, Detail> {
    let items = state.hub.items().await?;
    Ok(json_response(status, &coupon_json(coupon, &items)))
}
