//! `aghook serve`: runs a local Aghanim.

mod data_folder;
mod demo_receiver;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;

use super::interrupt::ended_by_user;
use super::listen_address::parse_address;
use super::secret_options::from_variable;
use super::{CommandError, Console, ExitCode, block_on, scenario_selection};
use crate::delivery::Clock;
use crate::policy::DurationText;
use crate::serve::{
    DataFile, DataFileError, Hub, HubClock, HubError, HubRandom, HubSettings, ItemAddKey, SeedFile,
    SeedSecrets, ServerSettings, TimeScale, serve,
};
use crate::transport::{AllowedHosts, Client, ClientSettings};
use data_folder::default_data_file;
use demo_receiver::DemoReceiver;

/// Run a local Aghanim: its API, coupons to redeem, and a durable queue of webhooks
///
/// Starts with a sample game. Register a webhook with the curl command that it prints, redeem a code, and
/// your handler gets the signed webhooks, with retries. Everything is kept in a data file, so that a
/// restart continues where it was. Stop it with Ctrl-C.
///
/// It listens on loopback only, unless --allow-remote is given, and sends only to this machine, unless a
/// host is allowed with --allow-host.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4600", value_parser = parse_address)]
    listen: SocketAddr,

    /// File with the game, the queue and the secrets, created if missing [default: serve.sqlite in the
    /// user's data folder]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Delete everything in the data file first
    #[arg(long)]
    reset: bool,

    /// YAML file with the items, coupons and webhooks to start with, instead of the sample game
    #[arg(long, value_name = "FILE")]
    seed_file: Option<PathBuf>,

    /// Start the built-in receiver, and register a webhook for it
    #[arg(long)]
    demo_receiver: bool,

    /// Make the waits between attempts pass faster, such as 60x
    #[arg(long, value_name = "FACTOR", default_value_t = TimeScale::REAL_TIME)]
    time_scale: TimeScale,

    /// How long an expired secret still signs deliveries that were queued before
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    secret_overlap: DurationText,

    /// Whether the item.add of a redemption has another idempotency key
    #[arg(long, value_enum, value_name = "KEY", default_value_t = ItemAddKey::Own)]
    item_add_key: ItemAddKey,

    /// Allow webhooks to this host (repeatable) [default: only this machine]. Events can grant real items
    /// there
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,

    /// Name that clients may use in URLs, such as that of a container (repeatable) [default: only
    /// localhost and IP addresses]
    #[arg(long, value_name = "NAME")]
    server_name: Vec<String>,

    /// Allow --listen on an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,
}

impl Serve {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        if !self.allow_remote && !self.listen.ip().is_loopback() {
            let message = format!("other machines can reach {}, and use the API", self.listen);
            return Err(
                CommandError::usage(message).with_help("if you want that, add --allow-remote")
            );
        }
        let seed = self.read_seed(console)?;
        let settings = self.settings()?;
        let path = match &self.data {
            Some(path) => path.clone(),
            None => default_data_file()?,
        };
        let file = DataFile::open(&path, self.reset)?;
        block_on(self.serve(file, settings, seed, console))
    }

    fn read_seed(
        &self,
        console: &Console,
    ) -> Result<Option<(SeedFile, SeedSecrets)>, CommandError> {
        let Some(path) = &self.seed_file else {
            return Ok(None);
        };
        let seed = SeedFile::read(path)
            .map_err(|problems| scenario_selection::diagnostics_error(&problems, console))?;
        let secret = |variable: &Option<String>| variable.as_deref().map(from_variable).transpose();
        let secrets = SeedSecrets {
            api_key: secret(&seed.api_key_env)?,
            webhooks: seed
                .webhooks
                .iter()
                .map(|webhook| secret(&webhook.secret_env))
                .collect::<Result<_, _>>()?,
        };
        Ok(Some((seed, secrets)))
    }

    fn settings(&self) -> Result<HubSettings, CommandError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| {
            CommandError::not_completed(format!("can't generate random secrets: {error}"))
        })?;
        Ok(HubSettings {
            clock: HubClock {
                clock: Clock::system(),
                scale: self.time_scale,
            },
            random: HubRandom::from_seed(seed),
            allowed_hosts: AllowedHosts::new(&self.allow_host).map_err(CommandError::usage)?,
            secret_overlap: self.secret_overlap.0,
            item_add_key: self.item_add_key,
        })
    }

    async fn serve(
        self,
        file: DataFile,
        settings: HubSettings,
        seed: Option<(SeedFile, SeedSecrets)>,
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        let DataFile {
            database,
            threads,
            lock,
        } = file;
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            CommandError::not_completed(format!("can't listen on {}: {error}", self.listen))
                .with_help("choose another address with --listen ADDRESS")
        })?;
        let client = Client::new(ClientSettings {
            connect_timeout: CONNECT_TIMEOUT,
            ..ClientSettings::default()
        });
        let client = client.map_err(CommandError::not_completed)?;
        let hub = Arc::new(Hub::start(database, client, settings).await?);
        match seed {
            Some((seed, secrets)) => hub.seed(seed, secrets).await?,
            None => hub.add_sample_game().await?,
        }
        let demo = if self.demo_receiver {
            Some(DemoReceiver::start(&hub).await?)
        } else {
            None
        };
        let address = listener.local_addr()?;
        // Before it is said that it runs.
        let ended = ended_by_user();
        print_start(console, address, &hub, demo.as_ref());
        let server = ServerSettings {
            server_names: self.server_name,
        };
        let result = serve(hub, listener, server, ended).await;
        if let Some(demo) = demo {
            demo.stop().await;
        }
        let joined = tokio::task::spawn_blocking(|| threads.join()).await;
        drop(lock);
        result?;
        joined.map_err(CommandError::not_completed)?;
        Ok(ExitCode::Success)
    }
}

/// How long connecting to a receiver may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

fn print_start(console: &mut Console, address: SocketAddr, hub: &Hub, demo: Option<&DemoReceiver>) {
    let key = hub.api_key();
    let key = key.expose_text();
    console.say(&format!("dashboard  http://{address}/"));
    console.say(&format!("API        http://{address}/s2s/v1"));
    console.say(&format!("API key    {key}"));
    if let Some(demo) = demo {
        console.say(&format!("receiver   {}", demo.url()));
    }
    // curl has `--json` only since 7.82, which many machines do not have.
    let json = "-H 'Content-Type: application/json'";
    console.say(&format!(
        "\nRegister a webhook for your handler; the response has its secret:\n\n  \
         curl http://{address}/s2s/v1/webhooks -H 'Authorization: Bearer {key}' \\\n    \
         {json} -d '{{\"events\": [\"coupon.redeemed\"], \"method\": \"POST\", \"url\": \
         \"http://127.0.0.1:8080/webhooks/aghanim\"}}'\n\n\
         Redeem a code as a player:\n\n  \
         curl http://{address}/local/redeem {json} -d '{{\"player_id\": \"P1\", \"code\": \
         \"WELCOME\"}}'"
    ));
}

impl From<DataFileError> for CommandError {
    fn from(error: DataFileError) -> Self {
        Self::not_completed(&error).with_help(error.help())
    }
}

/// A mistake in the seed file, or a data file that fails.
impl From<HubError> for CommandError {
    fn from(error: HubError) -> Self {
        match error {
            HubError::Database(_) | HubError::Closed => Self::not_completed(error),
            _ => Self::usage(error),
        }
    }
}
