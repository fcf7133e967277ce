//! Whether an answer is the one that was recorded: pure, and without a word of how to show it.

use serde_json::Value;

use crate::delivery::SenderAbort;
use crate::harness::{AnswerRecord, AttemptEnded, BodyRecord};

/// How much of two answers is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CompareBy {
    /// The status alone, or why there was no answer.
    Status,
    /// The body as well. JSON is compared by what it says, not by how it is written.
    #[default]
    Body,
}

/// What comes of comparing two answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// They are the same.
    Same,
    /// One has another status, or only one of them is an answer.
    StatusDiffers,
    /// The statuses are the same and the bodies are not.
    BodyDiffers,
    /// Nobody heard the recorded answer, because of the fault.
    NotHeard,
}

/// What was answered then, also where a fault kept the sender from hearing it; nothing where nobody
/// knows.
pub fn recorded_answer(attempt: &AttemptEnded) -> Option<&AnswerRecord> {
    match &attempt.answer {
        AnswerRecord::Failure { name, .. } if SenderAbort::is_name(name) => {
            attempt.unheard_answer.as_deref()
        }
        answer => Some(answer),
    }
}

/// Compares the recorded answer of an attempt with what is answered now.
pub(super) fn compare(attempt: &AttemptEnded, now: &AnswerRecord, by: CompareBy) -> Comparison {
    let Some(then) = recorded_answer(attempt) else {
        return Comparison::NotHeard;
    };
    match (then, now) {
        (
            AnswerRecord::Response {
                status: then_status,
                body: then,
                ..
            },
            AnswerRecord::Response { status, body, .. },
        ) => {
            // Of an answer that was not heard, the body may not have been read.
            let unread = attempt.unheard_answer.is_some() && then.truncated;
            if then_status != status {
                Comparison::StatusDiffers
            } else if by == CompareBy::Status || unread || same_body(then, body) {
                Comparison::Same
            } else {
                Comparison::BodyDiffers
            }
        }
        (AnswerRecord::Failure { name: then, .. }, AnswerRecord::Failure { name, .. })
            if then == name =>
        {
            Comparison::Same
        }
        _ => Comparison::StatusDiffers,
    }
}

fn same_body(then: &BodyRecord, now: &BodyRecord) -> bool {
    if then == now {
        return true;
    }
    let json = |body: &BodyRecord| {
        let whole = body.bytes().filter(|_| !body.truncated)?;
        serde_json::from_slice::<Value>(&whole).ok()
    };
    matches!((json(then), json(now)), (Some(then), Some(now)) if then == now)
}

#[cfg(test)]
mod tests;
