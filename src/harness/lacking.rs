//! What a profile may lack, so that a part of a scenario can't be looked at: the reason, and what to
//! do about it.

use super::plan::{HTTP1_HELP, needs_http1};
use super::verdict::{Check, Demand};
use crate::scenario::Fault;

/// Something that a scenario needs and the profile does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lacking {
    /// A probe of this name.
    Probe(String),
    /// The hook that tells the receiver how to answer.
    Script,
    /// The hook that restarts the receiver.
    Restart,
    /// The secret before the present one.
    ExpiredSecret,
    /// HTTP/1.1, which this fault needs.
    Http1(Fault),
    /// As many players as a scenario has.
    Players {
        /// How many the profile lists.
        listed: usize,
        /// How many the scenario has.
        needed: usize,
    },
    /// A player who does not hold this SKU yet, of which nobody can hold two.
    PlayerWithout(String),
    /// A player whose ID ends so.
    PlayerWithEnding(String),
}

impl Lacking {
    /// Why something can't be looked at.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Probe(name) => format!("the profile has no probe `{name}`"),
            Self::Script => {
                "the profile has no `script`, so the receiver can't be told how to answer"
                    .to_owned()
            }
            Self::Restart => {
                "the profile has no `restart`, so what outlives the process can't be seen"
                    .to_owned()
            }
            Self::ExpiredSecret => "the secret before the present one is not known".to_owned(),
            Self::Http1(fault) => needs_http1(*fault),
            Self::Players { listed, needed } => format!(
                "this scenario needs {needed} different players, and the profile's `players` has \
                 {listed}"
            ),
            Self::PlayerWithout(sku) => format!(
                "the player held {sku} before, and nobody can hold two: a grant would not show"
            ),
            Self::PlayerWithEnding(ending) => {
                format!("the profile's `players` has none whose ID ends with `{ending}`")
            }
        }
    }

    /// What to do about it.
    pub(super) fn hint(&self) -> String {
        match self {
            Self::Probe(name) => format!("add `probes: {{ {name}: … }}` to the profile"),
            Self::Script => "add `script: { http: PUT … }` to the profile".to_owned(),
            Self::Restart => "add `restart: { command: [docker, restart, …] }` or \
                              `restart: { http: POST … }` to the profile"
                .to_owned(),
            Self::ExpiredSecret => {
                "name its environment variable as `expired_secret_env` in the profile".to_owned()
            }
            Self::Http1(_) => HTTP1_HELP.to_owned(),
            Self::Players { needed, .. } => format!("list {needed} players or more"),
            Self::PlayerWithout(_) => {
                "list players who hold none, or items that can be held more than once".to_owned()
            }
            Self::PlayerWithEnding(_) => "list one, if your game can have such a player".to_owned(),
        }
    }

    /// The check that can't be made for this reason.
    pub(super) fn not_checked(
        &self,
        demand: &Demand,
        subject: &str,
        expected: impl Into<String>,
    ) -> Check {
        Check {
            hint: Some(self.hint()),
            cause: Some(self.reason()),
            ..demand.not_checked(subject, expected, self.reason())
        }
    }
}
