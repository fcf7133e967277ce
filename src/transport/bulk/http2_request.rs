//! Converts the bytes of an HTTP/1.1 request for HTTP/2.

use http::Method;

use crate::transport::failure::Failure;
use crate::transport::request::OutgoingRequest;
use crate::transport::target::Target;

/// More headers than any delivery has.
const MAX_HEADERS: usize = 32;

/// The two parts of a request.
pub(super) struct RequestParts<'a> {
    pub(super) head: &'a [u8],
    pub(super) body: &'a [u8],
}

/// Splits a request after the empty line.
pub(super) fn split_request(request: &[u8]) -> RequestParts<'_> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = request.split_at(end.map_or(request.len(), |end| end + 4));
    RequestParts { head, body }
}

/// Converts the head for HTTP/2. `Content-Length` is left out, since the body sets it.
pub(super) fn to_http2(head: &[u8], target: &Target) -> Result<OutgoingRequest, Failure> {
    let unusable = |reason: String| Failure::InvalidResponse {
        reason: format!("the request for {target} can't be sent over HTTP/2: {reason}"),
    };
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    parsed
        .parse(head)
        .map_err(|error| unusable(error.to_string()))?;
    let kept = parsed
        .headers
        .iter()
        .filter(|header| !header.name.eq_ignore_ascii_case("content-length"));
    let mut request = OutgoingRequest::new(Method::POST);
    for header in kept {
        request = request
            .header(header.name, header.value)
            .map_err(|error| unusable(error.to_string()))?;
    }
    Ok(request)
}
