//! Another way to a target than its own host and port: another address, or a Unix socket.

use std::path::PathBuf;

use url::Host;

use super::allowed_hosts::{AllowedHosts, is_loopback_host};
use super::target::TargetError;
use crate::policy::ConnectTo;

/// Where to connect instead. `Host`, the name that the certificate must have, and everything else
/// remain those of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Address {
        host: Host<String>,
        port: u16,
        explicitly_allowed: bool,
    },
    UnixSocket(PathBuf),
}

impl Route {
    /// Refuses a host that is neither this machine nor allowed.
    pub(crate) fn to_address(to: &ConnectTo, allowed: &AllowedHosts) -> Result<Self, TargetError> {
        let explicitly_allowed = allowed.contains(&to.host);
        if !explicitly_allowed && !is_loopback_host(&to.host) {
            let host = to.host.to_string();
            let host = host.trim_matches(['[', ']']).to_owned();
            return Err(TargetError::HostNotAllowed(host));
        }
        Ok(Self::Address {
            host: to.host.clone(),
            port: to.port,
            explicitly_allowed,
        })
    }
}
