//! A request for a bulk connection. Its buffers are reused, so that no request allocates.

use http::header::CONTENT_LENGTH;
use http::{HeaderName, HeaderValue, Method, Request};

use crate::protocol::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::transport::extra_headers::ExtraHeaders;
use crate::transport::target::Target;

/// A POST request: headers in order and a body. The target is passed when it is sent, and
/// `Content-Length` is added.
#[derive(Debug, Default)]
pub(crate) struct BulkRequest {
    /// Each header's name, and where its value ends in `values`.
    names: Vec<(&'static str, usize)>,
    values: Vec<u8>,
    /// Headers that follow them in every request.
    pub extra: ExtraHeaders,
    pub body: Vec<u8>,
}

impl BulkRequest {
    /// Removes the headers, except the extra ones, and the body.
    pub(crate) fn clear(&mut self) {
        self.names.clear();
        self.values.clear();
        self.body.clear();
    }

    pub(crate) fn header(&mut self, name: &'static str, value: &[u8]) {
        self.values.extend_from_slice(value);
        self.names.push((name, self.values.len()));
    }

    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut start = 0;
        self.names.iter().map(move |(name, end)| {
            let value = &self.values[start..*end];
            start = *end;
            (*name, value)
        })
    }

    pub(crate) fn write_http1(&self, target: &Target, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.extend_from_slice(b"POST ");
        bytes.extend_from_slice(target.path_and_query().as_bytes());
        bytes.extend_from_slice(b" HTTP/1.1\r\n");
        let mut digits = itoa::Buffer::new();
        let length = digits.format(self.body.len()).as_bytes();
        let extra = self.extra.iter();
        let extra = extra.map(|header| (header.title.as_str(), header.value.as_bytes()));
        let headers = self.headers().chain(extra);
        for (name, value) in headers.chain([("Content-Length", length)]) {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
    }

    /// The head of the request for HTTP/2, without a URI.
    ///
    /// Values that differ in each request are marked as sensitive: HPACK then leaves them out of its
    /// table, from which they would push the others, and which it searches for each of them.
    pub(crate) fn to_http2(&self) -> Result<Request<()>, http::Error> {
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        let headers = request.headers_mut();
        headers.reserve(self.names.len() + self.extra.iter().len() + 1);
        for (name, value) in self.headers() {
            let mut value = HeaderValue::from_bytes(value)?;
            value.set_sensitive([SIGNATURE_HEADER, TIMESTAMP_HEADER].contains(&name));
            headers.append(HeaderName::from_bytes(name.as_bytes())?, value);
        }
        for header in self.extra.iter() {
            headers.append(header.name.clone(), header.value.clone());
        }
        headers.append(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        Ok(request)
    }
}
