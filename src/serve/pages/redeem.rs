//! Redeeming a code as a player does, with the messages that a player sees.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};

use super::Dashboard;
use super::form::{Form, Query};
use super::page::{Frame, Page, Reply, redirect};
use crate::serve::redemption::{RedeemRequest, Redemption, Refusal};

const HERE: &str = "/redeem";

pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/redeem", get(form).post(redeem))
        .route("/redeem/new-player", post(redeem_for_new_player))
}

#[derive(Template)]
#[template(path = "redeem.html", config = "src/serve/pages/askama.toml")]
struct RedeemPage {
    frame: Frame,
    player: String,
    code: String,
    sandbox: bool,
    /// The codes of the game, to choose from.
    codes: Vec<(String, String)>,
    result: Option<Result<Redemption, Refusal>>,
}

impl Page for RedeemPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

async fn codes(dashboard: &Dashboard) -> Result<Vec<(String, String)>, super::page::PageError> {
    let coupons = dashboard.hub.coupons().await?.into_iter();
    Ok(coupons
        .map(|coupon| (coupon.draft.code, coupon.draft.name))
        .collect())
}

async fn form(State(dashboard): State<Arc<Dashboard>>, Query(query): Query) -> Reply {
    let page = RedeemPage {
        frame: Frame::new(HERE),
        player: query
            .filled("player")
            .unwrap_or_else(|| "player-1".to_owned()),
        code: query.text("code").to_owned(),
        sandbox: false,
        codes: codes(&dashboard).await?,
        result: None,
    };
    page.reply()
}

async fn redeem(State(dashboard): State<Arc<Dashboard>>, form: Form) -> Reply {
    let (player, code) = (form.text("player").to_owned(), form.text("code").to_owned());
    let sandbox = form.is_on("sandbox");
    let mut frame = Frame::new(HERE);
    let result = if player.is_empty() || code.is_empty() {
        frame = frame.with_problems(vec!["Enter your player ID and a code.".to_owned()]);
        None
    } else {
        let request = RedeemRequest {
            player_id: player.clone(),
            code: code.clone(),
            sandbox,
        };
        Some(dashboard.hub.redeem(request).await?)
    };
    let page = RedeemPage {
        frame,
        player,
        code,
        sandbox,
        codes: codes(&dashboard).await?,
        result,
    };
    page.reply()
}

/// One click: redeems a code for a player that nobody has used before, and shows the deliveries.
async fn redeem_for_new_player(State(dashboard): State<Arc<Dashboard>>, form: Form) -> Reply {
    let request = RedeemRequest {
        player_id: dashboard.hub.new_player_id(),
        code: form.text("code").to_owned(),
        sandbox: false,
    };
    match dashboard.hub.redeem(request).await? {
        Ok(redemption) if redemption.deliveries.is_empty() => redirect("/", "no_webhook"),
        Ok(_) => redirect("/", "redeemed"),
        Err(_) => redirect("/", "refused"),
    }
}
