//! The built-in receiver as the first webhook of a local Aghanim.

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::cli::CommandError;
use crate::protocol::EventKind;
use crate::receiver::{Receiver, ReceiverError, ReceiverSettings};
use crate::serve::{Hub, Page, WebhookDraft};

/// What the webhook of the demo receiver is described as, by which a later start finds it again.
const DESCRIPTION: &str = "Demo receiver";

pub(super) struct DemoReceiver {
    url: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ReceiverError>>,
}

impl DemoReceiver {
    /// Starts the receiver on a free port, and registers or updates its webhook. Its ledger is in memory.
    pub(super) async fn start(hub: &Hub) -> Result<Self, CommandError> {
        let webhooks = hub.webhooks(Page::ALL).await?;
        let is_demo = |description: &Option<String>| description.as_deref() == Some(DESCRIPTION);
        let old = webhooks
            .into_iter()
            .find(|webhook| is_demo(&webhook.settings.description));
        let webhook = if let Some(old) = old {
            old
        } else {
            let draft = WebhookDraft {
                description: Some(DESCRIPTION.to_owned()),
                // Not enabled before the receiver listens.
                enabled: false,
                ..WebhookDraft::new("http://127.0.0.1/", vec![EventKind::CouponRedeemed])
            };
            hub.create_webhook(draft, crate::serve::DeliverySettings::default())
                .await?
        };
        let settings = ReceiverSettings::new(webhook.secret);
        let path = settings.path.clone();
        let receiver = Receiver::bind(settings)
            .await
            .map_err(CommandError::not_completed)?;
        let url = format!("http://{}{path}", receiver.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(receiver.serve(async {
            let _ = stopped.await;
        }));
        let new_url = url.clone();
        let change = move |draft: &mut WebhookDraft| {
            draft.url = new_url;
            draft.enabled = true;
        };
        hub.update_webhook(&webhook.id, change).await?;
        Ok(Self { url, stop, served })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn stop(self) {
        drop(self.stop);
        // What went wrong while it stopped changes nothing any more.
        let _ = self.served.await;
    }
}
