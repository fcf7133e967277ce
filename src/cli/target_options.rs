//! The options that choose the receiver: `--target`, or a profile of `aghook.yaml`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::scenario_selection;
use super::{CommandError, Console};
use crate::policy::{ConnectTo, DurationText, HttpVersion};
use crate::run::{ConnectionOptions, RunOptions, Session};
use crate::scenario::document::SourceFile;
use crate::scenario::{Config, DeliveryHeader, Profile};
use crate::transport::{Client, Failure, Target, TlsSettings};

/// The options that choose the receiver and the connection to it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Receiver")]
pub(super) struct TargetOptions {
    /// URL of the webhook, overrides the profile's target
    #[arg(long, value_name = "URL")]
    target: Option<String>,

    /// File with the target profiles [default: aghook.yaml in the current folder, if present]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Profile to use [default: the only profile, otherwise `default`]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Allow sending to this host (repeatable) [default: only this machine]. Events other than sandbox
    /// and test events can grant real items there
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,

    /// Add this header to every delivery, such as 'X-Key: $KEY' (repeatable). `$NAME` is an
    /// environment variable. Reports do not show the value
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<DeliveryHeader>,

    /// PEM file with additional trusted certificates: CAs, or the receiver's self-signed certificate
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// Accept any TLS certificate
    #[arg(long)]
    insecure: bool,

    /// PEM file with a client certificate, for receivers that demand one
    #[arg(long, value_name = "FILE")]
    client_cert: Option<PathBuf>,

    /// PEM file with the client certificate's key, unencrypted [default: the file of --client-cert]
    #[arg(long, value_name = "FILE")]
    client_key: Option<PathBuf>,

    /// Connect to this host and port instead of the target's. The Host header and the name in the
    /// certificate remain the target's
    #[arg(long, value_name = "HOST:PORT")]
    connect_to: Option<ConnectTo>,

    /// Connect to this Unix socket instead of the target's host and port
    #[arg(long, value_name = "PATH", conflicts_with = "connect_to")]
    unix_socket: Option<PathBuf>,

    /// HTTP version [default: 1.1, as in Aghanim's example]
    #[arg(long, value_name = "VERSION")]
    http_version: Option<HttpVersion>,

    /// Wait up to this long, such as 60s, until the target accepts connections [default: do not wait]
    #[arg(long, value_name = "DURATION")]
    wait: Option<DurationText>,
}

impl TargetOptions {
    pub(super) fn session(
        &self,
        options: RunOptions,
        console: &Console,
    ) -> Result<Session, CommandError> {
        let (name, profile) = self.profile(console)?;
        let connection = ConnectionOptions {
            target: self.target.clone(),
            allow_hosts: self.allow_host.clone(),
            headers: self.header.clone(),
            http_version: self.http_version,
            tls: TlsSettings {
                cacert: self.cacert.clone(),
                insecure: self.insecure,
                client_cert: self.client_cert.clone(),
                client_key: self.client_key.clone(),
            },
            connect_to: self.connect_to.clone(),
            unix_socket: self.unix_socket.clone(),
        };
        let session = Session::new(profile, connection, options)?;
        Ok(Session {
            profile_name: name,
            ..session
        })
    }

    pub(super) fn names_target(&self) -> bool {
        self.target.is_some()
    }

    /// The config file: `--config`, or aghook.yaml if it exists or `--profile` needs it.
    fn config_path(&self) -> Option<&Path> {
        let default = Path::new(Config::FILE_NAME);
        let given = self.config.as_deref();
        given.or((self.profile.is_some() || default.exists()).then_some(default))
    }

    /// The config file, whether it exists or not, and the player files that it names.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let path = self
            .config
            .as_deref()
            .unwrap_or(Path::new(Config::FILE_NAME));
        let config = SourceFile::read(path).and_then(|source| Config::parse(&source));
        let profiles = config.map(|config| config.profiles).unwrap_or_default();
        let lists = profiles
            .values()
            .filter_map(|profile| profile.players.as_ref()?.file());
        let folder = path.parent().unwrap_or(Path::new(""));
        let lists = lists.map(|file| folder.join(file));
        std::iter::once(path.to_owned()).chain(lists).collect()
    }

    /// The place of a key of the profile in the config file; if the profile does not have the key, the
    /// place to add it.
    pub(super) fn place(&self, profile: Option<&str>, key: &str) -> Option<String> {
        if key == "target" && self.target.is_some() {
            return Some("--target".to_owned());
        }
        let (profile, path) = (profile?, self.config_path()?);
        let source = SourceFile::read(path).ok()?;
        let (line, has_key) = Config::place(&source, profile, key)?;
        let file = path.display();
        Some(if has_key {
            format!("{file}:{line}: `{key}`")
        } else {
            format!("{file}:{line}: add `{key}` to the profile `{profile}`")
        })
    }

    /// The profile and its name. Without a config file, the profile is empty and has no name.
    fn profile(&self, console: &Console) -> Result<(Option<String>, Profile), CommandError> {
        let Some(path) = self.config_path() else {
            return Ok((None, Profile::default()));
        };
        let rendered = |problems| scenario_selection::diagnostics_error(&problems, console);
        let config = Config::read(path).map_err(rendered)?;
        let file = path.display().to_string();
        let is_given = self.profile.is_some() || self.config.is_some();
        if self.target.is_some() && !is_given && config.has_no_default() {
            let names: Vec<&str> = config.profiles.keys().map(String::as_str).collect();
            console.note(&format!(
                "note: no profile is used, because {file} has several but no `default`; choose one \
                 with `--profile NAME`: {}",
                names.join(", ")
            ));
            return Ok((None, Profile::default()));
        }
        let (name, profile) = config
            .pick(self.profile.as_deref(), &file)
            .map_err(rendered)?;
        Ok((Some(name.to_owned()), profile.clone()))
    }
}

/// How long to wait before connecting again.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

impl TargetOptions {
    /// With `--wait`, waits until `target` accepts connections, but no longer.
    pub(super) async fn wait(&self, client: &Client, target: &Target) {
        if let Some(wait) = self.wait {
            // Whoever sends next finds out why it still does not.
            let _ = wait_for(client, target, wait.0).await;
        }
    }

    /// Checks that `target` accepts connections before anything is sent. With `--wait`, tries again
    /// until it does.
    pub(super) async fn reach(&self, client: &Client, target: &Target) -> Result<(), CommandError> {
        let reached = match self.wait {
            None => client.probe_connection(target).await,
            Some(wait) => wait_for(client, target, wait.0).await,
        };
        reached.map_err(|failure| unreachable_error(target, &failure))
    }
}

async fn wait_for(client: &Client, target: &Target, wait: Duration) -> Result<(), Failure> {
    let started = Instant::now();
    loop {
        let left = wait.saturating_sub(started.elapsed());
        let reached = match client.probe_open_connection(target, left).await {
            Err(failure) if failure.may_pass() => failure,
            reached => return reached,
        };
        if started.elapsed() + POLL_INTERVAL >= wait {
            return Err(reached);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

pub(super) fn unreachable_error(target: &Target, failure: &Failure) -> CommandError {
    let message = format!("the target {} can't be reached: {failure}", target.as_str());
    CommandError::not_completed(message).with_help(failure.hint().to_owned())
}
