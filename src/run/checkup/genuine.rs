//! What the response to the first genuine delivery says about the set-up, and why it was refused.

use bytes::Bytes;

use super::{Finding, body};
use crate::delivery::{DeliveryPlan, Sender, deliver};
use crate::diagnose::{Mistake, SetupMistake, mistaken_signers};
use crate::generate::{BodyLayout, Seed};
use crate::policy::{Outcome, RetrySetting};
use crate::protocol::Signer;
use crate::run::pilot::{setup_mistake, status_and_text};
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
        match status {
            200..300 => Finding::passed(subject, format!("accepted: {status}")),
            400..500 if self.accepts_ascii(plan).await => {
                let message = format!(
                    "accepts ASCII, refuses other characters ({status}): the body is decoded before it \
                     is verified"
                );
                Finding::new(subject, Verdict::Failed, message).help(
                    "verify the signature over the raw bytes of the body, before anything decodes or \
                     parses them",
                )
            }
            400..500 => {
                let mistaken = self.mistaken_secret(plan, secrets).await;
                let (message, help) = mistaken.map_or_else(
                    || {
                        let (status, body) = status_and_text(response);
                        let (reason, help) = refused(status, body);
                        (reason, help.to_owned())
                    },
                    |mistake| {
                        let made = mistake.happened.strip_prefix("The signature was ");
                        let message = match made {
                            Some(made) => format!("the receiver accepts only a signature {made}"),
                            None => format!("the secrets differ: {}", mistake.happened),
                        };
                        (message, mistake.fix.into_owned())
                    },
                );
                Finding::broken(subject, message)
                    .help(help)
                    .key("secret_env")
            }
            _ => {
                let finding = Finding::new(subject, Verdict::Failed, format!("failed: {status}"));
                finding.help("look for the reason in the receiver's log")
            }
        }
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
