//! Coupons: the list and the form.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};

use super::Dashboard;
use super::coupon_fields::CouponFields;
use super::form::{Form, Query};
use super::item_rows::options;
use super::moment::Moment;
use super::page::{Frame, Page, Reply, form_problems, redirect};
use crate::serve::error::HubError;
use crate::serve::model::{Coupon, CouponDraft, CouponLimits, Item};

const HERE: &str = "/coupons";

pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/coupons", get(list).post(create))
        .route("/coupons/new", get(form_of_new))
        .route("/coupons/{id}", get(form_of_old).post(update))
        .route("/coupons/{id}/delete", post(delete))
}

#[derive(Template)]
#[template(path = "coupons.html", config = "src/serve/pages/askama.toml")]
struct CouponsPage {
    frame: Frame,
    coupons: Vec<CouponCard>,
}

struct CouponCard {
    coupon: Coupon,
    grants: String,
    limits: Vec<String>,
}

impl Page for CouponsPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

async fn list(State(dashboard): State<Arc<Dashboard>>, Query(query): Query) -> Reply {
    let (items, coupons) = (dashboard.hub.items().await?, dashboard.hub.coupons().await?);
    let cards = coupons.into_iter().map(|coupon| CouponCard {
        grants: grants(&coupon, &items),
        limits: limits(&coupon.draft.limits),
        coupon,
    });
    let page = CouponsPage {
        frame: Frame::new(HERE).with_notice(query.text("done")),
        coupons: cards.collect(),
    };
    page.reply()
}

fn grants(coupon: &Coupon, items: &[Item]) -> String {
    let parts = coupon.draft.items.iter().map(|free| {
        let item = items.iter().find(|item| item.id == free.item_id);
        let name = item.map_or(&*free.item_id, |item| &item.draft.name);
        format!("{} × {name}", free.quantity)
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn limits(limits: &CouponLimits) -> Vec<String> {
    let moment = |seconds: i64| Moment(seconds.saturating_mul(1000));
    let players =
        |players: &Option<Vec<String>>| players.as_ref().map(|players| players.join(", "));
    let all = [
        Some(match limits.per_player() {
            1 => "once per player".to_owned(),
            times => format!("{times} times per player"),
        }),
        limits
            .max_redemptions
            .map(|most| format!("at most {most} redemptions")),
        limits
            .start_at
            .map(|start| format!("from {}", moment(start))),
        limits.end().map(|end| format!("until {}", moment(end))),
        players(&limits.player_ids).map(|players| format!("only for {players}")),
        players(&limits.exclude_player_ids).map(|players| format!("not for {players}")),
    ];
    all.into_iter().flatten().collect()
}

#[derive(Template)]
#[template(path = "coupon.html", config = "src/serve/pages/askama.toml")]
struct CouponPage {
    frame: Frame,
    /// `None` for a new one.
    id: Option<String>,
    fields: CouponFields,
    /// The items to choose from, by ID and name.
    options: Vec<(String, String)>,
}

impl Page for CouponPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

async fn page_of_form(
    dashboard: &Dashboard,
    id: Option<String>,
    fields: CouponFields,
    problems: Vec<String>,
) -> Reply {
    let page = CouponPage {
        frame: Frame::new(HERE).with_problems(problems),
        id,
        fields,
        options: options(&dashboard.hub.items().await?),
    };
    page.reply()
}

async fn form_of_new(State(dashboard): State<Arc<Dashboard>>) -> Reply {
    let empty = CouponDraft {
        name: String::new(),
        code: String::new(),
        items: Vec::new(),
        limits: CouponLimits::default(),
        category_id: None,
    };
    page_of_form(&dashboard, None, CouponFields::of_draft(&empty), Vec::new()).await
}

async fn form_of_old(State(dashboard): State<Arc<Dashboard>>, Path(id): Path<String>) -> Reply {
    let fields = CouponFields::of_draft(&dashboard.hub.coupon(&id).await?.draft);
    page_of_form(&dashboard, Some(id), fields, Vec::new()).await
}

async fn create(State(dashboard): State<Arc<Dashboard>>, form: Form) -> Reply {
    let fields = CouponFields::of_form(&form);
    let created = async { dashboard.hub.create_coupon(fields.draft()?).await }.await;
    saved(&dashboard, created, None, fields).await
}

async fn update(
    State(dashboard): State<Arc<Dashboard>>,
    Path(id): Path<String>,
    form: Form,
) -> Reply {
    let fields = CouponFields::of_form(&form);
    let updated = async {
        let new = fields.draft()?;
        let change = |draft: &mut CouponDraft| {
            let category_id = draft.category_id.take();
            *draft = CouponDraft { category_id, ..new };
        };
        dashboard.hub.update_coupon(&id, change).await
    };
    let updated = updated.await;
    saved(&dashboard, updated, Some(id), fields).await
}

/// Returns to the list, or to the form with what is wrong with it.
async fn saved(
    dashboard: &Dashboard,
    result: Result<Coupon, HubError>,
    id: Option<String>,
    fields: CouponFields,
) -> Reply {
    match result {
        Ok(_) => redirect(HERE, if id.is_none() { "created" } else { "saved" }),
        Err(error) => page_of_form(dashboard, id, fields, form_problems(error)?).await,
    }
}

async fn delete(State(dashboard): State<Arc<Dashboard>>, Path(id): Path<String>) -> Reply {
    dashboard.hub.delete_coupon(&id).await?;
    redirect(HERE, "deleted")
}
