//! Why nothing can be said about the receiver: what it is reached through or read with does not work.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnose::{ResponseText, SetupMistake};
use crate::transport::Failure;

/// A problem of the set-up, because of which nothing can be said about the receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetupProblem {
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub help: String,
}

/// The most bytes of a body that are shown.
const SHOWN: usize = 120;

/// A start time this many seconds from now was given, for example to repeat a run.
const A_RUN_AGO: u64 = 60;

const KEYS_USED: &str = "the events were accepted and changed nothing: their idempotency keys were \
                         probably used before, by an earlier run with this start time";
const NOTHING_CHANGED: &str = "the events were accepted, but no probe shows any change";

/// What to do if an accepted event changes nothing.
pub(super) const UNCHANGED: &str = "check what the probe reads; if the game grants later, raise \
                                    `settle`; if it holds the item under another SKU, say so under \
                                    `items`; if it credits coupons on `item.add`, set \
                                    `policy.credit_on`; otherwise the receiver does not grant";

/// What to do about a refusal that shows no mistake in the set-up.
const SIGNATURE_REFUSED: &str = "check that the receiver has the same secret; if it has, log the \
                                 signature that it computes, and `aghook verify` finds the mistake";
const EVENT_REFUSED: &str = "look for the reason in the receiver's log; if it does not know the \
                             player or the item, list some that it knows under `players` and `items`";

impl SetupProblem {
    pub(super) fn new(reason: String, help: &str) -> Self {
        let help = help.to_owned();
        Self { reason, help }
    }

    pub(crate) fn of_mistake(mistake: &SetupMistake) -> Self {
        Self::new(mistake.to_string(), mistake.help())
    }

    pub(crate) fn of_failure(failure: &Failure) -> Self {
        Self::new(failure.to_string(), failure.hint())
    }

    /// Every genuine delivery was refused, and this is what was answered to one of them.
    /// `own_headers` are the names of the headers that the profile adds.
    pub(crate) fn of_refusals(response: ResponseText<'_>, own_headers: &[String]) -> Self {
        let (refused, help) = refused(response, own_headers);
        Self::new(
            format!("every genuine delivery was {refused}"),
            &format!("{help}; `aghook doctor` tries what the receiver accepts"),
        )
    }

    /// Several events were accepted and no probe shows any change. Their keys follow from the start
    /// time, which was this many seconds before they were sent.
    pub(crate) fn nothing_changed(age: u64) -> Self {
        if age > A_RUN_AGO {
            let help = "leave out `--start-time`, or use a clean database";
            Self::new(KEYS_USED.to_owned(), help)
        } else {
            Self::new(NOTHING_CHANGED.to_owned(), UNCHANGED)
        }
    }
}

/// A refusal that shows no mistake in the set-up: what happened, and what to do about it.
pub(super) fn refused(response: ResponseText<'_>, own_headers: &[String]) -> (String, String) {
    let ResponseText { status, body, .. } = response;
    let reason = format!("refused ({})", status_and_body(status, body));
    let help = match status {
        401 | 403 => response.refusal_help(SIGNATURE_REFUSED, own_headers),
        _ => EVENT_REFUSED.to_owned(),
    };
    (reason, help)
}

/// A status, and the beginning of the body if there is one.
pub(super) fn status_and_body(status: u16, body: &str) -> String {
    let body = body.trim();
    let body = &body[..body.floor_char_boundary(SHOWN)];
    match body {
        "" => status.to_string(),
        body => format!("{status}: {body}"),
    }
}
