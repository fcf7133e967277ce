//! The list of deliveries: filtered, page by page, and live.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use url::form_urlencoded::Serializer;

use super::Dashboard;
use super::delivery_row::DeliveryRow;
use super::form::{Form, Query};
use super::live::follow;
use super::page::{Frame, Page, PageError, Reply, redirect};
use crate::serve::hub::Hub;
use crate::serve::model::{self, CouponDraft, DeliveryFilter, DeliveryState, Webhook};

const HERE: &str = "/";
/// Deliveries on a page.
const PAGE: u32 = 50;

pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/", get(list))
        .route("/deliveries/live", get(live))
        .route("/deliveries/resend", post(resend_dead))
}

/// The filter as the form has it.
#[derive(Debug, Clone, Default)]
struct FilterFields {
    state: String,
    webhook: String,
    player: String,
    before: Option<i64>,
}

/// The choices of the field `state`: values and labels.
const STATES: [(&str, &str); 7] = [
    ("", "any state"),
    ("pending", "pending"),
    ("delivered", "delivered"),
    ("dead", "dead letters"),
    ("refused", "refused"),
    ("exhausted", "exhausted"),
    ("canceled", "canceled"),
];

impl FilterFields {
    fn of_form(form: &Form) -> Self {
        Self {
            state: form.text("state").to_owned(),
            webhook: form.text("webhook").to_owned(),
            player: form.text("player").to_owned(),
            before: form.text("before").parse().ok(),
        }
    }

    fn filter(&self) -> DeliveryFilter {
        let filled = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let named = DeliveryState::ALL
            .into_iter()
            .filter(|state| match &*self.state {
                "dead" => state.is_dead(),
                name => state.name() == name,
            });
        DeliveryFilter {
            webhook_id: filled(&self.webhook),
            states: named.collect(),
            player_id: filled(&self.player),
            before: self.before,
        }
    }

    /// A path with this filter, before a delivery.
    fn path(&self, path: &str, before: Option<i64>) -> String {
        let mut query = Serializer::new(String::new());
        let fields = [
            ("state", &self.state),
            ("webhook", &self.webhook),
            ("player", &self.player),
        ];
        query.extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()));
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        format!("{path}?{}", query.finish())
    }

    fn is_empty(&self) -> bool {
        [&self.state, &self.webhook, &self.player]
            .into_iter()
            .all(String::is_empty)
    }
}

#[derive(Template)]
#[template(path = "deliveries.html", config = "src/serve/pages/askama.toml")]
struct DeliveriesPage {
    frame: Frame,
    webhooks: Vec<Webhook>,
    fields: FilterFields,
    rows: Vec<DeliveryRow>,
    /// The stream of the first page, which follows the queue.
    live: Option<String>,
    next: Option<String>,
    /// The code that one click redeems.
    code: Option<String>,
}

impl Page for DeliveriesPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

#[derive(Template)]
#[template(path = "delivery_rows.html", config = "src/serve/pages/askama.toml")]
struct DeliveryRows {
    rows: Vec<DeliveryRow>,
}

async fn list(State(dashboard): State<Arc<Dashboard>>, Query(query): Query) -> Reply {
    let fields = FilterFields::of_form(&query);
    let hub = &dashboard.hub;
    let mut rows = rows(hub, fields.filter(), PAGE + 1).await?;
    let has_more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let last = rows.last().map(|row| row.id).filter(|_| has_more);
    let page = DeliveriesPage {
        frame: Frame::new(HERE).with_notice(query.text("done")),
        webhooks: hub.webhooks(model::Page::ALL).await?,
        live: fields
            .before
            .is_none()
            .then(|| fields.path("/deliveries/live", None)),
        next: last.map(|last| fields.path(HERE, Some(last))),
        code: code_for_anyone(hub).await?,
        fields,
        rows,
    };
    page.reply()
}

async fn rows(
    hub: &Hub,
    filter: DeliveryFilter,
    limit: u32,
) -> Result<Vec<DeliveryRow>, PageError> {
    let webhooks = hub.webhooks(model::Page::ALL).await?;
    let deliveries = hub.deliveries(filter, limit).await?.into_iter();
    let rows = deliveries.map(|delivery| DeliveryRow::new(delivery, &webhooks));
    Ok(rows.collect())
}

/// The first code that any new player can redeem.
async fn code_for_anyone(hub: &Hub) -> Result<Option<String>, PageError> {
    let now = hub.clock().unix_seconds();
    let is_for_anyone = |draft: &CouponDraft| {
        let limits = &draft.limits;
        limits.start_at.is_none_or(|start| start <= now)
            && limits.end().is_none_or(|end| now < end)
            && limits.max_redemptions.is_none()
            && limits.player_ids.is_none()
    };
    let mut coupons = hub.coupons().await?.into_iter();
    let coupon = coupons.find(|coupon| is_for_anyone(&coupon.draft));
    Ok(coupon.map(|coupon| coupon.draft.code))
}

async fn live(State(dashboard): State<Arc<Dashboard>>, Query(query): Query) -> Response {
    let filter = FilterFields::of_form(&query).filter();
    let hub = Arc::clone(&dashboard.hub);
    follow(&dashboard, move || {
        let (hub, filter) = (Arc::clone(&hub), filter.clone());
        async move {
            let rows = rows(&hub, filter, PAGE).await?;
            Ok(DeliveryRows { rows }.render()?)
        }
    })
}

async fn resend_dead(State(dashboard): State<Arc<Dashboard>>, form: Form) -> Reply {
    let fields = FilterFields::of_form(&form);
    dashboard.hub.resend_dead(fields.filter()).await?;
    let all = FilterFields {
        state: String::new(),
        ..fields
    };
    redirect(&all.path(HERE, None), "dead_resent")
}
