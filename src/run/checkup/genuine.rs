//! What the response to the first genuine delivery says about the set-up, and why it was refused.

use super::body_layouts::RAW_BODY;
use super::{Finding, body};
use crate::diagnose::{Mistake, ResponseText, SetupMistake, mistaken_signers, token_help};
use crate::generate::BodyLayout;
use crate::run::pilot::{response_text, setup_mistake};
use crate::run::plan::Plan;
use crate::run::run_context::RunContext;
use crate::run::run_event::{AttemptEnded, ResponseRecord};
use crate::run::session::Secrets;
use crate::run::setup_problem::refused;
use crate::transport::Failure;
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
            failed @ ResponseRecord::Failure {
                name,
                message,
                hint,
                ..
            } => {
                if let Some(wrong) = self.wrong_scheme(failed).await {
                    let finding = Finding::broken(subject, wrong.to_string());
                    return finding.help(wrong.hint()).key("target");
                }
                // Only what speaks HTTP otherwise is a receiver that fails.
                return if self.speaks_http().await {
                    let message = format!("{message}, unlike a GET request: the handler fails");
                    Finding::new(subject, Verdict::Failed, message).help(&**hint)
                } else {
                    let is_closed = Failure::CLOSED.contains(&&**name);
                    let help = if is_closed { NOT_HTTP } else { hint };
                    Finding::broken(subject, message).help(help).key("target")
                };
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
            200..300 => Finding::passed(subject, format!("accepted ({status})")),
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
                let message = format!("the handler fails: {status}");
                let finding = Finding::new(subject, Verdict::Failed, message);
                finding.help("look for the exception in the receiver's log")
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
}

const NOT_HTTP: &str = "check the port in the profile's `target`: what listens there responds to no HTTP request; if \
                        it is the receiver, look for a crash in its log";

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
