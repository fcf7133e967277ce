//! Variants of how a response is sent. Its status and body are final by then.

use std::convert::Infallible;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use futures_util::stream;
use http::header::{CONNECTION, CONTENT_ENCODING, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, Version};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::receiver::response::{Body, ReceiverResponse};

use super::{Variant, Variants};

/// How many headers [`Variant::ManyHeaders`] adds: few enough for common client limits.
const MORE_HEADERS: usize = 60;

impl Variants {
    pub(crate) fn http_response(
        &self,
        mut response: ReceiverResponse,
        to: Version,
    ) -> Response<Body> {
        let compressed = self
            .has(Variant::GzipAnswers)
            .then(|| compressed(&response.body));
        let compressed = compressed.flatten();
        let is_compressed = compressed.is_some();
        response.body = compressed.unwrap_or(response.body);
        let body = response.body.clone();
        let mut response = response.into_response();
        let headers = response.headers_mut();
        if is_compressed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if self.has(Variant::ManyHeaders) {
            add_headers(headers);
        }
        if to == Version::HTTP_11 {
            if self.has(Variant::ConnectionClosed) {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            if self.has(Variant::Http10Answers) {
                *response.version_mut() = Version::HTTP_10;
            }
        }
        if self.has(Variant::ChunkedAnswers) && !body.is_empty() {
            response.map(|_| chunked(&body).boxed())
        } else {
            response.map(BodyExt::boxed)
        }
    }
}

/// The compressed body, or `None` if it is empty. Contains the current time, as with some
/// libraries, so the same body has different bytes a second later.
fn compressed(body: &Bytes) -> Option<Bytes> {
    if body.is_empty() {
        return None;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.map_or(0, |since| u32::try_from(since.as_secs()).unwrap_or(0));
    let mut encoder = GzBuilder::new()
        .mtime(seconds)
        .write(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// The same bytes as a body of unknown length.
fn chunked(
    body: &Bytes,
) -> impl hyper::body::Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static {
    let half = body.len() / 2;
    let parts = [body.slice(..half), body.slice(half..)];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let frames: Vec<_> = parts.map(|part| Ok(Frame::data(part))).collect();
    StreamBody::new(stream::iter(frames))
}

fn add_headers(headers: &mut HeaderMap) {
    for number in 0..MORE_HEADERS {
        let value = HeaderValue::from_str(&format!("value{number}=1; Path=/"));
        let name = if number % 2 == 0 {
            Ok(SET_COOKIE)
        } else {
            HeaderName::try_from(format!("x-more-{number}"))
        };
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
}
