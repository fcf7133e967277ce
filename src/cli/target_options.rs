//! The options that choose the receiver: `--target`, or a profile of `aghook.yaml`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::command_error::CommandError;
use super::console::Console;
use super::scenario_selection;
use crate::scenario::{Config, HttpVersionName, Profile};
use crate::transport::{AllowedHosts, Client, ClientSettings, HttpVersion, Target, TlsSettings};

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

    /// PEM file with additional trusted certificates
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// Accept any TLS certificate
    #[arg(long)]
    insecure: bool,

    /// HTTP version [default: 1.1, as in Aghanim's example]
    #[arg(long, value_name = "VERSION")]
    http_version: Option<HttpVersionOption>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum HttpVersionOption {
    /// HTTP/1.1
    #[value(name = "1.1")]
    Http1,
    /// HTTP/2; with prior knowledge on `http://` URLs
    #[value(name = "2")]
    Http2,
    /// The version negotiated by TLS
    #[value(name = "auto")]
    Auto,
}

/// The receiver that the options and the profile describe.
#[derive(Debug)]
pub(super) struct ChosenTarget {
    /// The profile's name, if a profile is used.
    name: Option<String>,
    /// The profile, empty if none is used.
    pub(super) profile: Profile,
    /// The target of the options or the profile.
    pub(super) target: Option<Target>,
    /// The hosts that requests may go to.
    pub(super) allowed: AllowedHosts,
    /// The HTTP client.
    pub(super) client: Client,
}

impl TargetOptions {
    /// Reads the config file, and checks the target and the client settings.
    pub(super) fn choose(&self, console: &Console) -> Result<ChosenTarget, CommandError> {
        let (name, profile) = self.profile(console)?;
        let hosts = profile.allow_hosts.iter().chain(&self.allow_host);
        let allowed = AllowedHosts::new(hosts)
            .map_err(|error| CommandError::usage(error.to_string(), None))?;
        let text = self
            .target
            .as_ref()
            .or(profile.target.as_ref().map(|target| &target.value));
        let target = text
            .map(|text| Target::parse(text, &allowed))
            .transpose()
            .map_err(|error| {
                CommandError::usage(format!("the target can't be used: {error}"), None)
            })?;
        let client = Client::new(self.client_settings(&profile)).map_err(|error| {
            let help = "pass a PEM file with certificates to `--cacert`".to_owned();
            CommandError::usage(error.to_string(), help)
        })?;
        Ok(ChosenTarget {
            name,
            profile,
            target,
            allowed,
            client,
        })
    }

    /// Whether `--target` is given.
    pub(super) fn names_target(&self) -> bool {
        self.target.is_some()
    }

    /// The config file: `--config`, or aghook.yaml if it exists or `--profile` needs it.
    fn config_path(&self) -> Option<&Path> {
        let default = Path::new(Config::FILE_NAME);
        let given = self.config.as_deref();
        given.or((self.profile.is_some() || default.exists()).then_some(default))
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
            console.reopened().note(&format!(
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

    fn client_settings(&self, profile: &Profile) -> ClientSettings {
        let http_version = match (self.http_version, profile.http_version) {
            (Some(HttpVersionOption::Http1), _) | (None, HttpVersionName::Http1) => {
                HttpVersion::Http1
            }
            (Some(HttpVersionOption::Http2), _) | (None, HttpVersionName::Http2) => {
                HttpVersion::Http2
            }
            (Some(HttpVersionOption::Auto), _) | (None, HttpVersionName::Auto) => HttpVersion::Auto,
        };
        let cacert = self.cacert.clone().or_else(|| profile.cacert.clone());
        let tls = TlsSettings {
            cacert,
            insecure: self.insecure,
        };
        ClientSettings {
            http_version,
            tls,
            ..ClientSettings::default()
        }
    }
}

impl ChosenTarget {
    /// The target of a command that needs one.
    pub(super) fn required(&self) -> Result<&Target, CommandError> {
        self.or_built_in()?.ok_or_else(|| {
            let help = "set the webhook's URL with `--target`, or in a profile of aghook.yaml \
                        (`aghook new` creates one)";
            CommandError::usage("no target", help.to_owned())
        })
    }

    /// The target, or `None` for the built-in receiver.
    pub(super) fn or_built_in(&self) -> Result<Option<&Target>, CommandError> {
        match (&self.target, &self.name) {
            (Some(target), _) => Ok(Some(target)),
            (None, None) => Ok(None),
            (None, Some(name)) => {
                // Do not silently test the built-in receiver instead of the user's.
                let help = format!("add `target: URL` to the profile `{name}`, or use `--target`");
                let message = format!("the profile `{name}` has no target");
                Err(CommandError::usage(message, help))
            }
        }
    }
}

/// Checks that `target` accepts connections before anything is sent.
pub(super) async fn reach(client: &Client, target: &Target) -> Result<(), CommandError> {
    client.probe_connection(target).await.map_err(|failure| {
        let message = format!("the target {} can't be reached: {failure}", target.as_str());
        CommandError::not_completed(message, failure.hint().to_owned())
    })
}
