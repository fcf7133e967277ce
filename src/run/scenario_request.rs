//! Converts a scenario's request that is not a delivery for the client.

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::scenario::RequestStep;
use crate::transport::{OutgoingRequest, Target};

/// Converts the request for the client, or says why it can't be sent.
pub(crate) fn outgoing_request(
    request: &RequestStep,
    target: &Target,
) -> Result<OutgoingRequest, String> {
    let body = match &request.body {
        None => None,
        Some(Value::String(text)) => Some(Bytes::copy_from_slice(text.as_bytes())),
        Some(json) => Some(Bytes::from(json.to_string())),
    };
    let method = match &request.method {
        Some(method) => Method::from_bytes(method.as_bytes())
            .map_err(|_| format!("`{}` is not an HTTP method", method.value))?,
        None if body.is_some() => Method::POST,
        None => Method::GET,
    };
    let mut outgoing = OutgoingRequest::new(method);
    if !request
        .headers
        .keys()
        .any(|name| name.eq_ignore_ascii_case("host"))
    {
        outgoing = outgoing
            .header("Host", target.authority())
            .map_err(|error| error.to_string())?;
    }
    for (name, value) in &request.headers {
        outgoing = outgoing
            .header(name, value)
            .map_err(|error| error.to_string())?;
    }
    Ok(match body {
        Some(body) => outgoing.body(body),
        None => outgoing,
    })
}
