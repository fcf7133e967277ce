//! A request on its way out, and the same request as it was sent.

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, PROXY_AUTHORIZATION,
    TRANSFER_ENCODING, UPGRADE,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::outgoing_body::OutgoingBody;
use super::target::Target;

/// More header lines than any receiver takes.
const MOST_HEADERS: usize = 1000;

/// A request: method, headers in their order, body. Where it goes is told when it is sent.
///
/// Nothing is added to it but `Content-Length`, as the last header. `Authorization`, `Cookie` and
/// `Proxy-Authorization` are marked as sensitive, so that no `Debug` text shows them.
#[derive(Debug, Clone)]
pub struct OutgoingRequest {
    method: Method,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

/// Why a header can't be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// No token of HTTP.
    #[error("`{0}` is no header name: letters, digits and `-` make one")]
    Name(String),
    /// A line break or another control character.
    #[error("the value of the header `{0}` has a control character, which can't be sent")]
    Value(String),
    /// A header that says where the body ends, or that belongs to the connection.
    #[error("the header `{0}` is written by the sender itself and can't be set")]
    Framing(String),
    /// Too many of them.
    #[error("a request can have {MOST_HEADERS} headers at most")]
    TooMany,
}

impl OutgoingRequest {
    /// A request without any header or body.
    pub fn new(method: Method) -> Self {
        Self {
            method,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// The same request with another header at the end. A name can be given more than once.
    ///
    /// HTTP/1.1 writes names in title case (`X-Aghanim-Signature`), HTTP/2 in lower case; lines
    /// of the same name stand together at the first one's place.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, HeaderError> {
        let shown = || name.to_owned();
        let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(HeaderError::Name(shown()));
        };
        if [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, UPGRADE].contains(&parsed) {
            return Err(HeaderError::Framing(shown()));
        }
        let Ok(mut value) = HeaderValue::from_bytes(value.as_ref()) else {
            return Err(HeaderError::Value(shown()));
        };
        if self.headers.len() >= MOST_HEADERS {
            return Err(HeaderError::TooMany);
        }
        value.set_sensitive([AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(&parsed));
        self.headers.push((parsed, value));
        Ok(self)
    }

    /// The same request with this body.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { body, ..self }
    }

    /// The bytes of the body.
    pub(super) fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The headers as they are sent: those of the same name together, and the length last.
    fn header_map(&self) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(self.headers.len() + 1);
        for (name, value) in &self.headers {
            map.append(name, value.clone());
        }
        // A method that is meant to carry a body says so even of an empty one (RFC 9110, 8.6).
        let carries = [Method::POST, Method::PUT, Method::PATCH].contains(&self.method);
        if carries || !self.body.is_empty() {
            map.append(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        map
    }

    /// The request as the HTTP library takes it.
    pub(super) fn to_http(
        &self,
        target: &Target,
        http2: bool,
        body: OutgoingBody,
    ) -> Request<OutgoingBody> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.header_map();
        if http2 {
            let host = request.headers_mut().remove(HOST);
            *request.uri_mut() = with_authority(target.uri(), host.as_ref());
        } else {
            let path = target.uri().path_and_query();
            *request.uri_mut() = path.cloned().map(Uri::from).unwrap_or_default();
        }
        request
    }

    /// The request as it goes over the wire.
    pub(super) fn sent(&self, target: &Target, http2: bool) -> SentRequest {
        let mut map = self.header_map();
        let authority = if http2 { map.remove(HOST) } else { None };
        let headers = map.iter().map(|(name, value)| {
            let name = name.as_str();
            let name = if http2 {
                name.to_owned()
            } else {
                title_case(name)
            };
            (name, value.clone())
        });
        SentRequest {
            method: self.method.clone(),
            url: with_authority(target.uri(), authority.as_ref()).to_string(),
            headers: headers.collect(),
            body: self.body.clone(),
        }
    }
}

/// A request as it went over the wire, or would have gone where no connection was made.
#[derive(Debug, Clone)]
pub struct SentRequest {
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: String,
    /// The headers in the order and spelling of the wire. A sensitive value (see
    /// [`HeaderValue::is_sensitive`]) belongs in no report.
    pub headers: Vec<(String, HeaderValue)>,
    /// The exact bytes of the body.
    pub body: Bytes,
}

/// HTTP/2 has no `Host` header: its text becomes the authority of the request.
fn with_authority(uri: &Uri, host: Option<&HeaderValue>) -> Uri {
    let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let Some(authority) = authority else {
        return uri.clone();
    };
    let mut parts = uri.clone().into_parts();
    parts.authority = Some(authority);
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

/// The spelling of header names on HTTP/1.1: `x-aghanim-signature` as `X-Aghanim-Signature`.
fn title_case(name: &str) -> String {
    let mut after_hyphen = true;
    let spelled = name.chars().map(|letter| {
        let upper = std::mem::replace(&mut after_hyphen, letter == '-');
        if upper {
            letter.to_ascii_uppercase()
        } else {
            letter
        }
    });
    spelled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::AllowedHosts;

    #[test]
    fn what_can_not_be_sent_is_refused() {
        let refused = |name: &str, value: &str| {
            OutgoingRequest::new(Method::GET)
                .header(name, value)
                .expect_err("refused")
        };
        assert_eq!(refused("a b", ""), HeaderError::Name("a b".into()));
        assert_eq!(refused("X-A", "a\r\nb"), HeaderError::Value("X-A".into()));
        assert!(matches!(
            refused("Content-Length", "5"),
            HeaderError::Framing(_)
        ));
        let mut request = OutgoingRequest::new(Method::GET);
        for _ in 0..MOST_HEADERS {
            request = request.header("a", "b").expect("a header");
        }
        assert_eq!(request.header("a", "b").err(), Some(HeaderError::TooMany));
    }

    #[test]
    fn debug_text_hides_credentials() {
        let request = OutgoingRequest::new(Method::GET)
            .header("Authorization", "Bearer hunter2")
            .and_then(|request| request.header("cookie", "session=hunter2"))
            .expect("headers");
        let target =
            Target::parse("http://127.0.0.1/", &AllowedHosts::default()).expect("a target");
        let text = format!("{request:?} {:?}", request.sent(&target, false));
        assert!(!text.contains("hunter2"), "{text}");
    }
}
