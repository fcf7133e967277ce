//! The body of an outgoing request. It can hold back its last byte at a barrier, stop halfway, go out
//! in pieces, or wait until the receiver agrees to read it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::{Notify, watch};

use super::io_meter::{FlushPoint, IoMeter};
use super::last_byte_barrier::LastByteBarrier;

/// The most frame header bytes that HTTP/2 writes before the first part of a body: one `HEADERS`
/// and one `DATA` frame header.
pub(crate) const HTTP2_FRAME_HEADERS: u64 = 2 * 9;

pub(crate) struct OutgoingBody {
    rest: Bytes,
    mode: SendMode,
    attached: Option<AttachedMeter>,
    wait: Option<BoxFuture<'static, ()>>,
    /// Notified when the last part has been handed to the connection.
    flush: Arc<BodyFlush>,
}

/// In which pieces the rest of the body is sent.
pub(crate) enum SendMode {
    AtOnce,
    /// All but the last byte, then the last byte once the barrier opens.
    HoldLastByte(LastByteBarrier),
    /// Only a prefix of this many bytes.
    Prefix(usize),
    /// In pieces of these lengths and the rest, with a pause after each.
    Pieces {
        lengths: std::vec::IntoIter<usize>,
        pause: Duration,
    },
}

/// How long to wait for the receiver's permission to send the body. A receiver may never give it, and
/// the sender must not wait for it forever (RFC 9110, section 10.1.1).
const PERMISSION_TIMEOUT: Duration = Duration::from_secs(1);

struct AttachedMeter {
    meter: Arc<IoMeter>,
    /// When all but the last byte, and when the whole body has been flushed. Only known on HTTP/2.
    http2: Option<[FlushPoint; 2]>,
}

impl OutgoingBody {
    pub(crate) fn new(bytes: Bytes, mode: SendMode) -> Self {
        Self {
            rest: bytes,
            mode,
            attached: None,
            wait: None,
            flush: Arc::default(),
        }
    }

    /// Attaches the body to the connection that will send it. Call this before sending.
    pub(crate) fn attach(&mut self, meter: &Arc<IoMeter>, http2: bool) {
        let length = self.rest.len() as u64;
        // HTTP/1.1 writes the head, polls the body and flushes in one task, so the flush after a
        // part covers both. HTTP/2 uses several tasks, so count bytes instead.
        let flushed = |bytes: u64| meter.bytes_from_now(bytes.saturating_add(HTTP2_FRAME_HEADERS));
        let http2 = http2.then(|| [length.saturating_sub(1), length].map(flushed));
        if length == 0 {
            // An empty body is never polled, and the first bytes written are the whole request.
            self.flush.handed_out(HandedOut {
                meter: Arc::clone(meter),
                points: vec![meter.bytes_from_now(1)],
                whole: true,
            });
        }
        self.attached = Some(AttachedMeter {
            meter: Arc::clone(meter),
            http2,
        });
    }

    /// Holds back the body until the returned value is notified, or for a second.
    pub(crate) fn wait_for_permission(&mut self) -> Arc<Notify> {
        let permission = Arc::new(Notify::new());
        let given = Arc::clone(&permission);
        self.wait = Some(Box::pin(async move {
            let _ = tokio::time::timeout(PERMISSION_TIMEOUT, given.notified()).await;
        }));
        permission
    }

    pub(crate) fn flush(&self) -> Arc<BodyFlush> {
        Arc::clone(&self.flush)
    }

    /// Hands out the next bytes. If nothing will follow, they are the last part.
    fn hand_out(&mut self, length: usize, is_last: bool) -> Frame<Bytes> {
        let part = self.rest.split_to(length.min(self.rest.len()));
        let whole = self.rest.is_empty();
        if let (true, Some(AttachedMeter { meter, http2 })) = (whole || is_last, &self.attached) {
            let whole_body = http2.map(|[_, whole]| whole);
            self.flush.handed_out(HandedOut {
                meter: Arc::clone(meter),
                points: whole_body.into_iter().chain([meter.next_flush()]).collect(),
                whole,
            });
        }
        Frame::data(part)
    }

    /// Makes the next part wait until the meter has reached a point, and then for `more`.
    fn wait_for(
        &mut self,
        point: impl FnOnce(&AttachedMeter) -> FlushPoint,
        more: impl Future<Output = ()> + Send + 'static,
    ) {
        let attached = self.attached.as_ref();
        let flushed = attached.map(|attached| (Arc::clone(&attached.meter), point(attached)));
        self.wait = Some(Box::pin(async move {
            if let Some((meter, point)) = flushed {
                meter.reached(point).await;
            }
            more.await;
        }));
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
        loop {
            let length = body.rest.len();
            if length == 0 {
                return Poll::Ready(None);
            }
            if let Some(wait) = &mut body.wait {
                ready!(wait.as_mut().poll(context));
                body.wait = None;
            }
            let (part, is_last) = match std::mem::replace(&mut body.mode, SendMode::AtOnce) {
                SendMode::AtOnce => (length, true),
                SendMode::HoldLastByte(barrier) => {
                    let before_last = |attached: &AttachedMeter| match attached.http2 {
                        Some([before_last, _]) => before_last,
                        None => attached.meter.next_flush(),
                    };
                    body.wait_for(before_last, async move { barrier.open().await });
                    (length - 1, false)
                }
                SendMode::Prefix(prefix) => {
                    // The connection ends before the rest would be handed out.
                    body.wait = Some(Box::pin(std::future::pending()));
                    (prefix, true)
                }
                SendMode::Pieces { mut lengths, pause } => {
                    let piece = lengths.next().unwrap_or(length);
                    body.mode = SendMode::Pieces { lengths, pause };
                    let next_flush = |attached: &AttachedMeter| attached.meter.next_flush();
                    body.wait_for(next_flush, async move {
                        // The timer rounds even zero up to its next tick.
                        if !pause.is_zero() {
                            tokio::time::sleep(pause).await;
                        }
                    });
                    (piece, false)
                }
            };
            let frame = body.hand_out(part, is_last);
            if part > 0 {
                return Poll::Ready(Some(Ok(frame)));
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

/// Completes once everything that will be sent of a body has been handed to the connection and flushed.
#[derive(Debug, Default)]
pub(crate) struct BodyFlush(watch::Sender<Option<HandedOut>>);

/// What has been handed to the connection. It is flushed once the meter has reached all points.
#[derive(Debug, Clone)]
struct HandedOut {
    meter: Arc<IoMeter>,
    points: Vec<FlushPoint>,
    /// Whether it includes the body's last byte.
    whole: bool,
}

impl BodyFlush {
    fn handed_out(&self, handed_out: HandedOut) {
        self.0.send_replace(Some(handed_out));
    }

    pub(crate) fn is_whole(&self) -> bool {
        let handed_out = self.0.borrow();
        handed_out.as_ref().is_some_and(|handed| handed.whole)
    }

    /// Waits until everything has been flushed.
    pub(crate) async fn flushed(&self) {
        let mut changes = self.0.subscribe();
        // The sender exists as long as this value.
        let handed_out = changes.wait_for(Option::is_some).await;
        let handed_out = handed_out.ok().and_then(|handed_out| handed_out.clone());
        if let Some(HandedOut { meter, points, .. }) = handed_out {
            for point in points {
                meter.reached(point).await;
            }
        }
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
        let barrier = barriers.remove(0);
        let meter = Arc::new(IoMeter::default());
        let mut body = OutgoingBody::new(
            Bytes::from_static(b"abc"),
            SendMode::HoldLastByte(barrier.clone()),
        );
        body.attach(&meter, false);
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"ab")));
        assert_eq!(poll(&mut body), None);
        assert!(!barrier.is_open() && !body.flush().is_whole());
        meter.flushed();
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"c")));
        assert!(barrier.is_open() && body.flush().is_whole());
        assert!(body.is_end_stream());
    }

    #[test]
    fn on_http2_a_flush_of_other_bytes_does_not_count() {
        let barrier = LastByteBarrier::for_participants(1).remove(0);
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
            let mut body = OutgoingBody::new(Bytes::from_static(b"abc"), SendMode::Prefix(prefix));
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
            assert!(!body.flush().is_whole());
        }
    }

    #[test]
    fn a_body_in_pieces_sends_one_per_flush() {
        let meter = Arc::new(IoMeter::default());
        let mode = SendMode::Pieces {
            lengths: vec![1, 1].into_iter(),
            pause: Duration::ZERO,
        };
        let mut body = OutgoingBody::new(Bytes::from_static(b"ab"), mode);
        body.attach(&meter, false);
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"a")));
        assert_eq!(poll(&mut body), None, "the first byte has not been flushed");
        meter.flushed();
        assert_eq!(poll(&mut body), Some(Bytes::from_static(b"b")));
        assert!(body.is_end_stream());
    }
}
