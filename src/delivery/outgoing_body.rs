//! The body of a request on its way out, which can hold its last byte back at a gate.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::gate::Gate;
use super::wire::{Mark, Meter};

/// The longest prefix of frames that HTTP/2 puts before a first part of a body: the headers of a
/// `HEADERS` and of a `DATA` frame.
const HTTP2_FRAME_HEADERS: u64 = 2 * 9;

/// The bytes of a request's body that are still to be sent.
#[derive(Debug)]
pub(super) struct OutgoingBody {
    rest: Bytes,
    hold: Option<Hold>,
    /// Set once the last byte was handed out.
    handed_out: Arc<AtomicBool>,
}

/// Keeps the last byte back.
#[derive(Debug)]
struct Hold {
    gate: Arc<Gate>,
    on: Option<Attached>,
}

/// The connection that the body leaves through.
#[derive(Debug)]
struct Attached {
    meter: Arc<Meter>,
    /// Reached when all but the last byte has left.
    mark: Option<Mark>,
}

impl OutgoingBody {
    pub(super) fn new(bytes: Bytes, gate: Option<Arc<Gate>>) -> Self {
        let handed_out = Arc::new(AtomicBool::new(bytes.is_empty()));
        let hold = gate
            .filter(|_| !bytes.is_empty())
            .map(|gate| Hold { gate, on: None });
        Self {
            rest: bytes,
            hold,
            handed_out,
        }
    }

    /// Tells the body through which connection it will leave. To be called before it is sent.
    pub(super) fn attach(&mut self, meter: &Arc<Meter>, http2: bool) {
        let Some(hold) = &mut self.hold else { return };
        let before_last = self.rest.len().saturating_sub(1) as u64;
        // HTTP/1.1 writes the head, polls the body and flushes in one task, so that the flush
        // after the first part covers both. HTTP/2 does so in several tasks: there bytes count.
        let mark =
            http2.then(|| meter.bytes_from_now(before_last.saturating_add(HTTP2_FRAME_HEADERS)));
        let meter = Arc::clone(meter);
        hold.on = Some(Attached { meter, mark });
    }

    /// Whether the last byte has been handed to the connection, now or later.
    pub(super) fn handed_out(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.handed_out)
    }
}

impl Attached {
    /// The mark that says that what was handed out so far has left.
    fn mark(&mut self) -> Mark {
        *self.mark.get_or_insert_with(|| self.meter.next_flush())
    }
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = &mut *self;
        if body.rest.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(hold) = &mut body.hold {
            if body.rest.len() > 1 {
                if let Some(on) = &mut hold.on {
                    on.mark();
                }
                let part = body.rest.split_to(body.rest.len() - 1);
                return Poll::Ready(Some(Ok(Frame::data(part))));
            }
            if let Some(on) = &mut hold.on {
                let mark = on.mark();
                ready!(on.meter.poll_reached(mark, context));
            }
            ready!(hold.gate.poll_open(context));
        }
        body.handed_out.store(true, Ordering::Release);
        let all = std::mem::take(&mut body.rest);
        Poll::Ready(Some(Ok(Frame::data(all))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// What the next poll of the body gives: the bytes of a frame, or nothing yet.
    fn poll(body: &mut OutgoingBody) -> Option<Bytes> {
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(body).poll_frame(&mut context) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
            Poll::Ready(None | Some(Err(_))) | Poll::Pending => None,
        }
    }

    #[test]
    fn a_held_body_arrives_at_the_gate_only_once_the_rest_has_left() {
        let mut places = Gate::for_participants(1);
        let gate = Arc::new(places.remove(0));
        let meter = Arc::new(Meter::default());
        let mut body = OutgoingBody::new(Bytes::from_static(b"abc"), Some(Arc::clone(&gate)));
        body.attach(&meter, false);
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"ab")));
        assert_eq!(poll(&mut body), None);
        assert!(!gate.is_open() && !body.handed_out().load(Ordering::Acquire));
        meter.flushed();
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"c")));
        assert!(gate.is_open() && body.handed_out().load(Ordering::Acquire));
        assert!(body.is_end_stream());
    }

    #[test]
    fn on_http2_a_flush_of_something_else_is_not_enough() {
        let gate = Gate::for_participants(1).pop().map(Arc::new);
        let meter = Arc::new(Meter::default());
        let mut body = OutgoingBody::new(Bytes::from_static(b"abc"), gate);
        body.attach(&meter, true);
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"ab")));
        meter.flushed();
        assert_eq!(poll(&mut body), None);
        meter.wrote(20);
        assert_eq!(poll(&mut body), None);
        meter.flushed();
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"c")));
    }

    #[test]
    fn a_body_without_a_gate_leaves_in_one_piece() {
        let mut body = OutgoingBody::new(Bytes::from_static(b"abc"), None);
        assert_eq!(body.size_hint().exact(), Some(3));
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"abc")));
        assert!(OutgoingBody::new(Bytes::new(), None).is_end_stream());
    }
}
