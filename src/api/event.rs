//! One signed event for a test that sends its own requests.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::generate::{
    BundleShape, EventShape, Generator, IdShape, ItemShape, NestedItemShape, Seed, SkuShape,
    StartTime,
};
use crate::protocol::{Field, Secret, Signer, request_headers};

/// A `coupon.redeemed` event. What is not set is generated.
///
/// The same event signed at the same time has the same bytes. Events that differ in a field, the seed
/// or the time have different IDs and idempotency keys.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let secret = aghook::Secret::new("s3cret")?;
/// let now = UNIX_EPOCH + Duration::from_secs(1_795_000_000);
/// let event = aghook::Event::coupon_redeemed().player("p1").item("gem", 5);
/// let first = event.sign(&secret, now);
/// assert_eq!(first.headers[2].0, "X-Aghanim-Signature");
///
/// let retry = first.sign_again(&secret, now + Duration::from_secs(30));
/// assert_eq!(retry.body, first.body);
/// assert_ne!(retry.headers, first.headers);
/// # Ok::<(), aghook::EmptySecret>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    shape: EventShape,
    seed: u64,
}

/// A delivery, ready to send with any HTTP client as a `POST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEvent {
    /// The headers in the source's order, without `Host`, which depends on the URL.
    pub headers: Vec<(&'static str, String)>,
    /// The exact body.
    pub body: Vec<u8>,
}

impl Event {
    /// A genuine live event of a random player and item.
    #[must_use]
    pub fn coupon_redeemed() -> Self {
        Self::default()
    }

    /// The player's ID.
    #[must_use]
    pub fn player(mut self, id: impl Into<String>) -> Self {
        self.shape.player_id = Some(IdShape::Given(id.into()));
        self
    }

    /// The SKU and the quantity of the item that the coupon grants.
    #[must_use]
    pub fn item(mut self, sku: impl Into<String>, quantity: u64) -> Self {
        self.shape.item.sku = Some(SkuShape::Given(sku.into()));
        self.shape.item.quantity = Some(quantity);
        self
    }

    /// Makes the item a bundle of these SKUs and quantities.
    #[must_use]
    pub fn bundle<S: Into<String>>(mut self, items: impl IntoIterator<Item = (S, u64)>) -> Self {
        let nested = items.into_iter().map(|(sku, quantity)| NestedItemShape {
            sku: Some(SkuShape::Given(sku.into())),
            quantity: Some(quantity),
            ..NestedItemShape::default()
        });
        self.shape.item.bundle = Some(BundleShape(nested.collect()));
        self
    }

    /// The SKU and the quantity to grant if the item can't be granted.
    #[must_use]
    pub fn fallback(mut self, sku: impl Into<String>, quantity: u64) -> Self {
        self.shape.item.fallback = Field::Value(Box::new(ItemShape {
            sku: Some(SkuShape::Given(sku.into())),
            quantity: Some(quantity),
            ..ItemShape::default()
        }));
        self
    }

    /// The code that the player typed.
    #[must_use]
    pub fn coupon(mut self, code: impl Into<String>) -> Self {
        self.shape.coupon.code = Some(code.into());
        self
    }

    /// Makes it an event of the sandbox environment.
    #[must_use]
    pub fn sandbox(mut self) -> Self {
        self.shape.sandbox = Some(true);
        self
    }

    /// Makes it a test event, as the dashboard sends it.
    #[must_use]
    pub fn test(mut self) -> Self {
        self.shape.trigger = Field::Value("test".to_owned());
        self
    }

    /// Another seed for what is generated. The default is 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Generates the event at this time, and signs it.
    #[must_use]
    pub fn sign(&self, secret: &Secret, now: SystemTime) -> SignedEvent {
        // Otherwise two events with different players would share an idempotency key.
        let seed = Seed::new(self.seed).derive(&format!("{:?}", self.shape));
        let event = Generator::new(seed, StartTime::from_system_time(now)).event(&self.shape);
        let body = event.to_json().expect("all keys of an event are texts");
        sign(body, secret, now)
    }
}

impl SignedEvent {
    /// The same delivery signed again, as a retry is: the body stays, the timestamp and the signature
    /// change.
    #[must_use]
    pub fn sign_again(&self, secret: &Secret, now: SystemTime) -> Self {
        sign(self.body.clone(), secret, now)
    }
}

fn sign(body: Vec<u8>, secret: &Secret, now: SystemTime) -> SignedEvent {
    let timestamp = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let signature = Signer::new(secret).sign(timestamp, &body);
    let mut headers = request_headers("", timestamp, &signature);
    headers.retain(|(name, _)| *name != "Host");
    SignedEvent { headers, body }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::Event as ReceivedEvent;

    fn signed(event: &Event) -> (ReceivedEvent, SignedEvent) {
        let secret = Secret::new("s3cret").unwrap();
        let signed = event.sign(&secret, UNIX_EPOCH + Duration::from_secs(1_795_000_000));
        (serde_json::from_slice(&signed.body).unwrap(), signed)
    }

    #[test]
    fn the_event_says_what_was_set() {
        let event = Event::coupon_redeemed()
            .player("p1")
            .item("chest", 2)
            .bundle([("gem", 5), ("gold", 7)])
            .coupon("FREE")
            .sandbox()
            .test();
        let (received, _) = signed(&event);
        assert_eq!(received.event_data.player_id.as_ref(), "p1");
        assert_eq!(received.event_data.coupon.code.as_ref(), "FREE");
        let item = &received.event_data.granted_items()[0];
        assert_eq!((item.sku.as_ref(), item.quantity), ("chest", 2));
        assert!(received.sandbox && received.is_test());
        let (received, _) = signed(&Event::coupon_redeemed().item("axe", 1).fallback("gold", 9));
        assert!(
            serde_json::to_string(&received)
                .unwrap()
                .contains("fallback")
        );
    }

    #[test]
    fn different_events_have_different_keys_and_equal_ones_are_equal() {
        let events = [
            Event::coupon_redeemed(),
            Event::coupon_redeemed().player("p1"),
            Event::coupon_redeemed().player("p2"),
            Event::coupon_redeemed().player("p1").seed(1),
        ];
        let mut keys: Vec<_> = events
            .iter()
            .map(|event| signed(event).0.idempotency_key)
            .collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), events.len());
        assert_eq!(signed(&events[1]).1, signed(&events[1].clone()).1);
    }
}
