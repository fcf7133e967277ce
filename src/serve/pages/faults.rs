//! Faults: how deliveries to each webhook go wrong and are retried, so that developers can watch their
//! receiver.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use clap::ValueEnum as _;
use serde_json::{Value, json};

use super::Dashboard;
use super::form::{Form, Query};
use super::page::{Frame, Page, Reply, form_problems, redirect};
use crate::generate::{BodyLayout, Revision};
use crate::policy::{Forgery, Percent};
use crate::serve::model::{self, DeliverySettings, Webhook};

const HERE: &str = "/faults";

pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/faults", get(list))
        .route("/webhooks/{id}/faults", post(change))
}

/// The faults that happen to a share of the deliveries: the key, the label, and what it does.
const SHARES: [(&str, &str, &str); 3] = [
    (
        "lost_responses",
        "Lose responses",
        "The receiver answers, but Aghanim does not see it and retries. The receiver must not grant twice.",
    ),
    (
        "duplicates",
        "Send duplicates",
        "The same event is delivered twice.",
    ),
    (
        "reordered",
        "Reorder",
        "A delivery waits until a later one has overtaken it, at most 10 s.",
    ),
];

#[derive(Template)]
#[template(path = "faults.html", config = "src/serve/pages/askama.toml")]
struct FaultsPage {
    frame: Frame,
    webhooks: Vec<FaultCard>,
}

impl Page for FaultsPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

/// The form of one webhook.
struct FaultCard {
    id: String,
    url: String,
    shares: Vec<Switch>,
    delay: Switch,
    forgery: Choice,
    layout: Choice,
    revision: Choice,
    ordered: bool,
    /// The retry policy in YAML; empty for the default one.
    retry: String,
}

/// A fault that can be turned on, with an amount.
struct Switch {
    key: &'static str,
    label: &'static str,
    about: &'static str,
    is_on: bool,
    amount: String,
}

/// A list to choose from: names, descriptions, and whether each is chosen.
struct Choice(Vec<(String, String, bool)>);

impl FaultCard {
    fn switches(&self) -> impl Iterator<Item = &Switch> {
        self.shares.iter().chain([&self.delay])
    }

    fn of_webhook(webhook: &Webhook) -> Self {
        let DeliverySettings {
            ordered,
            retry,
            layout,
            revision,
            faults,
            ..
        } = &webhook.delivery;
        let values = [faults.lost_responses, faults.duplicates, faults.reordered];
        let shares = SHARES
            .iter()
            .zip(values)
            .map(|((key, label, about), share)| {
                let is_on = share != Percent::ZERO;
                Switch {
                    key,
                    label,
                    about,
                    is_on,
                    amount: if is_on {
                        share.to_string()
                    } else {
                        "50%".to_owned()
                    },
                }
            });
        let is_delayed = !faults.delay.0.is_zero();
        Self {
            id: webhook.id.clone(),
            url: webhook.settings.url.clone(),
            shares: shares.collect(),
            delay: Switch {
                key: "delay",
                label: "Delay",
                about: "Each delivery waits before its first attempt.",
                is_on: is_delayed,
                amount: if is_delayed {
                    faults.delay.to_string()
                } else {
                    "5s".to_owned()
                },
            },
            forgery: Choice::of_forgery(faults.forgery),
            layout: Choice::of_layout(*layout),
            revision: Choice::of_revision(*revision),
            ordered: *ordered,
            retry: retry.text(),
        }
    }

    /// With the values of a form that was refused.
    fn with_form(mut self, form: &Form) -> Self {
        for switch in self.shares.iter_mut().chain([&mut self.delay]) {
            switch.is_on = form.is_on(&format!("{}_on", switch.key));
            form.text(switch.key).clone_into(&mut switch.amount);
        }
        self.forgery.choose(form.text("forgery"));
        self.layout.choose(form.text("layout"));
        self.revision.choose(form.text("revision"));
        self.ordered = form.is_on("ordered");
        form.text("retry").clone_into(&mut self.retry);
        self
    }
}

impl Choice {
    fn of_forgery(chosen: Option<Forgery>) -> Self {
        let none = (String::new(), "off".to_owned(), chosen.is_none());
        let all = Forgery::ALL.into_iter().map(|forgery| {
            let label = forgery.name().replace('_', " ");
            (forgery.name().to_owned(), label, chosen == Some(forgery))
        });
        Self([none].into_iter().chain(all).collect())
    }

    fn of_layout(chosen: BodyLayout) -> Self {
        let all = BodyLayout::value_variants().iter().map(|layout| {
            let name = layout.to_string();
            let label = name.replace('_', " ");
            (name, label, *layout == chosen)
        });
        Self(all.collect())
    }

    fn of_revision(chosen: Revision) -> Self {
        let all = [
            (Revision::Source, "source", "one item"),
            (
                Revision::Items,
                "2026-05-25",
                "2026-05-25: also a list of items",
            ),
            (
                Revision::ItemsOnly,
                "2026-06-16",
                "2026-06-16: only a list of items",
            ),
        ];
        let all = all
            .into_iter()
            .map(|(revision, name, label)| (name.to_owned(), label.to_owned(), revision == chosen));
        Self(all.collect())
    }

    fn choose(&mut self, name: &str) {
        for (other, _, is_chosen) in &mut self.0 {
            *is_chosen = *other == name;
        }
    }
}

async fn list(State(dashboard): State<Arc<Dashboard>>, Query(query): Query) -> Reply {
    let webhooks = dashboard.hub.webhooks(model::Page::ALL).await?;
    let page = FaultsPage {
        frame: Frame::new(HERE).with_notice(query.text("done")),
        webhooks: webhooks.iter().map(FaultCard::of_webhook).collect(),
    };
    page.reply()
}

async fn change(
    State(dashboard): State<Arc<Dashboard>>,
    Path(id): Path<String>,
    form: Form,
) -> Reply {
    let Err(error) = dashboard.hub.update_delivery(&id, &settings(&form)).await else {
        return redirect(HERE, "faults");
    };
    let problems = form_problems(error)?;
    let webhooks = dashboard.hub.webhooks(model::Page::ALL).await?;
    let cards = webhooks.iter().map(|webhook| {
        let card = FaultCard::of_webhook(webhook);
        if webhook.id == id {
            card.with_form(&form)
        } else {
            card
        }
    });
    let page = FaultsPage {
        frame: Frame::new(HERE).with_problems(problems),
        webhooks: cards.collect(),
    };
    page.reply()
}

/// The delivery settings of a form.
fn settings(form: &Form) -> Value {
    let amount = |key: &'static str, off: &str| {
        let is_on = form.is_on(&format!("{key}_on"));
        let amount = if is_on { form.text(key) } else { off };
        // A percentage without its sign is meant, too.
        let is_bare = off == "0%" && amount.parse::<f64>().is_ok();
        let sign = if is_bare { "%" } else { "" };
        (key.to_owned(), Value::from(format!("{amount}{sign}")))
    };
    let shares = SHARES.iter().map(|(key, ..)| amount(key, "0%"));
    let forgery = ("forgery".to_owned(), json!(form.filled("forgery")));
    let faults: serde_json::Map<_, _> = shares.chain([amount("delay", "0s"), forgery]).collect();
    json!({
        "faults": faults,
        "layout": form.text("layout"),
        "revision": form.text("revision"),
        "ordered": form.is_on("ordered"),
        "retry": retry(form.text("retry")),
    })
}

/// The retry policy that a form has in YAML. Text that is not YAML is refused where policies are read.
fn retry(text: &str) -> Value {
    match text {
        "" => json!({}),
        // In YAML, it may be a word or a boolean.
        "off" => text.into(),
        text => serde_saphyr::from_str(text).unwrap_or_else(|_| text.into()),
    }
}
