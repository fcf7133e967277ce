//! Compares a response with the recorded one. Pure functions.

use crate::run::run_event::{AttemptEnded, BodyRecord, ResponseRecord};
use crate::transport::SenderAbort;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum CompareBy {
    /// Only the status, or the failure if there was no response.
    Status,
    /// The status and the body. JSON bodies are compared by content, ignoring layout and key order.
    #[default]
    Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseComparison {
    Same,
    /// The statuses differ, or only one of them is a response.
    StatusDiffers,
    BodyDiffers,
    /// The response was not recorded because of the fault.
    NotRecorded,
}

/// The recorded response, even if a fault kept it from the sender. `None` if it was not recorded.
pub(crate) fn recorded_response(attempt: &AttemptEnded) -> Option<&ResponseRecord> {
    match &attempt.response {
        ResponseRecord::Failure { name, .. } if SenderAbort::is_name(name) => {
            attempt.discarded_response.as_deref()
        }
        response => Some(response),
    }
}

pub(super) fn compare(
    attempt: &AttemptEnded,
    now: &ResponseRecord,
    by: CompareBy,
) -> ResponseComparison {
    let Some(then) = recorded_response(attempt) else {
        return ResponseComparison::NotRecorded;
    };
    match (then, now) {
        (
            ResponseRecord::Response {
                status: then_status,
                body: then,
                ..
            },
            ResponseRecord::Response { status, body, .. },
        ) => {
            // The body of a response that a fault kept from the sender may not have been read.
            let unread = attempt.discarded_response.is_some() && then.truncated;
            if then_status != status {
                ResponseComparison::StatusDiffers
            } else if by == CompareBy::Status || unread || same_body(then, body) {
                ResponseComparison::Same
            } else {
                ResponseComparison::BodyDiffers
            }
        }
        (ResponseRecord::Failure { name: then, .. }, ResponseRecord::Failure { name, .. })
            if then == name =>
        {
            ResponseComparison::Same
        }
        _ => ResponseComparison::StatusDiffers,
    }
}

fn same_body(then: &BodyRecord, now: &BodyRecord) -> bool {
    if then == now {
        return true;
    }
    // Less is recorded of a response if there are many.
    if let (true, Some(start), Some(whole)) = (then.truncated, then.bytes(), now.bytes()) {
        return then.length == now.length && whole.starts_with(&start);
    }
    let json = |body: &BodyRecord| body.json().filter(|_| !body.truncated);
    matches!((json(then), json(now)), (Some(then), Some(now)) if then == now)
}

#[cfg(test)]
mod tests;
