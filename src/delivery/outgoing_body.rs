//! The body of a request on its way out, which can hold its last byte back at a gate, stop halfway,
//! or leave a byte at a time.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::departure::Departure;
use super::gate::Gate;
use super::wire::{Mark, Meter};

/// The longest prefix of frames that HTTP/2 puts before a first part of a body: the headers of a
/// `HEADERS` and of a `DATA` frame.
const HTTP2_FRAME_HEADERS: u64 = 2 * 9;

/// The bytes of a request's body that are still to be sent.
#[derive(Debug)]
pub(super) struct OutgoingBody {
    rest: Bytes,
    pace: Pace,
    on: Option<Attached>,
    /// Set once the last byte was handed out.
    handed_out: Arc<AtomicBool>,
    /// Told once nothing more will be handed out.
    departure: Arc<Departure>,
}

/// In which pieces the body leaves.
#[derive(Debug)]
pub(super) enum Pace {
    /// In one piece.
    AtOnce,
    /// All but the last byte, which waits at a gate.
    Held(Arc<Gate>),
    /// So many bytes, until they are taken out of here, and no more.
    Only(Option<usize>),
    /// A byte at a time.
    Drip {
        /// The wait after each byte.
        per_byte: Duration,
        /// What the next byte waits for.
        next: Option<(Mark, Option<Pin<Box<Sleep>>>)>,
    },
}

/// The connection that the body leaves through.
#[derive(Debug)]
struct Attached {
    meter: Arc<Meter>,
    /// Of all but the last byte on HTTP/2, or once it was handed out.
    before_last: Option<Mark>,
    /// Of the whole body on HTTP/2.
    whole: Option<Mark>,
}

impl OutgoingBody {
    pub(super) fn new(bytes: Bytes, pace: Pace) -> Self {
        let handed_out = Arc::new(AtomicBool::new(bytes.is_empty()));
        Self {
            rest: bytes,
            pace,
            on: None,
            handed_out,
            departure: Arc::default(),
        }
    }

    /// Tells the body through which connection it will leave. To be called before it is sent.
    pub(super) fn attach(&mut self, meter: &Arc<Meter>, http2: bool) {
        let length = self.rest.len() as u64;
        if length == 0 {
            // Nobody will ask for it, and the first bytes that leave are the whole request.
            self.departure
                .handed_out(meter, vec![meter.bytes_from_now(1)]);
        }
        // HTTP/1.1 writes the head, polls the body and flushes in one task, so that the flush
        // after a part covers both. HTTP/2 does so in several tasks: there bytes count.
        let of = |bytes: u64| {
            http2.then(|| meter.bytes_from_now(bytes.saturating_add(HTTP2_FRAME_HEADERS)))
        };
        self.on = Some(Attached {
            meter: Arc::clone(meter),
            before_last: of(length.saturating_sub(1)),
            whole: of(length),
        });
    }

    /// Whether the last byte has been handed to the connection, now or later.
    pub(super) fn handed_out(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.handed_out)
    }

    /// Knows when all that will ever leave of the body has left.
    pub(super) fn departure(&self) -> Arc<Departure> {
        Arc::clone(&self.departure)
    }

    /// Hands out the next bytes. Everything that is waited for comes before.
    fn part(&mut self, length: usize) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = self.rest.split_to(length.min(self.rest.len()));
        if self.rest.is_empty() {
            self.handed_out.store(true, Ordering::Release);
            self.nothing_follows();
        }
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    /// Tells the departure that what is handed out now is the last.
    fn nothing_follows(&self) {
        if let Some(on) = &self.on {
            let marks = on.whole.into_iter().chain([on.meter.next_flush()]);
            self.departure.handed_out(&on.meter, marks.collect());
        }
    }
}

impl Attached {
    /// The mark that says that all but the last byte has left.
    fn before_last(&mut self) -> Mark {
        *self
            .before_last
            .get_or_insert_with(|| self.meter.next_flush())
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
        let length = body.rest.len();
        if length == 0 {
            return Poll::Ready(None);
        }
        match &mut body.pace {
            Pace::AtOnce => body.part(length),
            Pace::Held(gate) => {
                if let Some(on) = &mut body.on {
                    let mark = on.before_last();
                    if length == 1 {
                        ready!(on.meter.poll_reached(mark, context));
                    }
                }
                if length > 1 {
                    return body.part(length - 1);
                }
                ready!(gate.poll_open(context));
                body.part(1)
            }
            Pace::Only(part) => match part.take() {
                Some(part) => {
                    body.nothing_follows();
                    if part == 0 {
                        return Poll::Pending;
                    }
                    body.part(part)
                }
                // The rest is never handed out: the connection ends before.
                None => Poll::Pending,
            },
            Pace::Drip { per_byte, next } => {
                if let (Some((mark, sleep)), Some(on)) = (next.as_mut(), &body.on) {
                    ready!(on.meter.poll_reached(*mark, context));
                    if let Some(sleep) = sleep {
                        ready!(sleep.as_mut().poll(context));
                    }
                }
                *next = body.on.as_ref().map(|on| {
                    let sleep = || Box::pin(tokio::time::sleep(*per_byte));
                    (on.meter.next_flush(), (!per_byte.is_zero()).then(sleep))
                });
                body.part(1)
            }
        }
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
        let mut body = OutgoingBody::new(Bytes::from_static(b"abc"), Pace::Held(Arc::clone(&gate)));
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
        let gate = Arc::new(Gate::for_participants(1).remove(0));
        let meter = Arc::new(Meter::default());
        let mut body = OutgoingBody::new(Bytes::from_static(b"abc"), Pace::Held(gate));
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
        let mut body = OutgoingBody::new(Bytes::from_static(b"abc"), Pace::AtOnce);
        assert_eq!(body.size_hint().exact(), Some(3));
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"abc")));
        assert!(OutgoingBody::new(Bytes::new(), Pace::AtOnce).is_end_stream());
    }

    /// Whether all that will ever leave has left.
    fn has_left(body: &OutgoingBody) -> bool {
        let departure = body.departure();
        let mut left = std::pin::pin!(departure.left());
        let mut context = Context::from_waker(Waker::noop());
        left.as_mut().poll(&mut context).is_ready()
    }

    #[test]
    fn a_body_has_left_once_the_last_piece_was_flushed() {
        let meter = Arc::new(Meter::default());
        let mut body = OutgoingBody::new(Bytes::from_static(b"abc"), Pace::AtOnce);
        body.attach(&meter, false);
        meter.flushed();
        assert!(!has_left(&body));
        assert!(poll(&mut body).is_some() && !has_left(&body));
        meter.flushed();
        assert!(has_left(&body));
    }

    #[test]
    fn a_body_that_is_cut_stops_and_says_when_its_part_has_left() {
        for (part, first) in [(1, Some(Bytes::from_static(b"a"))), (0, None)] {
            let meter = Arc::new(Meter::default());
            let mut body = OutgoingBody::new(Bytes::from_static(b"abc"), Pace::Only(Some(part)));
            assert_eq!(
                body.size_hint().exact(),
                Some(3),
                "the head tells all of it"
            );
            body.attach(&meter, false);
            assert_eq!(poll(&mut body), first);
            assert_eq!(poll(&mut body), None);
            assert!(!has_left(&body) && !body.is_end_stream());
            meter.flushed();
            assert!(has_left(&body) && poll(&mut body).is_none());
            assert!(!body.handed_out().load(Ordering::Acquire));
        }
    }

    #[test]
    fn a_body_that_drips_leaves_a_byte_a_flush() {
        let meter = Arc::new(Meter::default());
        let (per_byte, next) = (Duration::ZERO, None);
        let mut body = OutgoingBody::new(Bytes::from_static(b"ab"), Pace::Drip { per_byte, next });
        body.attach(&meter, false);
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"a")));
        assert_eq!(poll(&mut body), None, "the first byte has not left");
        meter.flushed();
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"b")));
        assert!(body.is_end_stream());
    }
}
