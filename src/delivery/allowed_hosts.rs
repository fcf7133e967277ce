//! Which hosts may be sent to: loopback as it is, any other only when it is named.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use url::Host;

/// The hosts beyond loopback that the user has named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(BTreeSet<String>);

/// An entry that is no host name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no host name: name the host alone, such as `staging.example.com`, without a scheme, \
     port or path"
)]
pub struct NotAHost(String);

impl AllowedHosts {
    /// Loopback alone.
    pub fn loopback_only() -> Self {
        Self::default()
    }

    /// Loopback and the named hosts: names or addresses, without a scheme, port or path.
    pub fn new<T: AsRef<str>>(hosts: impl IntoIterator<Item = T>) -> Result<Self, NotAHost> {
        let named = hosts.into_iter().map(|host| named_host(host.as_ref()));
        named.collect::<Result<_, _>>().map(Self)
    }

    /// Whether the user has named this host.
    pub(super) fn names(&self, host: &Host<String>) -> bool {
        self.0.contains(&canonical(host))
    }
}

/// One entry in canonical form.
fn named_host(text: &str) -> Result<String, NotAHost> {
    let refused = || NotAHost(text.to_owned());
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

/// The text by which a host is compared: lower case, and without the dot of a full domain name.
fn canonical(host: &Host<String>) -> String {
    match host {
        Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

/// Whether the host is loopback by its name or address: 127.0.0.0/8, `::1`, `localhost` and
/// `*.localhost`.
pub(super) fn is_loopback_host(host: &Host<String>) -> bool {
    match host {
        Host::Domain(_) => {
            let name = canonical(host);
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).to_canonical().is_loopback(),
    }
}

/// Of the addresses that a name stands for, those that may be connected to: all of a named host,
/// loopback addresses alone of any other. Otherwise an entry in the hosts file could turn
/// `localhost` into a live machine.
///
/// The error is an address that was refused, where not one is left.
pub(super) fn permitted(
    addresses: Vec<SocketAddr>,
    named: bool,
) -> Result<Vec<SocketAddr>, Option<SocketAddr>> {
    let refused = addresses.first().copied();
    let permitted: Vec<_> = addresses
        .into_iter()
        .filter(|address| named || address.ip().to_canonical().is_loopback())
        .collect();
    if permitted.is_empty() {
        return Err(refused);
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
    fn a_named_host_is_recognised_however_it_is_spelled() {
        let entries = ["Staging.Example.com", "10.0.0.7", "::2", "[2001:db8::1]"];
        let allowed = AllowedHosts::new(entries).expect("hosts");
        for text in [
            "staging.example.com",
            "staging.example.com.",
            "10.0.0.7",
            "[::2]",
            "[2001:db8:0::1]",
        ] {
            assert!(allowed.names(&host(text)), "{text}");
        }
        assert!(!allowed.names(&host("example.com")));
        assert!(!allowed.names(&host("eu.staging.example.com")));
    }

    #[test]
    fn an_entry_that_is_no_host_is_refused() {
        for text in ["https://a.example", "a.example:443", "a.example/x", "*", ""] {
            let error = AllowedHosts::new([text]).expect_err(text).to_string();
            assert!(error.contains("name the host alone"), "{error}");
        }
    }

    #[test]
    fn a_loopback_name_reaches_loopback_addresses_only() {
        let at = |text: &str| text.parse::<SocketAddr>().expect(text);
        let (near, far) = (at("127.0.0.1:80"), at("192.0.2.1:80"));
        assert_eq!(permitted(vec![far, near], false), Ok(vec![near]));
        assert_eq!(permitted(vec![far], false), Err(Some(far)));
        assert_eq!(permitted(vec![far, near], true), Ok(vec![far, near]));
        assert_eq!(permitted(vec![], true), Err(None));
    }
}
