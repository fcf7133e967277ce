//! The hosts that requests may be sent to: loopback, and others that the user has allowed.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use url::Host;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AllowedHosts(BTreeSet<String>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a host name: give only the host, such as `staging.example.com`, without a \
     scheme, port or path"
)]
pub struct InvalidHost(String);

impl AllowedHosts {
    pub(crate) fn loopback_only() -> Self {
        Self::default()
    }

    /// Allows loopback and these hosts: names or addresses, without a scheme, port or path.
    pub(crate) fn new<T: AsRef<str>>(
        hosts: impl IntoIterator<Item = T>,
    ) -> Result<Self, InvalidHost> {
        let allowed = hosts.into_iter().map(|host| parse_host(host.as_ref()));
        allowed.collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn contains(&self, host: &Host<String>) -> bool {
        self.0.contains(&canonical(host))
    }
}

fn parse_host(text: &str) -> Result<String, InvalidHost> {
    let refused = || InvalidHost(text.to_owned());
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    if text.is_empty() || text.contains(['*', '@', ':']) && !text.starts_with('[') {
        return Err(refused());
    }
    Host::parse(text)
        .map(|host| canonical(&host))
        .map_err(|_| refused())
}

/// The text used to compare hosts: in lower case, without the trailing dot of a full domain name.
fn canonical(host: &Host<String>) -> String {
    match host {
        Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

/// Whether the host is loopback: 127.0.0.0/8, `::1`, `localhost` and `*.localhost`.
pub(crate) fn is_loopback_host(host: &Host<String>) -> bool {
    match host {
        Host::Domain(_) => {
            let name = canonical(host);
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).to_canonical().is_loopback(),
    }
}

/// Filters the addresses of a host: all are permitted for an explicitly allowed host, and only
/// loopback addresses for any other. Otherwise an entry in the hosts file could map `localhost` to a
/// live machine.
///
/// If none is permitted, the error is the first address.
pub(crate) fn permitted(
    addresses: Vec<SocketAddr>,
    explicitly_allowed: bool,
) -> Result<Vec<SocketAddr>, Option<SocketAddr>> {
    let first = addresses.first().copied();
    let permitted: Vec<_> = addresses
        .into_iter()
        .filter(|address| explicitly_allowed || address.ip().to_canonical().is_loopback())
        .collect();
    if permitted.is_empty() {
        return Err(first);
    }
    Ok(permitted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host<String> {
        Host::parse(text).expect(text)
    }

    #[test]
    fn only_loopback_is_loopback() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "game.localhost",
        ] {
            assert!(is_loopback_host(&host(text)), "{text}");
        }
        for text in [
            "128.0.0.1",
            "0.0.0.0",
            "10.0.0.1",
            "[::]",
            "[::2]",
            "localhost.example.com",
            "notlocalhost",
            "127.0.0.1.example.com",
        ] {
            assert!(!is_loopback_host(&host(text)), "{text}");
        }
    }

    #[test]
    fn an_allowed_host_is_recognised_in_every_spelling() {
        let entries = ["Staging.Example.com", "10.0.0.7", "::2", "[2001:db8::1]"];
        let allowed = AllowedHosts::new(entries).expect("hosts");
        for text in [
            "staging.example.com",
            "staging.example.com.",
            "10.0.0.7",
            "[::2]",
            "[2001:db8:0::1]",
        ] {
            assert!(allowed.contains(&host(text)), "{text}");
        }
        assert!(!allowed.contains(&host("example.com")));
        assert!(!allowed.contains(&host("eu.staging.example.com")));
    }

    #[test]
    fn an_entry_that_is_not_a_host_is_refused() {
        for text in ["https://a.example", "a.example:443", "a.example/x", "*", ""] {
            let error = AllowedHosts::new([text]).expect_err(text).to_string();
            assert!(error.contains("give only the host"), "{error}");
        }
    }

    #[test]
    fn a_loopback_name_may_only_resolve_to_loopback_addresses() {
        let at = |text: &str| text.parse::<SocketAddr>().expect(text);
        let (loopback, remote) = (at("127.0.0.1:80"), at("192.0.2.1:80"));
        assert_eq!(permitted(vec![remote, loopback], false), Ok(vec![loopback]));
        assert_eq!(permitted(vec![remote], false), Err(Some(remote)));
        let both = vec![remote, loopback];
        assert_eq!(permitted(both.clone(), true), Ok(both));
        assert_eq!(permitted(vec![], true), Err(None));
    }
}
