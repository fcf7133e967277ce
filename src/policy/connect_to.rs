//! `HOST:PORT`: where to connect instead of the target's own host and port.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = ":[0-9]+$"))]
pub struct ConnectTo {
    pub host: Host<String>,
    pub port: u16,
}

impl FromStr for ConnectTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || {
            format!("`{text}` is not a host and a port\nexpected HOST:PORT, such as 127.0.0.1:8443")
        };
        let (_, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        let port = port.parse().map_err(|_| invalid())?;
        let url = Url::parse(&format!("http://{text}/")).map_err(|_| invalid())?;
        let is_plain = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        match url.host() {
            Some(host) if is_plain && url.query().is_none() && url.fragment().is_none() => {
                Ok(Self {
                    host: host.to_owned(),
                    port,
                })
            }
            _ => Err(invalid()),
        }
    }
}

impl TryFrom<String> for ConnectTo {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_required() {
        for (text, host, port) in [
            ("127.0.0.1:8443", "127.0.0.1", 8443),
            ("[::1]:80", "[::1]", 80),
            ("Game.Internal:443", "game.internal", 443),
        ] {
            let parsed: ConnectTo = text.parse().expect(text);
            assert_eq!(
                (parsed.host.to_string(), parsed.port),
                (host.to_owned(), port)
            );
        }
        for text in [
            "",
            "localhost",
            "localhost:",
            ":80",
            "a:b",
            "a:1/x",
            "u@a:1",
            "a:99999",
            "::1:80",
        ] {
            let problem = text.parse::<ConnectTo>().expect_err(text);
            assert!(problem.contains("expected HOST:PORT"), "{problem}");
        }
    }
}
