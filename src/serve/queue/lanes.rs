//! The lanes of all webhooks.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::attempt::{Endpoint, SharedEndpoint, Transport};
use super::lane::{Lane, LaneTools};
use crate::delivery::TimestampAllocator;
use crate::serve::clock::HubClock;
use crate::serve::database::Database;
use crate::serve::model::Webhook;
use crate::serve::random::HubRandom;
use crate::transport::{Client, ExtraHeaders, Target};

#[derive(Debug)]
pub(in crate::serve) struct Lanes {
    tools: LaneTools,
    by_webhook: Mutex<HashMap<String, LaneHandle>>,
}

#[derive(Debug)]
struct LaneHandle {
    endpoint: watch::Sender<Option<SharedEndpoint>>,
    wake: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Lanes {
    pub(in crate::serve) fn new(
        database: Database,
        client: Client,
        clock: HubClock,
        random: HubRandom,
    ) -> Self {
        let transport = Arc::new(Transport {
            client,
            clock,
            timestamps: TimestampAllocator::default(),
            headers: ExtraHeaders::default(),
        });
        Self {
            tools: LaneTools {
                database,
                transport,
                random,
            },
            by_webhook: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, LaneHandle>> {
        self.by_webhook
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers to this webhook from now on, unless it is paused or off.
    pub(in crate::serve) fn set(&self, webhook: Webhook, target: Option<Target>) {
        let id = webhook.id.clone();
        let is_active = webhook.settings.enabled && !webhook.delivery.paused;
        let target = target.filter(|_| is_active);
        let endpoint = target.map(|target| Arc::new(Endpoint::new(webhook, target)));
        let mut lanes = self.lock();
        match lanes.entry(id) {
            Entry::Occupied(lane) => {
                lane.get().endpoint.send_replace(endpoint);
            }
            Entry::Vacant(none) => {
                let (endpoint, receiver) = watch::channel(endpoint);
                let wake = Arc::new(Notify::new());
                let lane = Lane {
                    tools: self.tools.clone(),
                    webhook_id: none.key().clone(),
                    endpoint: receiver,
                    wake: Arc::clone(&wake),
                };
                let task = tokio::spawn(lane.run());
                none.insert(LaneHandle {
                    endpoint,
                    wake,
                    task,
                });
            }
        }
    }

    /// Stops delivering to a webhook.
    pub(in crate::serve) fn remove(&self, webhook_id: &str) {
        self.lock().remove(webhook_id);
    }

    /// Looks for due deliveries of these webhooks.
    pub(in crate::serve) fn wake<'a>(&self, webhook_ids: impl IntoIterator<Item = &'a String>) {
        let lanes = self.lock();
        for lane in webhook_ids.into_iter().filter_map(|id| lanes.get(id)) {
            lane.wake.notify_one();
        }
    }

    pub(in crate::serve) fn wake_all(&self) {
        let lanes = self.lock();
        for lane in lanes.values() {
            lane.wake.notify_one();
        }
    }

    /// Begins nothing more, and waits until what is in flight has ended.
    pub(in crate::serve) async fn stop(&self) {
        let lanes = std::mem::take(&mut *self.lock());
        for LaneHandle { endpoint, task, .. } in lanes.into_values() {
            drop(endpoint);
            // A lane that panicked has ended, too.
            let _ = task.await;
        }
    }
}
