//! The faults that the sender can inject into one request, by name; the client implements them.

use std::time::Duration;

use crate::policy::DurationText;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum WireFault {
    /// Open and close the connection without sending anything.
    LoseRequest,
    /// Close the connection once the head of the response arrives.
    LoseResponse,
    /// Reset the connection once half of the body has been sent. HTTP/1.1 only.
    CutBody,
    /// Reset the connection once the request has been sent. HTTP/1.1 only.
    ResetAfterRequest,
    /// Send the body one byte at a time, with a delay after each.
    DripBody { per_byte: Duration },
}

impl WireFault {
    pub(crate) fn needs_http1(self) -> bool {
        matches!(self, Self::CutBody | Self::ResetAfterRequest)
    }

    /// Whether the fault ends the connection, so that no other exchange can share it.
    pub(crate) fn ends_connection(self) -> bool {
        !matches!(self, Self::DripBody { .. })
    }
}

/// How the sender aborted an exchange to inject a fault, or why it ignores the response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SenderAbort {
    #[error("the request was lost: the sender closed the connection without sending anything")]
    RequestLost,
    #[error("the response was lost: the sender closed the connection instead of reading it")]
    ResponseLost,
    #[error("the sender reset the connection after {sent} of {length} bytes of the body")]
    BodyCut { sent: usize, length: usize },
    #[error("the sender reset the connection right after sending the request")]
    ResetAfterRequest,
    /// The sender abandoned the attempt as timed out, but left the connection open.
    #[error("the sender stopped waiting, as if {} had passed", DurationText(*after))]
    Abandoned { after: Duration },
    #[error("the receiver was restarted before the sender read a response")]
    ReceiverRestarted,
}

impl SenderAbort {
    const NAMES: [&str; 6] = [
        "request_lost",
        "answer_lost",
        "body_cut",
        "reset_by_sender",
        "gave_up",
        "receiver_restarted",
    ];

    /// Whether a failure with this name was caused by the sender itself.
    pub(crate) fn is_name(name: &str) -> bool {
        Self::NAMES.contains(&name)
    }

    /// Whether a failure with this name means that the receiver never got the whole request.
    pub(crate) fn leaves_request_incomplete(name: &str) -> bool {
        name == "request_lost" || name == "body_cut"
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::RequestLost => "request_lost",
            Self::ResponseLost => "answer_lost",
            Self::BodyCut { .. } => "body_cut",
            Self::ResetAfterRequest => "reset_by_sender",
            Self::Abandoned { .. } => "gave_up",
            Self::ReceiverRestarted => "receiver_restarted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_abort_has_its_own_name() {
        let after = Duration::ZERO;
        let all = [
            SenderAbort::RequestLost,
            SenderAbort::ResponseLost,
            SenderAbort::BodyCut { sent: 1, length: 2 },
            SenderAbort::ResetAfterRequest,
            SenderAbort::Abandoned { after },
            SenderAbort::ReceiverRestarted,
        ];
        assert_eq!(all.each_ref().map(SenderAbort::name), SenderAbort::NAMES);
        assert!(!SenderAbort::is_name("reset"));
        let incomplete = all.iter().map(SenderAbort::name);
        let incomplete: Vec<_> = incomplete
            .filter(|name| SenderAbort::leaves_request_incomplete(name))
            .collect();
        assert_eq!(incomplete, ["request_lost", "body_cut"]);
    }
}
