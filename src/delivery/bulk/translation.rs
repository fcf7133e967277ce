//! A request's HTTP/1.1 bytes in the form that HTTP/2 takes.

use http::Method;

use crate::delivery::failure::Failure;
use crate::delivery::request::OutgoingRequest;
use crate::delivery::target::Target;

/// More headers than any delivery has.
const MOST_HEADERS: usize = 32;

/// The two parts of a request.
pub(super) struct BodyPlace<'a> {
    pub(super) head: &'a [u8],
    pub(super) body: &'a [u8],
}

/// Splits a request behind the empty line.
pub(super) fn body_place(request: &[u8]) -> BodyPlace<'_> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = request.split_at(end.map_or(request.len(), |end| end + 4));
    BodyPlace { head, body }
}

/// The head as HTTP/2 takes it; the length follows from the body that is given to it.
pub(super) fn to_http2(head: &[u8], target: &Target) -> Result<OutgoingRequest, Failure> {
    let unusable = |reason: String| Failure::InvalidResponse {
        reason: format!("the request for {target} can't be sent over HTTP/2: {reason}"),
    };
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
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
