//! Pairs the requests and responses of one connection, and times them.

use std::collections::VecDeque;
use std::time::Instant;

use jiff::Timestamp;

use super::exchange::{Exchange, ExchangeFailure, ExchangeTimings, RawRequest, RawResponse};
use super::message_reader::{MessageReader, NotHttp1};

/// A sender that pipelines more requests without waiting for responses is not observed.
const MOST_UNANSWERED: usize = 64;

/// Who ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClosedBy {
    Sender,
    Receiver,
    /// Nobody: there was never a connection to the receiver.
    Unreachable,
}

/// Sees the bytes of both directions in the order in which they were forwarded.
#[derive(Debug, Default)]
pub(super) struct ConnectionObserver {
    requests: MessageReader<RawRequest>,
    responses: MessageReader<RawResponse>,
    /// When the request that is being read began.
    begun: Option<Begun>,
    /// Requests without a complete response, the first of which is being answered.
    unanswered: VecDeque<Unanswered>,
    response_begun: Option<Instant>,
    /// A response that was complete before its request was.
    early: Option<RawResponse>,
    /// Whether the rest of the connection is another protocol.
    pub(super) is_blind: bool,
}

#[derive(Debug, Clone, Copy)]
struct Begun {
    at: Timestamp,
    instant: Instant,
}

#[derive(Debug)]
struct Unanswered {
    request: RawRequest,
    begun: Begun,
    ended: Instant,
}

impl ConnectionObserver {
    /// Returns the exchanges that these bytes of the sender complete.
    pub(super) fn sent(&mut self, bytes: &[u8]) -> Vec<Exchange> {
        let mut completed = Vec::new();
        if !self.is_blind && self.read_requests(bytes, &mut completed).is_err() {
            self.give_up();
        }
        completed
    }

    /// Returns the exchanges that these bytes of the receiver complete.
    pub(super) fn received(&mut self, bytes: &[u8]) -> Vec<Exchange> {
        let mut completed = Vec::new();
        if !self.is_blind && self.read_responses(bytes, &mut completed).is_err() {
            self.give_up();
        }
        completed
    }

    /// How many bytes of bodies and heads are kept.
    pub(super) fn kept(&mut self) -> usize {
        let unanswered = self.unanswered.iter();
        let unanswered: usize = unanswered.map(|next| next.request.body.kept.len()).sum();
        let early = self.early.as_ref().map_or(0, |early| early.body.kept.len());
        unanswered + early + self.requests.kept() + self.responses.kept()
    }

    /// Keeps nothing, and reads no further.
    pub(super) fn give_up(&mut self) {
        *self = Self {
            is_blind: true,
            ..Self::default()
        };
    }

    /// Whether all requests are complete, and there is one at least.
    pub(super) fn has_whole_request(&self) -> bool {
        !self.unanswered.is_empty() && !self.requests.has_begun()
    }

    /// The exchanges that the end of the connection completes or breaks.
    pub(super) fn closed(mut self, by: ClosedBy) -> Vec<Exchange> {
        let mut completed = Vec::new();
        if self.is_blind {
            return completed;
        }
        if let (ClosedBy::Receiver, Some(response)) = (by, self.responses.end()) {
            completed.extend(self.complete(response));
        }
        let failure = match by {
            ClosedBy::Sender => ExchangeFailure::SenderClosed,
            ClosedBy::Receiver => ExchangeFailure::ReceiverClosed,
            ClosedBy::Unreachable => ExchangeFailure::Unreachable,
        };
        let response_begun = self.response_begun;
        let broken = self.unanswered.into_iter();
        completed.extend(broken.map(|unanswered| Exchange {
            failure: Some(failure),
            ..unanswered.exchange(response_begun, None)
        }));
        completed
    }

    fn read_requests(
        &mut self,
        mut bytes: &[u8],
        completed: &mut Vec<Exchange>,
    ) -> Result<(), NotHttp1> {
        while !bytes.is_empty() {
            let begun = *self.begun.get_or_insert_with(|| Begun {
                at: Timestamp::now(),
                instant: Instant::now(),
            });
            let (taken, request) = self.requests.read(bytes)?;
            bytes = &bytes[taken..];
            if let Some(request) = request {
                self.begun = None;
                self.unanswered.push_back(Unanswered {
                    request,
                    begun,
                    ended: Instant::now(),
                });
                if self.unanswered.len() > MOST_UNANSWERED {
                    return Err(NotHttp1);
                }
                if let Some(early) = self.early.take() {
                    completed.extend(self.complete(early));
                }
            }
        }
        Ok(())
    }

    fn read_responses(
        &mut self,
        mut bytes: &[u8],
        completed: &mut Vec<Exchange>,
    ) -> Result<(), NotHttp1> {
        while !bytes.is_empty() {
            // A response may begin before its request is complete.
            let method = self.unanswered.front().map(|next| &next.request.method);
            self.responses.is_bodiless = method.is_some_and(|method| method == "HEAD");
            self.response_begun.get_or_insert_with(Instant::now);
            let (taken, response) = self.responses.read(bytes)?;
            bytes = &bytes[taken..];
            if let Some(response) = response {
                completed.extend(self.complete(response));
            }
        }
        Ok(())
    }

    fn complete(&mut self, response: RawResponse) -> Option<Exchange> {
        let Some(unanswered) = self.unanswered.pop_front() else {
            self.early = Some(response);
            return None;
        };
        let response_begun = self.response_begun.take();
        Some(unanswered.exchange(response_begun, Some(response)))
    }
}

impl Unanswered {
    fn exchange(self, response_begun: Option<Instant>, response: Option<RawResponse>) -> Exchange {
        let began = self.begun.instant;
        Exchange {
            at: Some(self.begun.at),
            request: self.request,
            response,
            failure: None,
            timings: Some(ExchangeTimings {
                request_end: self.ended - began,
                response_begin: response_begun.map(|begun| begun.saturating_duration_since(began)),
                end: began.elapsed(),
            }),
        }
    }
}
