//! Protects the local Aghanim from web pages that a developer visits: no other site may send it requests
//! (CSRF), nor reach it under another name (DNS rebinding).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::refusal::Detail;

/// The names that clients may reach the server by.
#[derive(Debug, Clone, Default)]
pub(in crate::serve) struct Guard {
    /// Whether the server is reachable for other machines, under any IP address.
    pub(in crate::serve) is_remote: bool,
    /// More names, such as that of a container.
    pub(in crate::serve) names: Vec<String>,
}

impl Guard {
    /// Whether a `Host` header names this server. The port does not matter: it may be forwarded.
    fn knows(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        let name = authority.host().trim_matches(['[', ']']);
        if let Ok(address) = name.parse::<IpAddr>() {
            // A page can't make a browser send an address that it does not connect to.
            return self.is_remote || address.to_canonical().is_loopback();
        }
        name.eq_ignore_ascii_case("localhost")
            || self
                .names
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
    }

    fn refusal(&self, headers: &HeaderMap) -> Option<&'static str> {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let Some(host) = host.filter(|host| self.knows(host)) else {
            return Some(
                "this `Host` is not the local Aghanim: use `localhost` or 127.0.0.1, or start it with \
                 `--server-name NAME`",
            );
        };
        let is_same_origin = headers.get_all(header::ORIGIN).iter().all(|origin| {
            let origin = origin.to_str().unwrap_or_default();
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
        });
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let is_same_site = matches!(site, None | Some(b"same-origin" | b"none"));
        // A link from elsewhere may open a page, but nothing else.
        let is_navigation = headers.get("sec-fetch-mode").map(HeaderValue::as_bytes)
            == Some(b"navigate")
            && !headers.contains_key(header::ORIGIN);
        let is_own = is_same_origin && (is_same_site || is_navigation);
        (!is_own).then_some("requests from other sites are refused")
    }
}

pub(super) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    match guard.refusal(request.headers()) {
        Some(message) => Detail::new(StatusCode::FORBIDDEN, message).into_response(),
        None => next.run(request).await,
    }
}

/// Headers of every response: no page may embed another site's content, run scripts that it contains
/// itself, or be embedded.
pub(super) async fn add_headers(mut response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                          connect-src 'self'; form-action 'self'; base-uri 'none'; \
                          frame-ancestors 'none'";
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With `no-referrer`, browsers send the forms of the dashboard with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(guard: &Guard, headers: &[(&'static str, &str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                HeaderValue::from_str(value).expect("a value"),
            )
        });
        guard.refusal(&headers.collect()).is_some()
    }

    #[test]
    fn only_its_own_names_are_known() {
        let local = Guard::default();
        for host in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1:4600",
            "127.9.9.9",
            "[::1]:4600",
        ] {
            assert!(!refuses(&local, &[("host", host)]), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "aghook:4600",
        ] {
            assert!(refuses(&local, &[("host", host)]), "{host}");
        }
        assert!(refuses(&local, &[]));
        let remote = Guard {
            is_remote: true,
            names: vec!["aghook".to_owned()],
        };
        assert!(!refuses(&remote, &[("host", "aghook:4600")]));
        assert!(!refuses(&remote, &[("host", "10.0.0.1:80")]));
        assert!(refuses(&remote, &[("host", "evil.example")]));
    }

    #[test]
    fn other_sites_are_refused() {
        let guard = Guard::default();
        let host = ("host", "localhost:4600");
        for own in [
            vec![host],
            vec![host, ("origin", "http://localhost:4600")],
            vec![host, ("sec-fetch-site", "same-origin")],
            vec![
                host,
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
            ],
        ] {
            assert!(!refuses(&guard, &own), "{own:?}");
        }
        for other in [
            vec![host, ("origin", "http://evil.example")],
            vec![host, ("origin", "http://127.0.0.1:4600")],
            vec![host, ("origin", "http://localhost:9999")],
            vec![host, ("origin", "null")],
            vec![host, ("sec-fetch-site", "cross-site")],
            vec![
                host,
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-mode", "cors"),
            ],
        ] {
            assert!(refuses(&guard, &other), "{other:?}");
        }
    }
}
