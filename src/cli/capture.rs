//! `aghook capture`: a recording proxy in front of the receiver.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::sync::{mpsc, oneshot};
use url::Url;

use super::interrupt::ended_by_user;
use super::listen_address::parse_address;
use super::secret_options::{self, SecretOptions};
use super::{CommandError, Console, ExitCode, block_on};
use crate::capture::{CaptureWriter, Observed, Proxy, Recorder};
use crate::protocol::Secret;
use crate::transport::{AllowedHosts, Client, ClientSettings, Target, TlsSettings};

/// Record the deliveries that a game receives
///
/// Listens between Aghanim, or a tunnel, and the receiver. Forwards every byte unchanged, and writes each
/// delivery with its timing and the receiver's response to a file, as soon as it has ended. Players,
/// names, addresses and secrets are replaced first. Retries of one idempotency key are marked. Requests
/// that are not deliveries are forwarded and not recorded. Stop it with Ctrl-C.
#[derive(Debug, Args)]
#[command(after_long_help = secret_options::SECRET_HELP)]
pub struct Capture {
    /// Address and port to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090", value_parser = parse_address)]
    listen: SocketAddr,

    /// Receiver, as scheme, host and port, such as `http://127.0.0.1:8080`
    #[arg(long, value_name = "URL")]
    forward: String,

    /// File to write, with one delivery a line
    #[arg(long, value_name = "FILE", default_value = "captured.jsonl")]
    output: PathBuf,

    /// Allow forwarding to this host (repeatable) [default: only this machine]
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,

    /// PEM file with additional trusted certificates, for a receiver with https
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// Allow --listen on an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,

    #[command(flatten)]
    secret: SecretOptions,
}

/// How long the deliveries that were seen may take to be recorded after Ctrl-C.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
struct Counts {
    deliveries: u64,
    /// Those of a key that was delivered before.
    again: u64,
    others: u64,
    unreadable: u64,
}

impl Capture {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        if !self.allow_remote && !self.listen.ip().is_loopback() {
            let message = format!("other machines can reach {}", self.listen);
            return Err(
                CommandError::usage(message).with_help("if you want that, add --allow-remote")
            );
        }
        let target = self.target()?;
        let secret = self.secret.load_if_any()?;
        let client = Client::new(ClientSettings {
            tls: TlsSettings {
                cacert: self.cacert.clone(),
                ..TlsSettings::default()
            },
            ..ClientSettings::default()
        })
        .map_err(CommandError::usage)?;
        if secret.is_none() {
            console.note("note: signatures are not checked, because there is no secret");
        }
        let recorder = new_recorder(secret.as_ref())?;
        let writer = create_capture(&self.output)?;
        block_on(self.serve(client, target, recorder, writer, console))
    }

    /// The receiver. A path would have no effect, since the bytes of requests stay.
    fn target(&self) -> Result<Target, CommandError> {
        let allowed = AllowedHosts::new(&self.allow_host).map_err(CommandError::usage)?;
        let target = Target::parse(&self.forward, &allowed)
            .map_err(|error| CommandError::usage(format!("--forward: {error}")))?;
        let has_path =
            Url::parse(&self.forward).is_ok_and(|url| url.path() != "/" || url.query().is_some());
        if has_path {
            let message = "--forward has a path, but requests keep their own";
            let help = format!("pass `--forward {}`", target.origin());
            return Err(CommandError::usage(message).with_help(help));
        }
        Ok(target)
    }

    async fn serve(
        &self,
        client: Client,
        target: Target,
        recorder: Recorder,
        writer: CaptureWriter,
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        let origin = target.origin().to_owned();
        let (proxy, seen) = Proxy::bind(self.listen, client, target)
            .await
            .map_err(|error| {
                CommandError::not_completed(format!("can't listen on {}: {error}", self.listen))
            })?;
        let address = proxy.address()?;
        let output = self.output.display();
        console.say(&format!(
            "capture  http://{address} → {origin}, to {output}"
        ));
        let (finished, mut counts) = oneshot::channel();
        let notes = console.reopened();
        std::thread::spawn(move || {
            // The command may have given up waiting.
            let _ = finished.send(record(seen, recorder, writer, &notes));
        });
        let ended = ended_by_user();
        let mut early = None;
        proxy
            .serve(async {
                tokio::select! {
                    () = ended => {}
                    // Otherwise, the recording goes on until the proxy stops.
                    counts = &mut counts => early = Some(counts),
                }
            })
            .await;
        let counts = match early {
            Some(counts) => counts,
            None => tokio::time::timeout(GRACE, counts).await.map_err(|_| {
                CommandError::not_completed("the last deliveries could not be recorded in time")
            })?,
        };
        let counts = counts
            .map_err(|_| CommandError::not_completed("the recording failed"))?
            .map_err(|error| {
                CommandError::not_completed(format!("can't write {output}: {error}"))
                    .with_help("nothing was recorded after that, so the proxy stopped")
            })?;
        console.note(&counts.to_string());
        Ok(ExitCode::Success)
    }
}

/// Records what the proxy sees, until it stops.
fn record(
    mut seen: mpsc::Receiver<Observed>,
    mut recorder: Recorder,
    mut writer: CaptureWriter,
    notes: &Console,
) -> std::io::Result<Counts> {
    let mut counts = Counts::default();
    while let Some(observed) = seen.blocking_recv() {
        match observed {
            Observed::Exchange(exchange) if exchange.request.is_delivery() => {
                let delivery = recorder.record(&exchange);
                counts.deliveries += 1;
                counts.again += u64::from(delivery.previous.is_some());
                writer.write(&delivery)?;
            }
            Observed::Exchange(_) => counts.others += 1,
            Observed::UnreadableConnection => {
                counts.unreadable += 1;
                if counts.unreadable == 1 {
                    notes.note(
                        "note: a connection is not HTTP/1.1, is ambiguous or has too much under way: it is \
                         forwarded but not recorded",
                    );
                }
            }
            Observed::Unreachable(reason) => {
                notes.note(&format!("note: the receiver can't be reached: {reason}"));
            }
        }
    }
    Ok(counts)
}

pub(super) fn new_recorder(secret: Option<&Secret>) -> Result<Recorder, CommandError> {
    Recorder::new(secret)
        .map_err(|error| CommandError::not_completed(format!("no random numbers: {error}")))
}

pub(super) fn create_capture(path: &Path) -> Result<CaptureWriter, CommandError> {
    CaptureWriter::create(path).map_err(|error| {
        let path = path.display();
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return CommandError::usage(format!("{path} exists"))
                .with_help("choose another file with `--output FILE`, or delete it");
        }
        CommandError::usage(format!("can't write {path}: {error}"))
    })
}

impl std::fmt::Display for Counts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            deliveries,
            again,
            others,
            unreadable,
        } = self;
        write!(
            formatter,
            "{deliveries} deliveries recorded, {again} of them again; {others} other requests"
        )?;
        if *unreadable > 0 {
            write!(
                formatter,
                "; {unreadable} connections that could not be recorded"
            )?;
        }
        Ok(())
    }
}
