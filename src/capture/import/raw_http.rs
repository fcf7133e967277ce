//! Requests as text: the request line, headers and the body, one after the other.

use super::ImportError;
use crate::capture::exchange::{Exchange, RawRequest};
use crate::capture::message_reader::{Message as _, MessageReader};

pub(super) fn read(text: &str) -> Result<Vec<Exchange>, ImportError> {
    let mut exchanges = Vec::new();
    let mut rest = text.as_bytes();
    while !rest.trim_ascii().is_empty() {
        rest = rest.trim_ascii_start();
        let (taken, request) = next(rest).ok_or(ImportError::RawHttp)?;
        exchanges.push(Exchange::of_log(request));
        rest = &rest[taken..];
    }
    if exchanges.is_empty() {
        return Err(ImportError::RawHttp);
    }
    Ok(exchanges)
}

fn next(bytes: &[u8]) -> Option<(usize, RawRequest)> {
    let (head, request) = RawRequest::parse(bytes).ok()??;
    let has_length = ["content-length", "transfer-encoding"]
        .iter()
        .any(|name| request.header(name).is_some());
    if has_length && let Ok((taken, Some(request))) = MessageReader::default().read(bytes) {
        return Some((taken, request));
    }
    // Without a length, or if the text is shorter than it says: all that follows.
    let mut request = request;
    request.body.extend(bytes[head..].trim_ascii_end());
    Some((bytes.len(), request))
}
