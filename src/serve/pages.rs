//! The dashboard: pages for people, which call the same methods of the hub as the API.
//!
//! Every page is HTML with forms, and works without JavaScript. The scripts only keep lists up to date and
//! copy text. Templates escape everything that comes from receivers and players.

mod assets;
mod coupon_fields;
mod coupons;
mod curl;
mod deliveries;
mod delivery;
mod delivery_row;
mod faults;
mod form;
mod item_fields;
mod item_rows;
mod items;
mod json_markup;
mod live;
mod moment;
mod page;
mod redeem;
mod scenario_file;
mod webhook_fields;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use tokio::sync::watch;

use super::hub::Hub;

/// What all pages share.
#[derive(Debug)]
struct Dashboard {
    hub: Arc<Hub>,
    /// Whether the server is ending, so that live pages must not keep it.
    ending: watch::Receiver<bool>,
}

/// The pages. The guard of the server protects them, too.
pub(super) fn routes(hub: Arc<Hub>, ending: watch::Receiver<bool>) -> Router {
    Router::new()
        .merge(deliveries::routes())
        .merge(delivery::routes())
        .merge(redeem::routes())
        .merge(webhooks::routes())
        .merge(faults::routes())
        .merge(items::routes())
        .merge(coupons::routes())
        .merge(assets::routes())
        .with_state(Arc::new(Dashboard { hub, ending }))
}
