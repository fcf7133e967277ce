//! What the response to the first genuine delivery says about the set-up, and why it was refused.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::{Finding, body};
use crate::delivery::{DeliveryPlan, Sender, deliver};
use crate::diagnose::{Mistake, ResponseText, SetupMistake, mistaken_signers, token_help};
use crate::generate::{BodyLayout, Seed};
use crate::policy::{Outcome, RetrySetting};
use crate::protocol::Signer;
use crate::run::pilot::{response_text, setup_mistake};
use crate::run::plan::Plan;
use crate::run::run_context::RunContext;
use crate::run::run_event::{AttemptEnded, ResponseRecord};
use crate::run::session::Secrets;
use crate::run::setup_problem::refused;
use crate::verify::Verdict;

impl RunContext {
    /// The first genuine delivery.
    pub(super) async fn genuine(
        &self,
        attempt: &AttemptEnded,
        plan: &Plan,
        secrets: &Secrets,
        // Whether a probe is refused for lack of credentials.
        is_protected: bool,
    ) -> Finding {
        let subject = "genuine delivery";
        let (status, response) = match &attempt.response {
            failed @ ResponseRecord::Failure { message, hint, .. } => {
                return match self.wrong_scheme(failed).await {
                    Some(wrong) => Finding::broken(subject, wrong.to_string()).help(wrong.hint()),
                    None => Finding::broken(subject, message).help(&**hint),
                }
                .key("target");
            }
            response @ ResponseRecord::Response { status, .. } => (*status, response),
        };
        if let Some(mistake) = setup_mistake(response, attempt.request.has_credentials()) {
            let finding = Finding::broken(subject, mistake.to_string());
            return finding.help(mistake.help()).key(key_of_mistake(&mistake));
        }
        let text = response_text(response);
        let names_token = text.is_some_and(ResponseText::names_token);
        match status {
            200..300 => Finding::passed(subject, format!("accepted: {status}")),
            400..500 if names_token => self.refusal(text, is_protected),
            400..500 if self.accepts_ascii(plan).await => {
                let message = format!(
                    "accepts ASCII, refuses other characters ({status}): the body is decoded before it \
                     is verified"
                );
                Finding::new(subject, Verdict::Failed, message).help(RAW_BODY)
            }
            400..500 => {
                if let Some(accepted) = self.accepted_layout(plan).await {
                    let message = format!(
                        "the receiver accepts the event if its JSON {accepted} ({status} otherwise): it \
                         verifies re-serialized JSON"
                    );
                    let finding = Finding::new(subject, Verdict::Failed, message);
                    return finding.help(RAW_BODY);
                }
                let Some(mistake) = self.mistaken_secret(plan, secrets).await else {
                    return self.refusal(text, is_protected);
                };
                let made = mistake.happened.strip_prefix("The signature was ");
                let message = match made {
                    Some(made) => format!("the receiver accepts only a signature {made}"),
                    None => format!("the secrets differ: {}", mistake.happened),
                };
                Finding::broken(subject, message)
                    .help(mistake.fix)
                    .key("secret_env")
            }
            _ => {
                let finding = Finding::new(subject, Verdict::Failed, format!("failed: {status}"));
                finding.help("look for the reason in the receiver's log")
            }
        }
    }

    /// A refusal that shows no mistake.
    fn refusal(&self, response: Option<ResponseText<'_>>, is_protected: bool) -> Finding {
        let subject = "genuine delivery";
        let Some(response) = response else {
            return Finding::broken(subject, "no response");
        };
        let own_headers = self.headers.names();
        let (reason, mut help) = refused(response, &own_headers);
        let token = token_help(&own_headers);
        if is_protected && matches!(response.status, 401 | 403) && !help.contains(&token) {
            help = format!("{help}; or {token}");
        }
        let key = if response.names_token() {
            "headers"
        } else {
            "secret_env"
        };
        Finding::broken(subject, reason).help(help).key(key)
    }

    /// How JSON is written that the receiver accepts, unlike compact JSON. Its text is ASCII, because a
    /// program that writes JSON anew may escape the rest.
    async fn accepted_layout(&self, plan: &Plan) -> Option<&'static str> {
        let mut event: Value = serde_json::from_slice(&body(plan)?).ok()?;
        if let Some(name) = event.pointer_mut("/event_data/item/name") {
            *name = Value::from("Test item");
        }
        let compact = BodyLayout::Compact.text(&event);
        if self.accepts(&self.signer, &compact.into()).await {
            // So the characters matter, or a first delivery.
            return None;
        }
        let layouts = [
            (
                BodyLayout::Spaced.text(&event),
                "has a space after `:` and `,`",
            ),
            (
                BodyLayout::Compact.text(&sorted(&event)),
                "has its keys in alphabetical order",
            ),
            (
                BodyLayout::Indented.text(&event),
                "is indented by two spaces",
            ),
        ];
        for (text, accepted) in layouts {
            if self.accepts(&self.signer, &text.into()).await {
                return Some(accepted);
            }
        }
        None
    }

    /// Whether the receiver accepts the event if its text is escaped.
    async fn accepts_ascii(&self, plan: &Plan) -> bool {
        let event = body(plan).and_then(|body| serde_json::from_slice(&body).ok());
        match event {
            Some(event) => {
                let body = BodyLayout::Escaped.text(&event);
                self.accepts(&self.signer, &body.into()).await
            }
            None => false,
        }
    }

    /// How the receiver reads the secret wrongly, if it then accepts the event.
    async fn mistaken_secret(&self, plan: &Plan, secrets: &Secrets) -> Option<Mistake> {
        let body = body(plan)?;
        let expired: Vec<_> = secrets.expired.iter().cloned().collect();
        for (signer, mistake) in mistaken_signers(&secrets.current, &expired) {
            if self.accepts(&signer, &body).await {
                return Some(mistake);
            }
        }
        None
    }

    async fn accepts(&self, signer: &Signer, body: &Bytes) -> bool {
        let policy = RetrySetting::Off.over(&self.retry);
        let plan = DeliveryPlan::new(&self.target, body.clone(), &policy);
        let sender = Sender {
            signer,
            ..self.sender()
        };
        let mut random = Seed::of_text("doctor").random();
        let delivery = deliver(sender, plan, &mut random, |_| ()).await;
        delivery.outcome == Outcome::Delivered
    }
}

const RAW_BODY: &str = "verify the signature over the raw bytes of the body, before anything decodes or \
                        parses them";

/// The value with the keys of every object in alphabetical order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(entries) => {
            let entries: BTreeMap<&String, &Value> = entries.iter().collect();
            let entries = entries.into_iter();
            let entries = entries.map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(entries.collect())
        }
        plain => plain.clone(),
    }
}

fn key_of_mistake(mistake: &SetupMistake) -> &'static str {
    match mistake {
        SetupMistake::LoginRedirect(_)
        | SetupMistake::AccessProtection(_)
        | SetupMistake::RefusedHeaders(_) => "headers",
        SetupMistake::RateLimit(_) => "max_rate",
        SetupMistake::UnknownPlayer => "players",
        SetupMistake::UnknownItem => "items",
        _ => "target",
    }
}
