//! Webhooks: the list, the form, the secret, and what else can be done with one.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};

use super::Dashboard;
use super::form::{Form, Query};
use super::page::{Frame, Page, Reply, form_problems, redirect};
use super::webhook_fields::WebhookFields;
use crate::protocol::EventKind;
use crate::serve::error::HubError;
use crate::serve::model::{self, DeliverySettings, Webhook, WebhookDraft};

const HERE: &str = "/webhooks";

pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/webhooks", get(list).post(create))
        .route("/webhooks/new", get(form_of_new))
        .route("/webhooks/{id}", get(form_of_old).post(update))
        .route("/webhooks/{id}/reveal", post(reveal))
        .route("/webhooks/{id}/{action}", post(act))
}

#[derive(Template)]
#[template(path = "webhooks.html", config = "src/serve/pages/askama.toml")]
struct WebhooksPage {
    frame: Frame,
    webhooks: Vec<WebhookCard>,
}

struct WebhookCard {
    webhook: Webhook,
    events: String,
    /// The whole secret, if it was to be revealed.
    revealed: Option<String>,
}

impl Page for WebhooksPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

async fn list(State(dashboard): State<Arc<Dashboard>>, Query(query): Query) -> Reply {
    let frame = Frame::new(HERE).with_notice(query.text("done"));
    page_of_list(&dashboard, frame, None).await
}

/// The secret is in a response to `POST`, so that no link or history has it.
async fn reveal(State(dashboard): State<Arc<Dashboard>>, Path(id): Path<String>) -> Reply {
    dashboard.hub.webhook(&id).await?;
    page_of_list(&dashboard, Frame::new(HERE), Some(&id)).await
}

async fn page_of_list(dashboard: &Dashboard, frame: Frame, revealed: Option<&str>) -> Reply {
    let webhooks = dashboard.hub.webhooks(model::Page::ALL).await?;
    let cards = webhooks.into_iter().map(|webhook| WebhookCard {
        events: event_names(&webhook.settings.events),
        revealed: (revealed == Some(&*webhook.id)).then(|| webhook.secret.expose_text().to_owned()),
        webhook,
    });
    let webhooks = cards.collect();
    WebhooksPage { frame, webhooks }.reply()
}

fn event_names(events: &[EventKind]) -> String {
    let names: Vec<_> = events.iter().map(|event| event.name()).collect();
    if names.is_empty() {
        "no events".to_owned()
    } else {
        names.join(", ")
    }
}

#[derive(Template)]
#[template(path = "webhook.html", config = "src/serve/pages/askama.toml")]
struct WebhookPage {
    frame: Frame,
    /// `None` for a new one.
    id: Option<String>,
    fields: WebhookFields,
}

impl Page for WebhookPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

async fn form_of_new() -> Reply {
    let draft = WebhookDraft::new(
        "http://127.0.0.1:8080/webhooks/aghanim",
        vec![EventKind::CouponRedeemed],
    );
    let page = WebhookPage {
        frame: Frame::new(HERE),
        id: None,
        fields: WebhookFields::of_draft(&draft),
    };
    page.reply()
}

async fn form_of_old(State(dashboard): State<Arc<Dashboard>>, Path(id): Path<String>) -> Reply {
    let webhook = dashboard.hub.webhook(&id).await?;
    let page = WebhookPage {
        frame: Frame::new(HERE),
        id: Some(id),
        fields: WebhookFields::of_draft(&webhook.settings),
    };
    page.reply()
}

async fn create(State(dashboard): State<Arc<Dashboard>>, form: Form) -> Reply {
    let fields = WebhookFields::of_form(&form);
    let mut draft = WebhookDraft::new("", Vec::new());
    fields.clone().apply(&mut draft);
    let created = dashboard
        .hub
        .create_webhook(draft, DeliverySettings::default())
        .await;
    saved(created, None, fields, "created")
}

async fn update(
    State(dashboard): State<Arc<Dashboard>>,
    Path(id): Path<String>,
    form: Form,
) -> Reply {
    let fields = WebhookFields::of_form(&form);
    let change = fields.clone();
    let updated = dashboard
        .hub
        .update_webhook(&id, |draft| change.apply(draft))
        .await;
    saved(updated, Some(id), fields, "saved")
}

/// Returns to the list, or to the form with what is wrong with it.
fn saved(
    result: Result<Webhook, HubError>,
    id: Option<String>,
    fields: WebhookFields,
    notice: &str,
) -> Reply {
    let Err(error) = result else {
        return redirect(HERE, notice);
    };
    let frame = Frame::new(HERE).with_problems(form_problems(error)?);
    WebhookPage { frame, id, fields }.reply()
}

async fn act(
    State(dashboard): State<Arc<Dashboard>>,
    Path((id, action)): Path<(String, String)>,
) -> Reply {
    let hub = &dashboard.hub;
    match &*action {
        "enable" | "disable" => {
            let enabled = action == "enable";
            hub.update_webhook(&id, |draft| draft.enabled = enabled)
                .await?;
            redirect(HERE, if enabled { "enabled" } else { "disabled" })
        }
        "pause" | "resume" => {
            let paused = action == "pause";
            hub.set_paused(&id, paused).await?;
            redirect(HERE, if paused { "paused" } else { "resumed" })
        }
        "expire" => {
            hub.expire_secret(&id).await?;
            redirect(HERE, "expired")
        }
        "delete" => {
            hub.delete_webhook(&id).await?;
            redirect(HERE, "deleted")
        }
        "test" => match hub.send_test_event(&id).await?.last() {
            Some(delivery) => redirect(&format!("/deliveries/{delivery}"), "tested"),
            None => redirect(HERE, "no_test"),
        },
        _ => Err(HubError::not_found("action", &action).into()),
    }
}
