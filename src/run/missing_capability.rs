//! What a profile may lack to check a part of a scenario: the reason, and what to do about it.

use crate::policy::Fault;
use crate::verify::{Check, Requirement};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MissingCapability {
    Probe(String),
    Script,
    Restart,
    ExpiredSecret,
    Http1(Fault),
    Players {
        listed: usize,
        needed: usize,
    },
    /// A player who does not hold this SKU yet, of which a player can hold only one.
    PlayerWithout(String),
    /// A player whose ID has this ending.
    PlayerWithEnding(String),
}

impl MissingCapability {
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Probe(name) => format!("the profile has no probe `{name}`"),
            Self::Script => {
                "the profile has no `script` hook to set the receiver's responses".to_owned()
            }
            Self::Restart => "the profile has no `restart` hook to restart the receiver".to_owned(),
            Self::ExpiredSecret => "the profile does not name the expired secret".to_owned(),
            Self::Http1(fault) => format!(
                "the fault `{fault}` needs HTTP/1.1: over HTTP/2, an aborted request ends only its \
                 stream, not the connection"
            ),
            Self::Players { listed, needed } => format!(
                "this scenario needs {needed} different players, but the profile's `players` lists \
                 {listed}"
            ),
            Self::PlayerWithout(sku) => format!(
                "the player already holds {sku} and can hold only one, so a grant would not show"
            ),
            Self::PlayerWithEnding(ending) => {
                format!("no player in the profile's `players` has an ID that ends with `{ending}`")
            }
        }
    }

    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Probe(name) => format!("add `probes: {{ {name}: … }}` to the profile"),
            Self::Script => "add `script: { http: PUT … }` to the profile; docs/profiles.md \
                             describes the request"
                .to_owned(),
            Self::Restart => "add `restart: { command: [docker, restart, …] }` or \
                              `restart: { http: POST … }` to the profile"
                .to_owned(),
            Self::ExpiredSecret => {
                "set `expired_secret_env` in the profile to the environment variable that holds it"
                    .to_owned()
            }
            Self::Http1(_) => {
                "set `http_version: \"1.1\"` or `auto` in the profile, or pass `--http-version 1.1`"
                    .to_owned()
            }
            Self::Players { needed, .. } => format!("list at least {needed} players"),
            Self::PlayerWithout(_) => {
                "list players who do not hold it yet, or use items that can be held more than once"
                    .to_owned()
            }
            Self::PlayerWithEnding(_) => "list one if your game can have such a player".to_owned(),
        }
    }

    pub(crate) fn not_checked(
        &self,
        requirement: &Requirement,
        subject: &str,
        expected: impl Into<String>,
    ) -> Check {
        Check {
            hint: Some(self.hint()),
            cause: Some(self.reason()),
            ..requirement.not_checked(subject, expected, self.reason())
        }
    }
}
