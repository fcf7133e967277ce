//! The running built-in receiver: the target of a run without a target, and a peer for tests of
//! programs that send webhooks.

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::probe::{HookFailure, PreparedProbe, QUANTITY_PROBE};
use crate::protocol::Secret;
use crate::receiver::{ReceiverError, ReceiverSettings};
use crate::scenario::document::SourceFile;
use crate::scenario::{Config, Profile};
use crate::transport::{AllowedHosts, Client, ClientSettings};

/// A sound game back end on a free port of this machine, with its ledger in memory. It verifies
/// signatures and grants every coupon once. It stops when it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let receiver = aghook::Receiver::start(&aghook::Secret::new("s3cret")?).await?;
/// // Send a signed event to `receiver.url()`, then:
/// assert_eq!(receiver.quantity("p1", "gem").await?, 0);
/// receiver.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Receiver {
    base: String,
    client: Client,
    profile: Profile,
    probe: PreparedProbe,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Why the receiver could not start.
#[derive(Debug, thiserror::Error)]
#[error("the built-in receiver can't be started: {reason}")]
pub struct ReceiverStartError {
    reason: String,
    help: Option<String>,
}

impl ReceiverStartError {
    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    fn new(reason: &impl ToString) -> Self {
        Self {
            reason: reason.to_string(),
            help: None,
        }
    }
}

impl From<ReceiverError> for ReceiverStartError {
    fn from(error: ReceiverError) -> Self {
        Self {
            reason: error.to_string(),
            help: error.help(),
        }
    }
}

impl Receiver {
    /// Starts it. Deliveries must be signed with this secret.
    pub async fn start(secret: &Secret) -> Result<Self, ReceiverStartError> {
        let mut settings = ReceiverSettings::new(secret.clone());
        settings.instances = 2;
        let receiver = crate::receiver::Receiver::bind(settings).await?;
        let mut addresses = receiver.addresses().map(|address| address.to_string());
        let first = addresses.next().unwrap_or_default();
        let profile = Self::profile_at(&first, &addresses.next().unwrap_or_default())?;
        drop(addresses);
        let base = format!("http://{first}");
        let probe = profile.probes.get(QUANTITY_PROBE);
        let probe = probe.ok_or_else(|| ReceiverStartError::new(&"its profile has no probe"))?;
        let probe = PreparedProbe::new(probe, &AllowedHosts::loopback_only())
            .map_err(|error| ReceiverStartError::new(&error))?;
        let client = Client::new(ClientSettings::default())
            .map_err(|error| ReceiverStartError::new(&error))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            // Its errors show up as failed deliveries.
            let _ = receiver.serve(async { _ = stopped.await }).await;
        });
        Ok(Self {
            base,
            client,
            profile,
            probe,
            stop,
            task,
        })
    }

    /// The URL of the webhook.
    pub fn url(&self) -> String {
        format!("{}{}", self.base, ReceiverSettings::DEFAULT_PATH)
    }

    /// How much of an SKU a player holds, or why it can't be read.
    pub async fn quantity(&self, player_id: &str, sku: &str) -> Result<i128, HookFailure> {
        self.probe.read(&self.client, player_id, sku).await
    }

    /// Lets it finish the requests in progress, and waits until it has stopped.
    pub async fn stop(self) {
        // Both fail harmlessly if it has already stopped.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }

    /// The profile of this receiver.
    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The profile of a built-in receiver with two instances at these hosts and ports.
    pub(crate) fn profile_at(first: &str, second: &str) -> Result<Profile, ReceiverStartError> {
        let text = include_str!("receiver-profile.yaml");
        let text = text.replace("BUILT-IN", first).replace("SECOND", second);
        let source = SourceFile::new("the built-in profile", text);
        let config = Config::parse(&source).map_err(|error| ReceiverStartError::new(&error))?;
        let (_, profile) = config
            .pick(None, &source.name)
            .map_err(|error| ReceiverStartError::new(&error))?;
        Ok(profile.clone())
    }
}
