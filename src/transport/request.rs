//! An outgoing request, and the same request as it was sent.

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT, HOST,
    PROXY_AUTHORIZATION, TRANSFER_ENCODING, UPGRADE,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use hyper::ext::on_informational;

use super::extra_headers::ExtraHeaders;
use super::header_line::{HeaderError, MAX_HEADERS, title_case};
use super::outgoing_body::{OutgoingBody, SendMode};
use super::target::Target;
use crate::policy::{Transfer, WireForm};

/// A request: method, ordered headers and body. The target is passed when it is sent.
///
/// The only header that is added is `Content-Length`, or what the form on the wire needs, at the end.
/// `Authorization`, `Cookie` and
/// `Proxy-Authorization` are marked as sensitive, so that `Debug` does not show them.
#[derive(Debug, Clone)]
pub(crate) struct OutgoingRequest {
    method: Method,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    pub(super) wire: WireForm,
}

impl OutgoingRequest {
    pub(crate) fn new(method: Method) -> Self {
        Self {
            method,
            headers: Vec::new(),
            body: Bytes::new(),
            wire: WireForm::default(),
        }
    }

    /// Sets how the request is written on the wire. Over HTTP/2, what needs HTTP/1.1 is left out.
    #[must_use]
    pub(crate) fn with_wire(self, wire: WireForm) -> Self {
        Self { wire, ..self }
    }

    /// Adds a header. The same name can be added more than once.
    ///
    /// HTTP/1.1 writes names in title case (`X-Aghanim-Signature`), HTTP/2 in lower case. Headers of
    /// the same name are sent together, at the position of the first.
    pub(crate) fn header(
        mut self,
        name: &str,
        value: impl AsRef<[u8]>,
    ) -> Result<Self, HeaderError> {
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| HeaderError::Name(name.to_owned()))?;
        if [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, UPGRADE].contains(&parsed) {
            return Err(HeaderError::Framing(name.to_owned()));
        }
        let mut value = HeaderValue::from_bytes(value.as_ref())
            .map_err(|_| HeaderError::Value(name.to_owned()))?;
        if self.headers.len() >= MAX_HEADERS {
            return Err(HeaderError::TooMany);
        }
        value.set_sensitive([AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(&parsed));
        self.headers.push((parsed, value));
        Ok(self)
    }

    /// Adds headers, except those that the request has already.
    #[must_use]
    pub(crate) fn with_extra(mut self, extra: &ExtraHeaders) -> Self {
        let own = self.headers.len();
        for header in extra.iter() {
            if !self.headers[..own]
                .iter()
                .any(|(name, _)| *name == header.name)
            {
                self.headers
                    .push((header.name.clone(), header.value.clone()));
            }
        }
        self
    }

    #[must_use]
    pub(crate) fn body(self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { body, ..self }
    }

    /// The headers as they are sent: grouped by name, with those that announce the body last.
    fn header_map(&self, http2: bool) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(self.headers.len() + 2);
        for (name, value) in &self.headers {
            map.append(name, value.clone());
        }
        let content_type = self.wire.content_type.as_deref().map(HeaderValue::from_str);
        if let (Some(Ok(value)), Some(sent)) = (content_type, map.get_mut(CONTENT_TYPE)) {
            *sent = value;
        }
        if self.expects_continue(http2) {
            map.append(EXPECT, HeaderValue::from_static("100-continue"));
        }
        // Methods that usually have a body send the length of an empty one too (RFC 9110, 8.6).
        let expects_body = [Method::POST, Method::PUT, Method::PATCH].contains(&self.method);
        if self.wire.transfer == Transfer::Chunked && !http2 {
            map.append(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        } else if expects_body || !self.body.is_empty() {
            map.append(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        map
    }

    /// A request without a body must not expect anything (RFC 9110, 10.1.1).
    fn expects_continue(&self, http2: bool) -> bool {
        self.wire.expect.is_some() && !http2 && !self.body.is_empty()
    }

    pub(crate) fn to_http(
        &self,
        target: &Target,
        http2: bool,
        mode: SendMode,
    ) -> Request<OutgoingBody> {
        let body = OutgoingBody::new(self.body.clone(), mode);
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.header_map(http2);
        if self.expects_continue(http2) {
            let permission = request.body_mut().wait_for_permission();
            on_informational(&mut request, move |interim| {
                if interim.status() == StatusCode::CONTINUE {
                    permission.notify_one();
                }
            });
        }
        if http2 {
            let host = request.headers_mut().remove(HOST);
            *request.uri_mut() = with_authority(&target.uri, host.as_ref());
        } else {
            let path = target.uri.path_and_query();
            *request.uri_mut() = path.cloned().map(Uri::from).unwrap_or_default();
        }
        request
    }

    pub(crate) fn sent(&self, target: &Target, http2: bool) -> SentRequest {
        let mut map = self.header_map(http2);
        let authority = if http2 { map.remove(HOST) } else { None };
        let headers = map.iter().map(|(name, value)| {
            let name = name.as_str();
            let name = if http2 {
                name.to_owned()
            } else {
                self.wire.header_case.spell(&title_case(name))
            };
            (name, value.clone())
        });
        SentRequest {
            method: self.method.clone(),
            url: with_authority(&target.uri, authority.as_ref()).to_string(),
            headers: headers.collect(),
            body: self.body.clone(),
            wire: self.wire.clone(),
        }
    }
}

/// A request as it was sent, or would have been sent if no connection was opened.
#[derive(Debug, Clone)]
pub(crate) struct SentRequest {
    pub method: Method,
    pub url: String,
    /// The headers in the order and spelling in which they were sent. Sensitive values (see
    /// [`HeaderValue::is_sensitive`]) must not appear in reports.
    pub headers: Vec<(String, HeaderValue)>,
    pub body: Bytes,
    pub wire: WireForm,
}

impl SentRequest {
    /// The names of the headers that are credentials, such as the profile's `headers`.
    pub(crate) fn credential_names(&self) -> Vec<String> {
        let headers = self.headers.iter();
        let credentials = headers.filter(|(_, value)| value.is_sensitive());
        credentials.map(|(name, _)| name.clone()).collect()
    }
}

/// Replaces the authority with the value of `Host`, since HTTP/2 has no such header.
pub(super) fn with_authority(uri: &Uri, host: Option<&HeaderValue>) -> Uri {
    let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let Some(authority) = authority else {
        return uri.clone();
    };
    let mut parts = uri.clone().into_parts();
    parts.authority = Some(authority);
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::allowed_hosts::AllowedHosts;

    #[test]
    fn headers_that_cannot_be_sent_are_refused() {
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
        for _ in 0..MAX_HEADERS {
            request = request.header("a", "b").expect("a header");
        }
        assert_eq!(request.header("a", "b").err(), Some(HeaderError::TooMany));
    }

    #[test]
    fn debug_output_hides_credentials() {
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
