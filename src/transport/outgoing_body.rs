//! The body of an outgoing request. It can hold back its last byte at a barrier, stop halfway, or
//! go out one byte at a time.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::body_flush::BodyFlush;
use super::io_meter::{FlushPoint, IoMeter};
use super::last_byte_barrier::LastByteBarrier;

/// The most frame header bytes that HTTP/2 writes before the first part of a body: one `HEADERS`
/// and one `DATA` frame header.
const HTTP2_FRAME_HEADERS: u64 = 2 * 9;

/// The bytes of a request's body that are still to be sent.
#[derive(Debug)]
pub(crate) struct OutgoingBody {
    rest: Bytes,
    mode: SendMode,
    attached: Option<AttachedMeter>,
    /// Set once the last byte has been handed to the connection.
    handed_out: Arc<AtomicBool>,
    /// Notified when the last part has been handed to the connection.
    flush: Arc<BodyFlush>,
}

/// In which pieces the body is sent.
#[derive(Debug)]
pub(crate) enum SendMode {
    /// In one piece.
    AtOnce,
    /// All but the last byte, then the last byte once the barrier opens.
    HoldLastByte(Arc<LastByteBarrier>),
    /// Only a prefix of this many bytes; `None` once it has been sent.
    Prefix(Option<usize>),
    /// One byte at a time.
    Drip {
        /// The delay after each byte.
        per_byte: Duration,
        /// The flush and the delay that the next byte waits for.
        next: Option<(FlushPoint, Option<Pin<Box<Sleep>>>)>,
    },
}

/// The meter of the connection that sends the body.
#[derive(Debug)]
struct AttachedMeter {
    meter: Arc<IoMeter>,
    /// When all but the last byte has been flushed. On HTTP/1.1, set once those bytes have been
    /// handed out.
    before_last: Option<FlushPoint>,
    /// When the whole body has been flushed. Only set on HTTP/2.
    whole: Option<FlushPoint>,
}

impl OutgoingBody {
    pub(crate) fn new(bytes: Bytes, mode: SendMode) -> Self {
        let handed_out = Arc::new(AtomicBool::new(bytes.is_empty()));
        Self {
            rest: bytes,
            mode,
            attached: None,
            handed_out,
            flush: Arc::default(),
        }
    }

    /// Attaches the body to the connection that will send it. Call this before sending.
    pub(crate) fn attach(&mut self, meter: &Arc<IoMeter>, http2: bool) {
        let length = self.rest.len() as u64;
        if length == 0 {
            // An empty body is never polled, and the first bytes written are the whole request.
            self.flush.handed_out(meter, vec![meter.bytes_from_now(1)]);
        }
        // HTTP/1.1 writes the head, polls the body and flushes in one task, so the flush after a
        // part covers both. HTTP/2 uses several tasks, so count bytes instead.
        let flushed = |bytes: u64| {
            http2.then(|| meter.bytes_from_now(bytes.saturating_add(HTTP2_FRAME_HEADERS)))
        };
        self.attached = Some(AttachedMeter {
            meter: Arc::clone(meter),
            before_last: flushed(length.saturating_sub(1)),
            whole: flushed(length),
        });
    }

    /// A flag that becomes true once the last byte has been handed to the connection.
    pub(crate) fn handed_out(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.handed_out)
    }

    /// Waits until everything that will be sent of the body has been flushed.
    pub(crate) fn flush(&self) -> Arc<BodyFlush> {
        Arc::clone(&self.flush)
    }

    /// Hands out the next bytes without waiting.
    fn hand_out(&mut self, length: usize) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = self.rest.split_to(length.min(self.rest.len()));
        if self.rest.is_empty() {
            self.handed_out.store(true, Ordering::Release);
            self.mark_last_part();
        }
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    /// Notifies the `BodyFlush` that the part being handed out is the last.
    fn mark_last_part(&self) {
        if let Some(attached) = &self.attached {
            let points = attached
                .whole
                .into_iter()
                .chain([attached.meter.next_flush()]);
            self.flush.handed_out(&attached.meter, points.collect());
        }
    }
}

impl AttachedMeter {
    /// The point at which all but the last byte has been flushed.
    fn before_last(&mut self) -> FlushPoint {
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
        match &mut body.mode {
            SendMode::AtOnce => body.hand_out(length),
            SendMode::HoldLastByte(barrier) => {
                if let Some(attached) = &mut body.attached {
                    let point = attached.before_last();
                    if length == 1 {
                        ready!(attached.meter.poll_reached(point, context));
                    }
                }
                if length > 1 {
                    return body.hand_out(length - 1);
                }
                ready!(barrier.poll_open(context));
                body.hand_out(1)
            }
            SendMode::Prefix(prefix) => match prefix.take() {
                Some(prefix) => {
                    body.mark_last_part();
                    if prefix == 0 {
                        return Poll::Pending;
                    }
                    body.hand_out(prefix)
                }
                // The connection ends before the rest would be handed out.
                None => Poll::Pending,
            },
            SendMode::Drip { per_byte, next } => {
                if let (Some((point, sleep)), Some(attached)) = (next.as_mut(), &body.attached) {
                    ready!(attached.meter.poll_reached(*point, context));
                    if let Some(sleep) = sleep {
                        ready!(sleep.as_mut().poll(context));
                    }
                }
                *next = body.attached.as_ref().map(|attached| {
                    let sleep = || Box::pin(tokio::time::sleep(*per_byte));
                    (
                        attached.meter.next_flush(),
                        (!per_byte.is_zero()).then(sleep),
                    )
                });
                body.hand_out(1)
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

    /// Polls the body once: the bytes of the next frame, or `None` if there is none yet.
    fn poll(body: &mut OutgoingBody) -> Option<Bytes> {
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(body).poll_frame(&mut context) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
            Poll::Ready(None | Some(Err(_))) | Poll::Pending => None,
        }
    }

    #[test]
    fn a_held_body_reaches_the_barrier_only_after_the_rest_was_flushed() {
        let mut barriers = LastByteBarrier::for_participants(1);
        let barrier = Arc::new(barriers.remove(0));
        let meter = Arc::new(IoMeter::default());
        let mut body = OutgoingBody::new(
            Bytes::from_static(b"abc"),
            SendMode::HoldLastByte(Arc::clone(&barrier)),
        );
        body.attach(&meter, false);
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"ab")));
        assert_eq!(poll(&mut body), None);
        assert!(!barrier.is_open() && !body.handed_out().load(Ordering::Acquire));
        meter.flushed();
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"c")));
        assert!(barrier.is_open() && body.handed_out().load(Ordering::Acquire));
        assert!(body.is_end_stream());
    }

    #[test]
    fn on_http2_a_flush_of_other_bytes_does_not_count() {
        let barrier = Arc::new(LastByteBarrier::for_participants(1).remove(0));
        let meter = Arc::new(IoMeter::default());
        let mut body =
            OutgoingBody::new(Bytes::from_static(b"abc"), SendMode::HoldLastByte(barrier));
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
    fn a_body_without_a_barrier_is_sent_in_one_piece() {
        let mut body = OutgoingBody::new(Bytes::from_static(b"abc"), SendMode::AtOnce);
        assert_eq!(body.size_hint().exact(), Some(3));
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"abc")));
        assert!(OutgoingBody::new(Bytes::new(), SendMode::AtOnce).is_end_stream());
    }

    /// Whether everything that will be sent has been flushed.
    fn is_flushed(body: &OutgoingBody) -> bool {
        let flush = body.flush();
        let mut flushed = std::pin::pin!(flush.flushed());
        let mut context = Context::from_waker(Waker::noop());
        flushed.as_mut().poll(&mut context).is_ready()
    }

    #[test]
    fn a_body_is_flushed_once_its_last_part_is_flushed() {
        let meter = Arc::new(IoMeter::default());
        let mut body = OutgoingBody::new(Bytes::from_static(b"abc"), SendMode::AtOnce);
        body.attach(&meter, false);
        meter.flushed();
        assert!(!is_flushed(&body));
        assert!(poll(&mut body).is_some() && !is_flushed(&body));
        meter.flushed();
        assert!(is_flushed(&body));
    }

    #[test]
    fn a_prefix_is_sent_alone_and_reports_its_flush() {
        for (prefix, first) in [(1, Some(Bytes::from_static(b"a"))), (0, None)] {
            let meter = Arc::new(IoMeter::default());
            let mut body =
                OutgoingBody::new(Bytes::from_static(b"abc"), SendMode::Prefix(Some(prefix)));
            assert_eq!(
                body.size_hint().exact(),
                Some(3),
                "the head announces the whole length"
            );
            body.attach(&meter, false);
            assert_eq!(poll(&mut body), first);
            assert_eq!(poll(&mut body), None);
            assert!(!is_flushed(&body) && !body.is_end_stream());
            meter.flushed();
            assert!(is_flushed(&body) && poll(&mut body).is_none());
            assert!(!body.handed_out().load(Ordering::Acquire));
        }
    }

    #[test]
    fn a_dripping_body_sends_one_byte_per_flush() {
        let meter = Arc::new(IoMeter::default());
        let (per_byte, next) = (Duration::ZERO, None);
        let mut body =
            OutgoingBody::new(Bytes::from_static(b"ab"), SendMode::Drip { per_byte, next });
        body.attach(&meter, false);
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"a")));
        assert_eq!(poll(&mut body), None, "the first byte has not been flushed");
        meter.flushed();
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"b")));
        assert!(body.is_end_stream());
    }
}
