//! Which receiver is meant: `--target`, or a profile of `aghook.yaml`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::command_error::CommandError;
use super::console::Console;
use super::files;
use crate::delivery::{AllowedHosts, Client, ClientSettings, HttpVersion, Target, TlsSettings};
use crate::scenario::{Config, HttpVersionName, Profile};

/// The options that say which receiver is meant and how it is reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The receiver")]
pub(super) struct TargetOptions {
    /// The webhook's URL, before the profile's
    #[arg(long, value_name = "URL")]
    target: Option<String>,

    /// The file of target profiles [default: aghook.yaml, if it is in this folder]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The profile to use [default: the one named `default`, or the only one]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// A host other than this machine that may be sent to; a live event can grant real items
    /// (repeatable)
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,

    /// A PEM file of certificates to trust besides the system's
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// Accept any certificate
    #[arg(long)]
    insecure: bool,

    /// The HTTP version to speak [default: 1.1, as in Aghanim's example]
    #[arg(long, value_name = "VERSION")]
    http_version: Option<HttpVersionWord>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum HttpVersionWord {
    /// HTTP/1.1
    #[value(name = "1.1")]
    Http1,
    /// HTTP/2, by prior knowledge without TLS
    #[value(name = "2")]
    Http2,
    /// What TLS agrees on
    #[value(name = "auto")]
    Auto,
}

/// A receiver as the options and the profile describe it.
#[derive(Debug)]
pub(super) struct ChosenTarget {
    /// The profile's name; none without a config file.
    name: Option<String>,
    /// The profile; an empty one without a config file.
    pub(super) profile: Profile,
    /// Where events go; none if neither the options nor the profile say.
    pub(super) target: Option<Target>,
    /// Where requests may go.
    pub(super) allowed: AllowedHosts,
    /// Sends.
    pub(super) client: Client,
}

impl TargetOptions {
    /// Reads the config file and makes sure that everything in it can be used.
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
            let help = "name a PEM file of certificates with `--cacert`".to_owned();
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

    /// Whether `--target` says where to, whatever the profile says.
    pub(super) fn names_target(&self) -> bool {
        self.target.is_some()
    }

    /// Whether a config file was asked for or is there.
    fn config_path(&self) -> Option<&Path> {
        let usual = Path::new(Config::FILE_NAME);
        let asked_for = self.config.as_deref();
        asked_for.or((self.profile.is_some() || usual.exists()).then_some(usual))
    }

    /// The profile with its name; an empty one without a name where there is no config file.
    fn profile(&self, console: &Console) -> Result<(Option<String>, Profile), CommandError> {
        let Some(path) = self.config_path() else {
            return Ok((None, Profile::default()));
        };
        let rendered = |problems| files::wrong(&problems, console);
        let config = Config::read(path).map_err(rendered)?;
        let file = path.display().to_string();
        let asked_for = self.profile.is_some() || self.config.is_some();
        if self.target.is_some() && !asked_for && config.has_no_default() {
            let names: Vec<&str> = config.profiles.keys().map(String::as_str).collect();
            console.reopened().note(&format!(
                "note: no profile is used, since {file} has several and none is named `default`; \
                 `--profile NAME` uses one of {}",
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
            (Some(HttpVersionWord::Http1), _) | (None, HttpVersionName::Http1) => {
                HttpVersion::Http1
            }
            (Some(HttpVersionWord::Http2), _) | (None, HttpVersionName::Http2) => {
                HttpVersion::Http2
            }
            (Some(HttpVersionWord::Auto), _) | (None, HttpVersionName::Auto) => HttpVersion::Auto,
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
    /// The target of a command that can't do without one.
    pub(super) fn required(&self) -> Result<&Target, CommandError> {
        self.or_built_in()?.ok_or_else(|| {
            let help = "name the webhook's URL with `--target`, or in a profile of aghook.yaml \
                        (`aghook new` writes one)";
            CommandError::usage("there is no target", help.to_owned())
        })
    }

    /// The target, or none if the built-in receiver is meant.
    pub(super) fn or_built_in(&self) -> Result<Option<&Target>, CommandError> {
        match (&self.target, &self.name) {
            (Some(target), _) => Ok(Some(target)),
            (None, None) => Ok(None),
            (None, Some(name)) => {
                // The built-in receiver would pass in place of the one that is meant.
                let help = format!("add `target: URL` to the profile `{name}`, or use `--target`");
                let message = format!("the profile `{name}` has no target");
                Err(CommandError::usage(message, help))
            }
        }
    }
}

/// Makes sure that something answers at `target` before anything is sent there.
pub(super) async fn reach(client: &Client, target: &Target) -> Result<(), CommandError> {
    client.probe_connection(target).await.map_err(|failure| {
        let message = format!("the target {} can't be reached: {failure}", target.as_str());
        CommandError::not_completed(message, failure.hint().to_owned())
    })
}
