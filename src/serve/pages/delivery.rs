//! One delivery: its event, its attempts on a timeline, and what can be done with it.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::{StatusCode, header};

use super::Dashboard;
use super::curl::curl_command;
use super::delivery_row::{State, destination, notes};
use super::form::Query;
use super::json_markup::{exact, pretty};
use super::live::follow;
use super::moment::Moment;
use super::page::{Frame, Page, PageError, Reply, redirect};
use super::scenario_file::scenario_text;
use crate::load::time_text;
use crate::policy::Forgery;
use crate::serve::error::HubError;
use crate::serve::hub::Hub;
use crate::serve::model::{AttemptRecord, Delivery, DeliveryDetails, DeliveryState, Webhook};
use crate::serve::store::queue::RELAYED;

/// The attempts that a page shows: the last ones.
const SHOWN_ATTEMPTS: usize = 50;

pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/deliveries/{id}", get(show))
        .route("/deliveries/{id}/live", get(live))
        .route("/deliveries/{id}/resend", post(resend))
        .route("/deliveries/{id}/curl", get(curl))
        .route("/deliveries/{id}/scenario", get(scenario))
}

#[derive(Template)]
#[template(path = "delivery.html", config = "src/serve/pages/askama.toml")]
struct DeliveryPage {
    frame: Frame,
    part: DeliveryPart,
}

/// What changes while the page is open.
#[derive(Template)]
#[template(path = "delivery_part.html", config = "src/serve/pages/askama.toml")]
struct DeliveryPart {
    delivery: Delivery,
    state: State,
    url: String,
    created: Moment,
    due: Option<Moment>,
    notes: Vec<String>,
    /// What a forgery is.
    forgery: Option<&'static str>,
    hidden_attempts: usize,
    attempts: Vec<AttemptView>,
    body: String,
    exact_body: String,
}

/// An attempt on the timeline.
struct AttemptView {
    number: u32,
    started: Moment,
    /// How long after the delivery was queued.
    offset: String,
    took: String,
    /// The class of its color, and its result in words.
    class: &'static str,
    result: String,
    is_open: bool,
    request: Option<Vec<(&'static str, String)>>,
    response: Option<ResponseView>,
    /// How long the next attempt waits.
    wait: Option<String>,
}

struct ResponseView {
    headers: Vec<(String, String)>,
    body: String,
}

impl Page for DeliveryPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

impl DeliveryPart {
    fn is_relayed(&self) -> bool {
        self.delivery.webhook_id == RELAYED
    }

    async fn read(hub: &Hub, id: i64) -> Result<Self, PageError> {
        let details = hub.delivery(id).await?;
        let webhook = match hub.webhook(&details.delivery.webhook_id).await {
            Err(HubError::NotFound { .. }) => None,
            webhook => Some(webhook?),
        };
        let delivery = details.delivery.clone();
        let last = details.attempts.len();
        let first = last.saturating_sub(SHOWN_ATTEMPTS);
        let attempts = details.attempts.iter().enumerate().skip(first);
        let attempts = attempts.map(|(index, attempt)| {
            let request = webhook.as_ref().and_then(|webhook| {
                let request = hub.sent_request(webhook, &details, attempt)?;
                Some(request.headers)
            });
            AttemptView::new(attempt, &delivery, request, index + 1 == last)
        });
        Ok(Self {
            state: State(delivery.state),
            url: destination(&delivery, webhook.as_ref()),
            created: Moment(delivery.created_at),
            due: (delivery.state == DeliveryState::Pending).then_some(Moment(delivery.due_at)),
            notes: notes(&delivery),
            forgery: delivery.forgery.map(Forgery::about),
            hidden_attempts: first,
            attempts: attempts.collect(),
            body: pretty(&details.body),
            exact_body: exact(&details.body),
            delivery,
        })
    }
}

impl AttemptView {
    fn new(
        attempt: &AttemptRecord,
        delivery: &Delivery,
        request: Option<Vec<(&'static str, String)>>,
        is_open: bool,
    ) -> Self {
        let started = Moment(attempt.started_at);
        let (class, result) = match (attempt.status, &attempt.failure) {
            (Some(status), _) => {
                let reason = StatusCode::from_u16(status).ok();
                let reason = reason.and_then(|status| status.canonical_reason());
                let class = if (200..300).contains(&status) {
                    "delivered"
                } else {
                    "refused"
                };
                (class, format!("{status} {}", reason.unwrap_or_default()))
            }
            (None, failure) => (
                "exhausted",
                failure.clone().unwrap_or_else(|| "no response".to_owned()),
            ),
        };
        let ended = attempt
            .started_at
            .saturating_add_unsigned(attempt.duration_us / 1_000);
        Self {
            number: attempt.number,
            started,
            offset: started.after(Moment(delivery.created_at)),
            took: time_text(Duration::from_micros(attempt.duration_us)),
            class,
            result,
            is_open,
            request,
            response: attempt.response.as_ref().map(|kept| ResponseView {
                headers: kept.headers.clone(),
                body: pretty(&kept.body),
            }),
            wait: attempt
                .next_at
                .map(|next| Moment(next).after(Moment(ended))),
        }
    }
}

fn delivery_id(text: &str) -> Result<i64, HubError> {
    text.parse()
        .map_err(|_| HubError::not_found("delivery", text))
}

async fn show(
    Shared(dashboard): Shared<Arc<Dashboard>>,
    Path(id): Path<String>,
    Query(query): Query,
) -> Reply {
    let page = DeliveryPage {
        frame: Frame::new("/").with_notice(query.text("done")),
        part: DeliveryPart::read(&dashboard.hub, delivery_id(&id)?).await?,
    };
    page.reply()
}

async fn live(Shared(dashboard): Shared<Arc<Dashboard>>, Path(id): Path<String>) -> Reply {
    let id = delivery_id(&id)?;
    let hub = Arc::clone(&dashboard.hub);
    Ok(follow(&dashboard, move || {
        let hub = Arc::clone(&hub);
        async move { Ok(DeliveryPart::read(&hub, id).await?.render()?) }
    }))
}

async fn resend(Shared(dashboard): Shared<Arc<Dashboard>>, Path(id): Path<String>) -> Reply {
    let id = delivery_id(&id)?;
    dashboard.hub.resend(id).await?;
    redirect(&format!("/deliveries/{id}"), "resent")
}

/// The delivery as a curl command. It is signed now, because receivers refuse old signatures.
async fn curl(Shared(dashboard): Shared<Arc<Dashboard>>, Path(id): Path<String>) -> Reply {
    let (webhook, details) = with_webhook(&dashboard.hub, &id).await?;
    let request = dashboard.hub.fresh_request(&webhook, &details);
    let command = request.and_then(|(url, request)| curl_command(&url, &request));
    let command = command.ok_or_else(|| {
        HubError::Conflict("the request can't be written as a curl command".to_owned())
    })?;
    Ok(plain_text(command))
}

async fn with_webhook(hub: &Hub, id: &str) -> Result<(Webhook, DeliveryDetails), HubError> {
    let details = hub.delivery(delivery_id(id)?).await?;
    let webhook = hub.webhook(&details.delivery.webhook_id).await?;
    Ok((webhook, details))
}

async fn scenario(Shared(dashboard): Shared<Arc<Dashboard>>, Path(id): Path<String>) -> Reply {
    let details = dashboard.hub.delivery(delivery_id(&id)?).await?;
    let text = scenario_text(&details)
        .ok_or_else(|| HubError::Conflict("the body can't be written as a scenario".to_owned()))?;
    Ok(plain_text(text))
}

fn plain_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
