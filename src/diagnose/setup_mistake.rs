//! What a response to a genuine delivery says about the set-up: a login page, a proxy, another port or
//! path, a rate limit, a player that the game does not know.
//!
//! A response that names none of these is the receiver's own, and may come from a bug.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

/// A mistake in the set-up of a test, as far as a response shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SetupMistake {
    /// Plain HTTP reached a port that expects TLS.
    HttpsPort,
    /// A redirect to a page where people log in.
    LoginRedirect(String),
    /// Any other redirect.
    Moved(String),
    /// A 3xx that is no redirect, such as 304, or that does not say where to.
    LeadsNowhere(u16),
    /// The challenge of a gateway that asks for credentials, such as `Basic`.
    AccessProtection(String),
    /// The same two although the delivery had headers of the profile: what is in front.
    RefusedHeaders(String),
    /// An HTML page in place of a handler's response. Its status, and its title if it has one.
    HtmlPage(u16, String),
    /// The server or the tunnel does not serve this host name.
    UnknownHost,
    /// A proxy that can't reach the receiver.
    ProxyError(u16),
    /// A limit of the request rate.
    RateLimit(u16),
    /// No handler for the path.
    UnknownPath(u16),
    /// A handler for the path, but not for POST.
    MethodNotAllowed(u16),
    /// The content type is not accepted.
    ContentType,
    /// A body is larger than the server or a proxy accepts.
    BodyLimit,
    /// The game does not know the player.
    UnknownPlayer,
    /// The game does not know the item.
    UnknownItem,
    /// The signature's timestamp is too far from the receiver's clock.
    Clock,
}

/// The parts of a response that tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResponseText<'a> {
    pub(crate) status: u16,
    pub(crate) headers: &'a [(String, String)],
    /// The beginning of the body, empty if it is binary.
    pub(crate) body: &'a str,
}

/// How much of a body is searched.
const SEARCHED: usize = 4096;

macro_rules! patterns {
    ($($name:ident: $pattern:literal;)*) => {
        $(static $name: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new($pattern).expect("a valid pattern")
        });)*
    };
}

patterns! {
    // nginx, Go, Apache and Tomcat.
    HTTPS_PORT: r"(?i)plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server|speaking plain HTTP to an SSL-enabled|requires TLS";
    LOGIN: r"(?i)log[-_]?in|sign[-_]?in|/sso\b|/auth\b|oauth|/authorize|saml|cloudflareaccess|accounts\.google";
    TITLE: r"(?is)<title[^>]*>\s*(.*?)\s*</title>";
    // Express writes the missing route into an HTML page.
    MISSING_ROUTE: r"Cannot POST /|(?i)no route|route [^.]* not found|no (static )?resource|404 page not found|page not found|No matching handler";
    UNKNOWN_HOST: r"(?i)invalid host header|disallowedhost|invalid hostname|host [^\n]{0,60}is not allowed|blocked host|ERR_NGROK|tunnel .*not found|no such app";
    PLAYER: r"(?i)(player|user|account|profile|character|customer|member)s?[^.\n]{0,60}?(not[ _-]?(be )?found|unknown|does(n't| not) exist|not registered)|(unknown|no such|unrecogni[sz]ed|nonexistent|invalid)[ _-](player|user|account|profile|character|customer|member)|foreign key[^\n]*(player|user|account|profile|character|customer|member)";
    ITEM: r"(?i)(item|sku|product|bundle|offer)s?[^.\n]{0,60}?(not[ _-]?(be )?found|unknown|does(n't| not) exist|not registered)|(unknown|no such|unrecogni[sz]ed|nonexistent)[ _-](item|sku|product|bundle|offer)\b|foreign key[^\n]*(item|sku|product|bundle|offer)";
    CLOCK: r"(?i)(timestamp|signature|request|webhook|event)\b[^.]{0,40}\b(too old|expired|stale|outside|out of range|in the future|too far|tolerance|too new|skew)|clock (skew|drift)|(stale|expired|old) (timestamp|signature|request)";
    RATE_LIMIT: r"(?i)rate.?limit|too many requests|throttl|slow down";
}

impl SetupMistake {
    /// What to do about listed items that are refused, unlike others.
    pub(crate) const REFUSED_ITEM_HELP: &str = "correct these SKUs under `items` in the profile, as they \
                                                are at Aghanim and in the game, or remove them";

    /// The mistake that a response to a genuine delivery shows, if it shows one.
    pub(crate) fn in_response(response: ResponseText<'_>) -> Option<Self> {
        let status = response.status;
        let body = beginning(response.body);
        if HTTPS_PORT.is_match(body) {
            return Some(Self::HttpsPort);
        }
        if UNKNOWN_HOST.is_match(body) && status >= 400 {
            return Some(Self::UnknownHost);
        }
        if (300..400).contains(&status) {
            let Some(location) = response.header("location").filter(|_| status != 304) else {
                return Some(Self::LeadsNowhere(status));
            };
            return Some(if LOGIN.is_match(location) {
                Self::LoginRedirect(location.to_owned())
            } else {
                Self::Moved(location.to_owned())
            });
        }
        if let Some(challenge) = response.challenge() {
            return Some(Self::AccessProtection(challenge.to_owned()));
        }
        match status {
            429 => return Some(Self::RateLimit(status)),
            502 | 504 => return Some(Self::ProxyError(status)),
            503 if html_title(body).is_some() || RATE_LIMIT.is_match(body) => {
                return Some(Self::RateLimit(status));
            }
            413 => return Some(Self::BodyLimit),
            415 => return Some(Self::ContentType),
            405 | 501 => return Some(Self::MethodNotAllowed(status)),
            404 if MISSING_ROUTE.is_match(body) => return Some(Self::UnknownPath(status)),
            _ => {}
        }
        if let Some(title) = html_title(body)
            && !matches!(status, 404 | 500..)
        {
            return Some(Self::HtmlPage(status, title.to_owned()));
        }
        if (400..500).contains(&status) && CLOCK.is_match(body) {
            return Some(Self::Clock);
        }
        if status >= 400 && PLAYER.is_match(body) {
            return Some(Self::UnknownPlayer);
        }
        if status >= 400 && ITEM.is_match(body) {
            return Some(Self::UnknownItem);
        }
        (status == 404).then_some(Self::UnknownPath(status))
    }

    /// The mistake if the delivery had headers that the user added: credentials that are refused are
    /// not missing.
    pub(crate) fn despite_headers(self) -> Self {
        match self {
            Self::LoginRedirect(_) | Self::AccessProtection(_) => {
                Self::RefusedHeaders(self.to_string())
            }
            other => other,
        }
    }

    /// What to change.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::HttpsPort => "write `https://` in the profile's `target`",
            Self::LoginRedirect(_) | Self::AccessProtection(_) => {
                "add what lets a request through to the profile, such as `headers: { Authorization: \
                 \"Bearer $TOKEN\" }`; in production, exempt the webhook's path, because Aghanim can't \
                 log in"
            }
            Self::RefusedHeaders(_) => {
                "check the names and values under `headers` in the profile: a token may have expired, \
                 belong to another environment, or lack a word such as `Bearer` before it"
            }
            Self::Moved(_) => {
                "write that URL in the profile's `target`, and register it at Aghanim: redirects are \
                 never followed"
            }
            Self::LeadsNowhere(_) => {
                "let the handler answer with 2xx, and check whether a cache or a middleware answers in \
                 its place"
            }
            Self::HtmlPage(..) => {
                "check the host, the port and the path in the profile's `target`; if a login or an \
                 access page is in front, add what lets requests through to `headers`"
            }
            Self::UnknownHost => {
                "check the host in the profile's `target`, and that the server or the tunnel accepts \
                 this name"
            }
            Self::ProxyError(_) => {
                "start the receiver behind the proxy, and check the address to which the proxy \
                 forwards"
            }
            Self::RateLimit(_) => {
                "set `max_rate` in the profile, such as `max_rate: 8/s`; if it is set, the limit may also \
                 count the requests of probes and hooks: let it not count them, or lower `max_rate`"
            }
            Self::UnknownPath(_) => "check the path in the profile's `target`",
            Self::MethodNotAllowed(_) => {
                "check the path in the profile's `target`: it does not accept POST"
            }
            Self::ContentType => "let the handler accept `application/json`, as Aghanim sends",
            Self::BodyLimit => "raise the limit of the body in the proxy or in the framework",
            Self::UnknownPlayer => {
                "list players that the game knows under `players` in the profile"
            }
            Self::UnknownItem => {
                "list the game's items under `items` in the profile, as their SKUs are at Aghanim"
            }
            Self::Clock => {
                "compare the clocks of this machine and of the receiver (`date -u`), and correct the \
                 one that is wrong"
            }
        }
    }
}

impl fmt::Display for SetupMistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HttpsPort => formatter.write_str("this port speaks HTTPS, not plain HTTP"),
            Self::LoginRedirect(location) => {
                write!(formatter, "a login is in front: redirect to {location}")
            }
            Self::Moved(location) => write!(formatter, "redirect to {location}"),
            Self::LeadsNowhere(304) => formatter.write_str(
                "304 (not modified), as a cache responds, which says nothing about the delivery",
            ),
            Self::LeadsNowhere(status) => {
                write!(formatter, "status {status} without a `Location`")
            }
            Self::AccessProtection(challenge) => {
                write!(
                    formatter,
                    "access is protected: {challenge} credentials are required"
                )
            }
            Self::RefusedHeaders(front) => write!(
                formatter,
                "{front}, although the delivery had the profile's `headers`"
            ),
            Self::HtmlPage(status, title) if title.is_empty() => {
                write!(
                    formatter,
                    "an HTML page answered {status}, not the webhook handler"
                )
            }
            Self::HtmlPage(status, title) => write!(
                formatter,
                "the HTML page “{title}” answered {status}, not the webhook handler"
            ),
            Self::UnknownHost => formatter.write_str("the server does not serve this host name"),
            Self::ProxyError(status) => {
                write!(
                    formatter,
                    "a proxy answered {status}: it can't reach the receiver"
                )
            }
            Self::RateLimit(status) => {
                write!(formatter, "the request rate seems to be limited ({status})")
            }
            Self::UnknownPath(status) => {
                write!(formatter, "no handler at this path ({status})")
            }
            Self::MethodNotAllowed(status) => {
                write!(formatter, "the path does not accept POST ({status})")
            }
            Self::ContentType => {
                formatter.write_str("the content type `application/json` is not accepted (415)")
            }
            Self::BodyLimit => formatter.write_str("the body is larger than accepted (413)"),
            Self::UnknownPlayer => formatter.write_str("the game does not know the player"),
            Self::UnknownItem => formatter.write_str("the game does not know the item"),
            Self::Clock => formatter.write_str("the clocks differ: the timestamp is refused"),
        }
    }
}

impl<'a> ResponseText<'a> {
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        let mut headers = self.headers.iter();
        let header = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    /// The scheme that a gateway asks for. A webhook handler may name a scheme of its own.
    fn challenge(&self) -> Option<&'a str> {
        const SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "negotiate", "ntlm"];
        let header = match self.status {
            401 => "www-authenticate",
            407 => "proxy-authenticate",
            _ => return None,
        };
        let scheme = self.header(header)?.split([' ', ',']).next()?;
        let is_known = SCHEMES.contains(&scheme.to_ascii_lowercase().as_str());
        is_known.then_some(scheme)
    }
}

fn beginning(body: &str) -> &str {
    let body = body.trim_start();
    &body[..body.floor_char_boundary(SEARCHED)]
}

/// The title of an HTML document, which may be empty; `None` for anything else. Many frameworks name
/// `text/html` as the type of a plain `OK`, so the body decides.
pub(crate) fn html_title(body: &str) -> Option<&str> {
    let body = beginning(body);
    let start = body
        .get(..body.floor_char_boundary(512))?
        .to_ascii_lowercase();
    let is_html = start.starts_with("<!doctype html")
        || start.starts_with("<html")
        || start.contains("<head>");
    let title = TITLE.captures(body).and_then(|found| found.get(1));
    is_html.then(|| title.map_or("", |title| title.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(status: u16, headers: &[(&str, &str)], body: &str) -> Option<SetupMistake> {
        let headers = headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        SetupMistake::in_response(ResponseText {
            status,
            headers: &headers,
            body,
        })
    }

    fn nginx(title: &str) -> String {
        format!("<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n</body>\r\n</html>")
    }

    #[test]
    fn a_response_of_another_server_is_recognised() {
        use SetupMistake::*;
        let express = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>Error</title>\n</head>\n\
                       <body>\n<pre>Cannot POST /hook</pre>\n</body>\n</html>\n";
        let page = "<!doctype html><html><head><title>My Game</title></head></html>";
        for (status, body, expected) in [
            (
                400,
                &*nginx("400 The plain HTTP request was sent to HTTPS port"),
                HttpsPort,
            ),
            (
                400,
                "Client sent an HTTP request to an HTTPS server.\n",
                HttpsPort,
            ),
            (200, page, HtmlPage(200, "My Game".to_owned())),
            (
                403,
                &nginx("403 Forbidden"),
                HtmlPage(403, "403 Forbidden".to_owned()),
            ),
            (404, express, UnknownPath(404)),
            (404, "{\"detail\":\"Not Found\"}", UnknownPath(404)),
            (
                405,
                "{\"detail\":\"Method Not Allowed\"}",
                MethodNotAllowed(405),
            ),
            (502, &nginx("502 Bad Gateway"), ProxyError(502)),
            (
                503,
                &nginx("503 Service Temporarily Unavailable"),
                RateLimit(503),
            ),
            (429, "", RateLimit(429)),
            (413, &nginx("413 Request Entity Too Large"), BodyLimit),
            (
                403,
                "Blocked request. This host is not allowed.",
                UnknownHost,
            ),
        ] {
            assert_eq!(
                mistake(status, &[], body),
                Some(expected),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_3xx_without_a_place_to_go_is_no_redirect() {
        let location = [("Location", "/hook/")];
        for (status, headers) in [(304, &[][..]), (304, &location), (302, &[]), (300, &[])] {
            let found = mistake(status, headers, "").expect("a mistake");
            assert_eq!(found, SetupMistake::LeadsNowhere(status));
            assert!(!found.to_string().contains("redirect"), "{found}");
        }
    }

    #[test]
    fn a_redirect_or_a_challenge_is_recognised() {
        use SetupMistake::*;
        let access = "https://team.cloudflareaccess.com/cdn-cgi/access/login";
        for (status, header, expected) in [
            (302, ("Location", access), LoginRedirect(access.to_owned())),
            (308, ("location", "/hook/"), Moved("/hook/".to_owned())),
            (
                401,
                ("WWW-Authenticate", "Basic realm=\"staging\""),
                AccessProtection("Basic".to_owned()),
            ),
        ] {
            let body = nginx("401 Authorization Required");
            let found = mistake(status, &[header], &body).expect("a mistake");
            assert_eq!(found, expected, "{status}");
            let refused = found.clone().despite_headers();
            let is_login = !matches!(expected, Moved(_));
            assert_eq!(refused != found, is_login, "{status}");
            assert_eq!(refused.help() != found.help(), is_login, "{status}");
        }
    }

    #[test]
    fn a_player_an_item_or_a_time_that_is_refused_is_recognised() {
        use SetupMistake::*;
        for (status, body, expected) in [
            (
                404,
                "{\"error\":\"player 2D2R-OP3C not found\"}",
                UnknownPlayer,
            ),
            (404, "{\"code\":\"user_not_found\"}", UnknownPlayer),
            (422, "{\"error\":\"unknown sku gold\"}", UnknownItem),
            (
                500,
                "insert violates foreign key constraint \"inventory_player_id_fkey\"",
                UnknownPlayer,
            ),
            (401, "{\"error\":\"timestamp too old\"}", Clock),
            (403, "signature timestamp outside tolerance", Clock),
        ] {
            assert_eq!(
                mistake(status, &[], body),
                Some(expected),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_handlers_own_response_says_nothing_about_the_set_up() {
        for (status, body) in [
            (200, "OK"),
            (200, "{\"status\":\"ok\"}"),
            (403, "{\"error\":\"invalid signature\"}"),
            (401, "signature does not match"),
            (400, "{\"error\":\"bad request\"}"),
            (409, "{\"error\":\"duplicate\"}"),
            (500, "{\"error\":\"internal\"}"),
            (503, "{\"error\":\"try again\"}"),
            (
                422,
                "unknown field `items`, expected one of `item`, `coupon`",
            ),
            (400, "{\"error\":\"invalid item quantity\"}"),
            (400, "{\"error\":\"player_id is required\"}"),
        ] {
            assert_eq!(mistake(status, &[], body), None, "{status} {body}");
        }
        let own = [("WWW-Authenticate", "HMAC-SHA256")];
        assert_eq!(mistake(401, &own, "no"), None);
    }
}
