//! What can go wrong with one request on purpose, and how the sender breaks off.

use std::time::Duration;

use crate::scenario::DurationText;

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WireFault {
    /// The connection is opened and closed, and nothing is sent.
    LoseRequest,
    /// The connection is closed once the head of the answer is there.
    LoseAnswer,
    /// The connection is reset once half of the body has left. Over HTTP/1.1 alone.
    CutBody,
    /// The connection is reset once the request has left. Over HTTP/1.1 alone.
    ResetAfterRequest,
    /// The body leaves a byte at a time, with a wait after each.
    DripBody {
        /// The wait.
        per_byte: Duration,
    },
}

impl WireFault {
    /// Whether the request needs a connection that speaks HTTP/1.1.
    pub(super) fn needs_http1(self) -> bool {
        matches!(self, Self::CutBody | Self::ResetAfterRequest)
    }

    /// Whether the connection is of no use to others, neither before nor after.
    pub(super) fn ends_connection(self) -> bool {
        !matches!(self, Self::DripBody { .. })
    }
}

/// How the sender broke an exchange off, because a fault asked for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BreakOff {
    /// Nothing was sent.
    #[error("the request was lost: the sender closed the connection before it sent anything")]
    RequestLost,
    /// The answer began, and was not read.
    #[error("the answer was lost: the sender closed the connection instead of reading it")]
    AnswerLost,
    /// Part of the body was sent.
    #[error("the sender reset the connection after {sent} of {length} bytes of the body")]
    BodyCut {
        /// How many bytes of the body had left.
        sent: usize,
        /// How many it has.
        length: usize,
    },
    /// The request was sent, and no answer was waited for.
    #[error("the sender reset the connection as soon as the request had left")]
    ResetAfterRequest,
    /// The sender took the answer for overdue, and left the connection as it was.
    #[error("the sender gave up waiting, as if {} had passed", DurationText(*after))]
    GaveUp {
        /// The time that the attempt had, on the virtual clock.
        after: Duration,
    },
}

impl BreakOff {
    /// The names of all ways in which the sender breaks off.
    const NAMES: [&str; 5] = [
        "request_lost",
        "answer_lost",
        "body_cut",
        "reset_by_sender",
        "gave_up",
    ];

    /// Whether a failure of this name is the sender's own doing.
    pub fn is_named(name: &str) -> bool {
        Self::NAMES.contains(&name)
    }

    /// Whether the receiver never had the whole request where the failure has this name.
    pub fn keeps_request_from_receiver(name: &str) -> bool {
        name == "request_lost" || name == "body_cut"
    }

    /// A short word for it, the same in every report.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::RequestLost => "request_lost",
            Self::AnswerLost => "answer_lost",
            Self::BodyCut { .. } => "body_cut",
            Self::ResetAfterRequest => "reset_by_sender",
            Self::GaveUp { .. } => "gave_up",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_break_off_is_known_by_its_name() {
        let after = Duration::ZERO;
        let all = [
            BreakOff::RequestLost,
            BreakOff::AnswerLost,
            BreakOff::BodyCut { sent: 1, length: 2 },
            BreakOff::ResetAfterRequest,
            BreakOff::GaveUp { after },
        ];
        assert_eq!(all.each_ref().map(BreakOff::name), BreakOff::NAMES);
        assert!(!BreakOff::is_named("reset"));
        let cut = all.iter().map(BreakOff::name);
        let cut: Vec<_> = cut
            .filter(|name| BreakOff::keeps_request_from_receiver(name))
            .collect();
        assert_eq!(cut, ["request_lost", "body_cut"]);
    }
}
