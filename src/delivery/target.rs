//! Where a request goes: a checked URL.

use std::fmt;

use http::Uri;
use url::{Host, Url};

use super::allowed_hosts::{AllowedHosts, is_loopback_host};

/// A URL that may be sent to: http or https, an allowed host, no credentials and no fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    /// The same URL as the HTTP library takes it.
    uri: Uri,
    host: Host<String>,
    /// The user has named this host, so every address of it may be connected to.
    named: bool,
}

/// Why a URL can't be a target, and what to do. No text of it shows credentials of the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not a URL.
    #[error("this is no URL ({0}): write it in full, such as `http://127.0.0.1:8080/webhooks`")]
    NotAUrl(url::ParseError),
    /// A scheme other than the two.
    #[error("`{0}:` can't be delivered to: a target starts with `http://` or `https://`")]
    Scheme(String),
    /// A URL without a host.
    #[error("the URL has no host: write it in full, such as `http://127.0.0.1:8080/webhooks`")]
    NoHost,
    /// A user name or a password.
    #[error(
        "the URL has a user name or a password, which would end up in reports: leave them out, and \
         send a header where the target needs one"
    )]
    Credentials,
    /// A fragment.
    #[error("the URL has a fragment (`#…`), which is never sent: leave it out")]
    Fragment,
    /// A host that is neither loopback nor named.
    #[error(
        "`{0}` is not this machine, and a delivery can grant real items there: if that is meant, \
         allow the host with `--allow-host {0}` or with `allow_hosts: [{0}]` in the profile"
    )]
    HostNotAllowed(String),
    /// A URL that HTTP can't carry.
    #[error("the URL can't be sent in a request ({0}): percent-encode its path and query")]
    NotSendable(String),
}

impl Target {
    /// Checks a URL.
    pub fn parse(text: &str, allowed: &AllowedHosts) -> Result<Self, TargetError> {
        let url = Url::parse(text).map_err(TargetError::NotAUrl)?;
        Self::checked(url, allowed)
    }

    /// Another URL, absolute or relative to this one, under the same rules.
    pub fn join(&self, text: &str, allowed: &AllowedHosts) -> Result<Self, TargetError> {
        let url = self.url.join(text).map_err(TargetError::NotAUrl)?;
        Self::checked(url, allowed)
    }

    /// The same host with another path and query.
    ///
    /// A text without a leading slash gets one, so that no text can lead to another host.
    pub fn with_path(&self, path_and_query: &str) -> Result<Self, TargetError> {
        let mut url = self.url.clone();
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        url.set_path(path);
        url.set_query(query);
        Ok(Self {
            uri: sendable(&url)?,
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
        let named = allowed.names(&host);
        if !named && !is_loopback_host(&host) {
            let shown = host.to_string();
            return Err(TargetError::HostNotAllowed(
                shown.trim_matches(['[', ']']).to_owned(),
            ));
        }
        Ok(Self {
            uri: sendable(&url)?,
            url,
            host,
            named,
        })
    }

    /// The host and, unless it is the scheme's own, the port: the text of the `Host` header.
    pub fn authority(&self) -> &str {
        &self.url[url::Position::BeforeHost..url::Position::AfterPort]
    }

    /// What stands in the request line: the path and, where there is one, the query.
    pub fn path_and_query(&self) -> &str {
        &self.url[url::Position::BeforePath..url::Position::AfterQuery]
    }

    /// The whole URL.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The whole URL as the HTTP library takes it.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The scheme, the host and the port: what a connection is for.
    pub(super) fn origin(&self) -> &str {
        &self.url[..url::Position::BeforePath]
    }

    /// The host, parsed.
    pub(super) fn host(&self) -> &Host<String> {
        &self.host
    }

    /// The port, the scheme's own where the URL has none.
    pub fn port(&self) -> u16 {
        let own = if self.is_https() { 443 } else { 80 };
        self.url.port().unwrap_or(own)
    }

    /// Whether addresses other than loopback may be connected to.
    pub(super) fn is_named(&self) -> bool {
        self.named
    }
}

/// The URL as the target of a request.
fn sendable(url: &Url) -> Result<Uri, TargetError> {
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
    fn a_target_knows_its_parts() {
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
    fn what_is_refused_says_what_to_do() {
        for (text, advice) in [
            ("127.0.0.1:8080/x", "write it in full"),
            ("/webhooks", "write it in full"),
            ("ftp://127.0.0.1/", "`http://` or `https://`"),
            ("http://127.0.0.1/#top", "leave it out"),
            ("http://user@127.0.0.1/", "leave them out"),
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
    fn a_host_that_the_advice_names_is_then_allowed() {
        for host in ["staging.example.com", "2001:db8::1", "10.1.2.3"] {
            let shown = if host.contains(':') {
                format!("[{host}]")
            } else {
                host.to_owned()
            };
            let url = format!("https://{shown}/hook");
            assert_eq!(
                parse(&url),
                Err(TargetError::HostNotAllowed(host.to_owned()))
            );
            let allowed = AllowedHosts::new([host]).expect("a host");
            assert!(Target::parse(&url, &allowed).expect("allowed").is_named());
        }
    }

    #[test]
    fn other_requests_follow_the_same_rules() {
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
        fn no_path_leads_to_another_host(path: String) {
            let target = parse("http://127.0.0.1:8080/hook").expect("a target");
            if let Ok(other) = target.with_path(&path) {
                prop_assert_eq!(other.authority(), "127.0.0.1:8080");
                prop_assert!(other.path_and_query().starts_with('/'));
            }
        }

        #[test]
        fn only_loopback_passes_unnamed(host in "[a-z0-9.:@\\[\\]%]{1,20}") {
            if let Ok(target) = parse(&format!("http://{host}/")) {
                prop_assert!(is_loopback_host(target.host()));
            }
        }
    }
}
