//! Redeeming codes, and test events.

use super::Hub;
use crate::protocol::Event;
use crate::serve::error::HubError;
use crate::serve::model::Item;
use crate::serve::redemption::{
    EventFacts, RedeemRequest, Redemption, Refusal, emitted, enqueue, event_item, redeem,
    subscribed_body,
};
use crate::serve::sample;
use crate::serve::store::{self, Document as _};

impl Hub {
    /// Redeems a code for a player. Returns once the redemption and its deliveries are in the data file.
    pub(crate) async fn redeem(
        &self,
        request: RedeemRequest,
    ) -> Result<Result<Redemption, Refusal>, HubError> {
        let settings = self.redeem_settings();
        let redeem = self
            .database
            .write(move |connection| redeem(connection, &request, &settings));
        let redeemed = redeem.await?;
        if let Ok(redemption) = &redeemed {
            self.lanes.wake(&redemption.webhooks);
        }
        Ok(redeemed)
    }

    /// Sends a test event of each type that the webhook is subscribed to, as "Send test event" of
    /// Aghanim's dashboard does. Returns the IDs of the deliveries.
    pub(crate) async fn send_test_event(&self, webhook_id: &str) -> Result<Vec<i64>, HubError> {
        let settings = self.redeem_settings();
        let id = webhook_id.to_owned();
        let send = self.database.write(move |connection| {
            let webhook = store::webhooks::get(connection, &id)?;
            let item = match Item::all(connection)?.first() {
                Some(item) => event_item(connection, &item.id, 1)?,
                None => sample::test_item(),
            };
            let facts = EventFacts {
                player_id: "test-player",
                code: "TEST",
                sandbox: false,
                trigger: Event::TRIGGER_TEST,
                now: settings.clock.unix_seconds(),
                game_id: &settings.game_id,
                item_add_key: settings.item_add_key,
            };
            let mut random = settings.random.fork();
            let mut added = Vec::new();
            for event in emitted(&facts, &[item], &mut random)? {
                if webhook.settings.events.contains(&event.kind) {
                    let body = subscribed_body(&event, &webhook, facts.player_id);
                    let queued = enqueue(
                        connection,
                        &webhook,
                        &event,
                        &facts,
                        &body,
                        &settings,
                        &mut random,
                    )?;
                    added.extend(queued);
                }
            }
            Ok(added)
        });
        let added = send.await?;
        self.lanes.wake([&webhook_id.to_owned()]);
        Ok(added)
    }
}
