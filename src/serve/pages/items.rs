//! Items and bundles: the list and the form.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};

use super::Dashboard;
use super::form::{Form, Query};
use super::item_fields::ItemFields;
use super::item_rows::options;
use super::page::{Frame, Page, Reply, form_problems, redirect};
use crate::serve::error::HubError;
use crate::serve::model::{Item, ItemDraft};

const HERE: &str = "/items";

pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/items", get(list).post(create))
        .route("/items/new", get(form_of_new))
        .route("/items/{id}", get(form_of_old).post(update))
        .route("/items/{id}/delete", post(delete))
}

#[derive(Template)]
#[template(path = "items.html", config = "src/serve/pages/askama.toml")]
struct ItemsPage {
    frame: Frame,
    items: Vec<ItemCard>,
}

struct ItemCard {
    item: Item,
    contents: String,
}

impl Page for ItemsPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

async fn list(State(dashboard): State<Arc<Dashboard>>, Query(query): Query) -> Reply {
    let frame = Frame::new(HERE).with_notice(query.text("done"));
    page_of_list(&dashboard, frame).await
}

async fn page_of_list(dashboard: &Dashboard, frame: Frame) -> Reply {
    let items = dashboard.hub.items().await?;
    let cards = items.iter().map(|item| {
        let parts = item.draft.nested_items.iter();
        let parts: Vec<_> = parts
            .map(|part| {
                let inner = items.iter().find(|item| item.id == part.id);
                let name = inner.map_or(&*part.id, |item| &item.draft.name);
                format!("{} × {name}", part.count)
            })
            .collect();
        ItemCard {
            contents: parts.join(", "),
            item: item.clone(),
        }
    });
    let items = cards.collect();
    ItemsPage { frame, items }.reply()
}

#[derive(Template)]
#[template(path = "item.html", config = "src/serve/pages/askama.toml")]
struct ItemPage {
    frame: Frame,
    /// `None` for a new one.
    id: Option<String>,
    fields: ItemFields,
    /// The items to choose from, by ID and name.
    options: Vec<(String, String)>,
}

impl Page for ItemPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

async fn page_of_form(
    dashboard: &Dashboard,
    id: Option<String>,
    fields: ItemFields,
    problems: Vec<String>,
) -> Reply {
    let page = ItemPage {
        frame: Frame::new(HERE).with_problems(problems),
        id,
        fields,
        options: options(&dashboard.hub.items().await?),
    };
    page.reply()
}

async fn form_of_new(State(dashboard): State<Arc<Dashboard>>) -> Reply {
    let fields = ItemFields::of_draft(&ItemDraft::plain("", ""));
    page_of_form(&dashboard, None, fields, Vec::new()).await
}

async fn form_of_old(State(dashboard): State<Arc<Dashboard>>, Path(id): Path<String>) -> Reply {
    let fields = ItemFields::of_draft(&dashboard.hub.item(&id).await?.draft);
    page_of_form(&dashboard, Some(id), fields, Vec::new()).await
}

async fn create(State(dashboard): State<Arc<Dashboard>>, form: Form) -> Reply {
    let fields = ItemFields::of_form(&form);
    let created = async {
        let mut draft = ItemDraft::plain("", "");
        fields.change()?(&mut draft);
        dashboard.hub.create_item(draft).await
    };
    let created = created.await;
    saved(&dashboard, created, None, fields).await
}

async fn update(
    State(dashboard): State<Arc<Dashboard>>,
    Path(id): Path<String>,
    form: Form,
) -> Reply {
    let fields = ItemFields::of_form(&form);
    let updated = async {
        let change = fields.change()?;
        let change = |item: &mut Item| change(&mut item.draft);
        dashboard.hub.update_item(&id, change).await
    };
    let updated = updated.await;
    saved(&dashboard, updated, Some(id), fields).await
}

/// Returns to the list, or to the form with what is wrong with it.
async fn saved(
    dashboard: &Dashboard,
    result: Result<Item, HubError>,
    id: Option<String>,
    fields: ItemFields,
) -> Reply {
    match result {
        Ok(_) => redirect(HERE, if id.is_none() { "created" } else { "saved" }),
        Err(error) => page_of_form(dashboard, id, fields, form_problems(error)?).await,
    }
}

async fn delete(State(dashboard): State<Arc<Dashboard>>, Path(id): Path<String>) -> Reply {
    match dashboard.hub.delete_item(&id).await {
        Ok(()) => redirect(HERE, "deleted"),
        Err(error) => {
            let frame = Frame::new(HERE).with_problems(form_problems(error)?);
            page_of_list(&dashboard, frame).await
        }
    }
}
