//! One more delivery, with one attempt, for which a check-up waits only so long.

use bytes::Bytes;

use super::silence::PATIENCE;
use crate::delivery::{Delivery, DeliveryPlan, Sender, deliver};
use crate::generate::Seed;
use crate::policy::{DurationText, Forgery, RetryPolicy, RetrySetting};
use crate::protocol::Signer;
use crate::run::run_context::RunContext;

impl RunContext {
    pub(super) async fn deliver_once(
        &self,
        signer: &Signer,
        body: Bytes,
        forgery: Option<Forgery>,
    ) -> Delivery {
        let policy = RetrySetting::Off.over(&self.retry);
        let policy = RetryPolicy {
            timeout: DurationText(policy.timeout.0.min(PATIENCE)),
            ..policy
        };
        let plan = DeliveryPlan {
            forgery,
            ..DeliveryPlan::new(&self.target, body, &policy)
        };
        let sender = Sender {
            signer,
            ..self.sender()
        };
        let mut random = Seed::of_text("doctor").random();
        deliver(sender, plan, &mut random, |_| ()).await
    }

    /// The status of the response to a genuine delivery, if there is one.
    pub(super) async fn status(&self, signer: &Signer, body: &Bytes) -> Option<u16> {
        let delivery = self.deliver_once(signer, body.clone(), None).await;
        let response = delivery.attempts.last()?.exchange.result.as_ref().ok()?;
        Some(response.status)
    }

    pub(super) async fn accepts(&self, signer: &Signer, body: &Bytes) -> bool {
        matches!(self.status(signer, body).await, Some(200..300))
    }
}
