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
