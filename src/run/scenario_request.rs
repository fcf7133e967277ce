//! Converts a scenario's request that is not a delivery for the client.

use super::plan::PlannedRequest;
use crate::transport::{HeaderError, OutgoingRequest, Target};

/// Converts the request for the client, or says why it can't be sent.
pub(crate) fn outgoing_request(
    request: &PlannedRequest,
    target: &Target,
) -> Result<OutgoingRequest, HeaderError> {
    let mut outgoing = OutgoingRequest::new(request.method.clone());
    let mut names = request.headers.keys();
    if !names.any(|name| name.eq_ignore_ascii_case("host")) {
        outgoing = outgoing.header("Host", target.authority())?;
    }
    for (name, value) in &request.headers {
        outgoing = outgoing.header(name, value)?;
    }
    Ok(match &request.body {
        Some(body) => outgoing.body(body.clone()),
        None => outgoing,
    })
}
