//! The HTTP interface: Aghanim's API at `/s2s`, and the control API of the local Aghanim at `/local`,
//! which Aghanim does not have.

mod authentication;
mod control;
mod coupon_fields;
mod coupons;
mod currencies;
mod delivery_json;
mod fields;
mod guard;
mod item_fields;
mod items;
mod query;
mod rate_limit;
mod refusal;
mod request_body;
mod webhook_fields;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use axum::error_handling::HandleErrorLayer;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::{BoxError, Router, middleware};
use http::StatusCode;
use tower::ServiceBuilder;
use tower::limit::ConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;

pub(super) use guard::Guard;
use rate_limit::RateLimit;
use refusal::{Detail, method_not_allowed, not_found};

use super::hub::Hub;

/// The largest body of a request.
const BODY_LIMIT: usize = 1024 * 1024;
/// How many requests are handled at the same time; others wait.
const CONCURRENT_REQUESTS: usize = 512;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What the API's handlers share.
#[derive(Debug)]
pub(super) struct ApiState {
    hub: Arc<Hub>,
    requests: RateLimit,
}

/// The whole interface: both APIs, and `pages`, the dashboard. The guard protects all of it.
pub(super) fn router(hub: Arc<Hub>, guard: Guard, pages: Router) -> Router {
    let state = Arc::new(ApiState {
        hub,
        requests: RateLimit::default(),
    });
    let aghanim = Router::new()
        .merge(webhooks::routes())
        .merge(items::routes())
        .merge(coupons::routes())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(from_fn_with_state(
            Arc::clone(&state),
            authentication::check,
        ))
        .with_state(Arc::clone(&state));
    let control = control::routes()
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .with_state(state);
    let limits = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(timed_out))
        .layer(TimeoutLayer::new(REQUEST_TIMEOUT))
        .layer(ConcurrencyLimitLayer::new(CONCURRENT_REQUESTS));
    Router::new()
        .nest("/s2s/v1", aghanim)
        .nest("/local", control)
        .merge(pages)
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(limits)
        .layer(from_fn_with_state(Arc::new(guard), guard::check))
        .layer(middleware::map_response(guard::add_headers))
}

async fn timed_out(_: BoxError) -> Detail {
    Detail::new(StatusCode::SERVICE_UNAVAILABLE, "the request took too long")
}
