//! A request for a bulk connection. Its buffers are reused, so that no request allocates.

use bytes::Bytes;
use http::{Method, Request};

use crate::transport::outgoing_body::{OutgoingBody, SendMode};
use crate::transport::request::{HeaderError, OutgoingRequest};
use crate::transport::target::Target;

/// A POST request: headers in order and a body. The target is passed when it is sent, and
/// `Content-Length` is added.
#[derive(Debug, Default)]
pub struct BulkRequest {
    /// Each header's name, and where its value ends in `values`.
    names: Vec<(&'static str, usize)>,
    values: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

impl BulkRequest {
    /// Removes the headers and the body.
    pub fn clear(&mut self) {
        self.names.clear();
        self.values.clear();
        self.body.clear();
    }

    /// Adds a header.
    pub fn header(&mut self, name: &'static str, value: &[u8]) {
        self.values.extend_from_slice(value);
        self.names.push((name, self.values.len()));
    }

    fn headers(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let mut start = 0;
        self.names.iter().map(move |(name, end)| {
            let value = &self.values[start..*end];
            start = *end;
            (*name, value)
        })
    }

    /// Replaces `bytes` with the whole request for HTTP/1.1.
    pub fn write_http1(&self, target: &Target, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.extend_from_slice(b"POST ");
        bytes.extend_from_slice(target.path_and_query().as_bytes());
        bytes.extend_from_slice(b" HTTP/1.1\r\n");
        let mut digits = itoa::Buffer::new();
        let length = digits.format(self.body.len()).as_bytes();
        for (name, value) in self.headers().chain([("Content-Length", length)]) {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
    }

    /// The request for HTTP/2.
    pub(super) fn to_http2(
        &self,
        target: &Target,
        mode: SendMode,
    ) -> Result<Request<OutgoingBody>, HeaderError> {
        let body = Bytes::copy_from_slice(&self.body);
        let request = OutgoingRequest::new(Method::POST).body(body.clone());
        let request = self.headers().try_fold(request, |request, (name, value)| {
            request.header(name, value)
        })?;
        Ok(request.to_http(target, true, OutgoingBody::new(body, mode)))
    }
}
