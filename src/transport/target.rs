//! The target of a request: a checked URL.

use std::fmt;

use http::Uri;
use url::{Host, Url};

use super::allowed_hosts::{AllowedHosts, is_loopback_host};

/// A URL that requests may be sent to: http or https, an allowed host, no credentials, no fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    url: Url,
    /// The same URL as the HTTP library needs it.
    pub(crate) uri: Uri,
    pub(crate) host: Host<String>,
    /// Whether the user has explicitly allowed this host, so that it may resolve to any address.
    pub(crate) explicitly_allowed: bool,
}

/// Why a URL can't be a target. No message contains the URL's credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("invalid URL ({0}): give a full URL, such as `http://127.0.0.1:8080/webhooks`")]
    NotAUrl(url::ParseError),
    #[error("unsupported scheme `{0}:`: use `http://` or `https://`")]
    Scheme(String),
    #[error("the URL has no host: give a full URL, such as `http://127.0.0.1:8080/webhooks`")]
    NoHost,
    #[error(
        "the URL has a user name or a password, which would appear in reports: remove them, and \
         send a header if the target needs credentials"
    )]
    Credentials,
    #[error("the URL has a fragment (`#…`), which is never sent: remove it")]
    Fragment,
    #[error(
        "`{0}` is not this machine, and deliveries to it can grant real items: if you want that, \
         allow the host with `--allow-host {0}` or with `allow_hosts: [{0}]` in the profile"
    )]
    HostNotAllowed(String),
    #[error("the URL can't be sent in a request ({0}): percent-encode its path and query")]
    NotSendable(String),
}

impl Target {
    pub(crate) fn parse(text: &str, allowed: &AllowedHosts) -> Result<Self, TargetError> {
        let url = Url::parse(text).map_err(TargetError::NotAUrl)?;
        Self::checked(url, allowed)
    }

    /// Resolves another URL, absolute or relative to this one, with the same checks.
    pub(crate) fn join(&self, text: &str, allowed: &AllowedHosts) -> Result<Self, TargetError> {
        let url = self.url.join(text).map_err(TargetError::NotAUrl)?;
        Self::checked(url, allowed)
    }

    /// The same host with another path and query.
    ///
    /// A leading slash is added if it is missing, so that the host can't change.
    pub(crate) fn with_path(&self, path_and_query: &str) -> Result<Self, TargetError> {
        let mut url = self.url.clone();
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        url.set_path(path);
        url.set_query(query);
        Ok(Self {
            uri: to_uri(&url)?,
            url,
            ..self.clone()
        })
    }

    fn checked(url: Url, allowed: &AllowedHosts) -> Result<Self, TargetError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(TargetError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(TargetError::Fragment);
        }
        let host = url.host().ok_or(TargetError::NoHost)?.to_owned();
        let explicitly_allowed = allowed.contains(&host);
        if !explicitly_allowed && !is_loopback_host(&host) {
            let host = host.to_string();
            return Err(TargetError::HostNotAllowed(
                host.trim_matches(['[', ']']).to_owned(),
            ));
        }
        Ok(Self {
            uri: to_uri(&url)?,
            url,
            host,
            explicitly_allowed,
        })
    }

    /// The value of the `Host` header: the host, and the port unless it is the scheme's default.
    pub(crate) fn authority(&self) -> &str {
        &self.url[url::Position::BeforeHost..url::Position::AfterPort]
    }

    pub(crate) fn path_and_query(&self) -> &str {
        &self.url[url::Position::BeforePath..url::Position::AfterQuery]
    }

    pub(crate) fn as_str(&self) -> &str {
        self.url.as_str()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The scheme, the host and the port, which identify the connections that can be reused.
    pub(crate) fn origin(&self) -> &str {
        &self.url[..url::Position::BeforePath]
    }

    /// The port, or the scheme's default if the URL has none.
    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }
}

fn to_uri(url: &Url) -> Result<Uri, TargetError> {
    let uri = url.as_str().parse::<Uri>();
    uri.map_err(|error| TargetError::NotSendable(error.to_string()))
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Target, TargetError> {
        Target::parse(text, &AllowedHosts::loopback_only())
    }

    #[test]
    fn a_target_is_split_into_its_parts() {
        for (text, authority, path, port) in [
            (
                "http://127.0.0.1:8080/a/b?c=d",
                "127.0.0.1:8080",
                "/a/b?c=d",
                8080,
            ),
            ("https://localhost", "localhost", "/", 443),
            ("http://localhost:80/", "localhost", "/", 80),
            ("http://[::1]:9/x", "[::1]:9", "/x", 9),
            ("http://game.localhost/ü", "game.localhost", "/%C3%BC", 80),
        ] {
            let target = parse(text).expect(text);
            assert_eq!(target.authority(), authority);
            assert_eq!(target.path_and_query(), path);
            assert_eq!(target.port(), port);
        }
    }

    #[test]
    fn a_refused_url_says_what_to_do() {
        for (text, advice) in [
            ("127.0.0.1:8080/x", "give a full URL"),
            ("/webhooks", "give a full URL"),
            ("ftp://127.0.0.1/", "`http://` or `https://`"),
            ("http://127.0.0.1/#top", "remove it"),
            ("http://user@127.0.0.1/", "remove them"),
            (
                "https://staging.example.com/hook",
                "`--allow-host staging.example.com`",
            ),
            (
                "https://staging.example.com/hook",
                "`allow_hosts: [staging.example.com]`",
            ),
            ("http://[2001:db8::1]/", "`--allow-host 2001:db8::1`"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(advice), "{text}: {error}");
        }
        let error = parse("http://user:hunter2@127.0.0.1/").expect_err("credentials");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn a_host_is_allowed_after_following_the_advice() {
        for host in ["staging.example.com", "2001:db8::1", "10.1.2.3"] {
            let authority = if host.contains(':') {
                format!("[{host}]")
            } else {
                host.to_owned()
            };
            let url = format!("https://{authority}/hook");
            assert_eq!(
                parse(&url),
                Err(TargetError::HostNotAllowed(host.to_owned()))
            );
            let allowed = AllowedHosts::new([host]).expect("a host");
            let target = Target::parse(&url, &allowed).expect("allowed");
            assert!(target.explicitly_allowed);
        }
    }

    #[test]
    fn joined_urls_are_checked_too() {
        let none = AllowedHosts::loopback_only();
        let target = parse("http://127.0.0.1:8080/hook?x=1").expect("a target");
        let joined = |text| target.join(text, &none).map(|joined| joined.to_string());
        assert_eq!(
            joined("/debug?y"),
            Ok("http://127.0.0.1:8080/debug?y".into())
        );
        assert_eq!(
            joined("http://localhost:1/z"),
            Ok("http://localhost:1/z".into())
        );
        assert!(matches!(
            joined("//example.com/"),
            Err(TargetError::HostNotAllowed(_))
        ));
    }

    proptest! {
        #[test]
        fn no_path_changes_the_host(path: String) {
            let target = parse("http://127.0.0.1:8080/hook").expect("a target");
            if let Ok(other) = target.with_path(&path) {
                prop_assert_eq!(other.authority(), "127.0.0.1:8080");
                prop_assert!(other.path_and_query().starts_with('/'));
            }
        }

        #[test]
        fn only_loopback_is_allowed_by_default(host in "[a-z0-9.:@\\[\\]%]{1,20}") {
            if let Ok(target) = parse(&format!("http://{host}/")) {
                prop_assert!(is_loopback_host(&target.host));
            }
        }
    }
}
