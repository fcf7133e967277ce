//! The fields of a webhook in Aghanim's API. `[P]`

use serde_json::{Map, Value, json};

use super::fields::{Fields, flag, nonempty, one_of, text};
use crate::protocol::{EventKind, Field};
use crate::serve::error::HubError;
use crate::serve::hub::unsupported_event;
use crate::serve::model::{Webhook, WebhookDraft};

/// The longest text where the document states no limit. `[A]`
const LONGEST_TEXT: usize = 65_536;

const METHODS: &[&str] = &["GET", "POST"];

/// Every event type in the document, with those that the local Aghanim does not emit.
const EVENTS: &[&str] = &[
    "player.verify",
    "item.add",
    "item.remove",
    "analytics.checkout.payment_method.select",
    "analytics.checkout.submit_payment_form",
    "analytics.checkout.back_store",
    "analytics.checkout.back_game",
    "analytics.checkout.pageview",
    "analytics.checkout.pageshow",
    "analytics.checkout.pagehide",
    "analytics.checkout.pageexit",
    "analytics.checkout.payment_method.close",
    "analytics.hub.sign_up",
    "analytics.hub.login",
    "analytics.hub.buy_click",
    "analytics.hub.free_item_claimed",
    "batch.ready",
    "order.*",
    "order.created",
    "order.paid",
    "order.canceled",
    "order.refunded",
    "payment.*",
    "payment.succeeded",
    "payment.abandoned",
    "payment.canceled",
    "payment.chargeback",
    "payment.declined",
    "payment.dispute",
    "payment.expired",
    "payment.pending",
    "payment.refunded",
    "payment.rejected",
    "payment.voided",
    "fraud.reported",
    "subscription.activated",
    "subscription.updated",
    "subscription.renewed",
    "subscription.deactivated",
    "coupon.redeemed",
    "ingame.push",
    "ingame.popup",
    "campaign.custom",
    "player.is_idle",
    "player.lookup",
    "player.marketing_consent.updated",
    "store.get",
];

/// What a request says about a webhook.
#[derive(Debug, Default)]
pub(super) struct WebhookFields {
    events: Option<Vec<&'static str>>,
    url: Option<String>,
    description: Field<String>,
    method: Option<&'static str>,
    enabled: Option<bool>,
    enabled_logs: Option<bool>,
    player_context_enabled: Field<bool>,
    batch_mode: Field<bool>,
}

impl WebhookFields {
    fn read(fields: &Fields<'_>) -> Self {
        Self {
            events: fields.list("events", one_of(EVENTS)),
            url: fields.optional("url", nonempty(LONGEST_TEXT)),
            description: fields.nullable("description", text(LONGEST_TEXT)),
            method: fields.optional("method", one_of(METHODS)),
            enabled: fields.optional("enabled", flag),
            enabled_logs: fields.optional("enabled_logs", flag),
            player_context_enabled: fields.nullable("player_context_enabled", flag),
            batch_mode: fields.nullable("batch_mode", flag),
        }
    }

    /// Reads a new webhook.
    pub(super) fn create(body: &Map<String, Value>) -> Result<WebhookDraft, HubError> {
        let read = Fields::read_body(body, &["events", "url", "method"], Self::read)?;
        let mut draft = WebhookDraft::new(String::new(), Vec::new());
        read.supported()?.apply(&mut draft);
        Ok(draft)
    }

    /// Reads a change of a webhook. Fields that are left out stay. `[A]`
    pub(super) fn update(body: &Map<String, Value>) -> Result<Self, HubError> {
        Fields::read_body(body, &[], Self::read)?.supported()
    }

    /// Refuses what is valid, but not what the local Aghanim does.
    fn supported(self) -> Result<Self, HubError> {
        if self.method == Some("GET") {
            return Err(HubError::Unsupported(
                "the local Aghanim sends its webhooks as POST: set `method` to \"POST\"".to_owned(),
            ));
        }
        let names = self.events.as_deref().unwrap_or_default();
        match names.iter().find(|name| EventKind::of_type(name).is_none()) {
            Some(name) => Err(unsupported_event(name)),
            None => Ok(self),
        }
    }

    pub(super) fn apply(self, draft: &mut WebhookDraft) {
        if let Some(names) = self.events {
            draft.events = names.into_iter().filter_map(EventKind::of_type).collect();
        }
        draft.url = self.url.unwrap_or_else(|| draft.url.clone());
        draft.enabled = self.enabled.unwrap_or(draft.enabled);
        draft.enabled_logs = self.enabled_logs.unwrap_or(draft.enabled_logs);
        set(&mut draft.description, self.description);
        set(
            &mut draft.player_context_enabled,
            self.player_context_enabled,
        );
        set(&mut draft.batch_mode, self.batch_mode);
    }
}

/// Changes an optional value, unless the field is absent.
pub(super) fn set<T>(value: &mut Option<T>, field: Field<T>) {
    match field {
        Field::Absent => {}
        Field::Null => *value = None,
        Field::Value(new) => *value = Some(new),
    }
}

/// The webhook with its secret, or with only a hint of it.
pub(super) fn webhook_json(webhook: &Webhook, game_id: &str, reveal: bool) -> Value {
    let settings = &webhook.settings;
    let events = settings.events.iter().map(|event| event.name());
    let mut json = json!({
        "events": events.collect::<Vec<_>>(),
        "url": settings.url,
        "description": settings.description,
        "method": "POST",
        "enabled": settings.enabled,
        "enabled_logs": settings.enabled_logs,
        "player_context_enabled": settings.player_context_enabled,
        "batch_mode": settings.batch_mode,
        "id": webhook.id,
        "game_id": game_id,
    });
    let (key, secret) = if reveal {
        ("secret", webhook.secret.expose_text().to_owned())
    } else {
        ("secret_redacted", webhook.redacted_secret())
    };
    json[key] = secret.into();
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(body: &Value) -> Result<WebhookDraft, String> {
        let body = body.as_object().expect("an object");
        WebhookFields::create(body).map_err(|error| match error {
            HubError::Invalid(problems) => serde_json::to_string(&problems).expect("JSON"),
            other => other.to_string(),
        })
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let body = json!({ "events": ["order.paidd", "coupon.redeemed", 7], "enabled": "yes" });
        let problems = create(&body).expect_err("refused");
        for part in [
            r#"{"loc":["body","url"],"msg":"field required","type":"value_error.missing"}"#,
            r#"{"loc":["body","method"],"msg":"field required""#,
            r#""loc":["body","events",0],"msg":"value is not a valid enumeration member; permitted: 'player.verify'"#,
            r#""loc":["body","events",2]"#,
            r#"{"loc":["body","enabled"],"msg":"value could not be parsed to a boolean","type":"type_error.bool"}"#,
        ] {
            assert!(problems.contains(part), "{part}: {problems}");
        }
    }

    #[test]
    fn what_the_local_aghanim_does_not_do_is_named() {
        let webhook = |events: Value, method| {
            create(&json!({ "events": events, "url": "http://localhost/", "method": method }))
        };
        assert!(webhook(json!(["coupon.redeemed", "item.add"]), "POST").is_ok());
        let get = webhook(json!([]), "GET").expect_err("refused");
        assert!(get.contains("set `method` to \"POST\""), "{get}");
        let order = webhook(json!(["order.*"]), "POST").expect_err("refused");
        assert!(
            order.contains("does not emit `order.*`, only `coupon.redeemed`"),
            "{order}"
        );
    }

    #[test]
    fn a_change_leaves_the_rest_and_null_removes() {
        let mut draft = WebhookDraft::new("http://localhost/", vec![EventKind::ItemAdd]);
        draft.description = Some("mine".to_owned());
        let change = json!({ "description": null, "enabled": false });
        let change = WebhookFields::update(change.as_object().expect("an object"));
        change.expect("valid").apply(&mut draft);
        assert_eq!((draft.description, draft.enabled), (None, false));
        assert_eq!(draft.events, [EventKind::ItemAdd]);
    }
}
