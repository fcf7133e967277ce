//! How much a receiver may send for one response. It may send without end, so neither memory nor time
//! may depend on it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The most bytes of a response's body to read, as received or decoded.
pub(crate) const BODY_READ_LIMIT: u64 = 16 * 1024 * 1024;
/// The limit for the head, and for the trailers, in bytes.
pub(crate) const HEAD_LIMIT: usize = 64 * 1024;
/// The most heads of one exchange. Nearly all are interim responses (1xx).
pub(crate) const MOST_HEADS: u32 = 32;
/// The most HTTP/2 frames of one exchange with hardly any content, such as PING or an empty DATA.
const MOST_SMALL_FRAMES: u32 = 10_000;

/// What is too long about a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TooLong {
    #[error("its body has more than 16 MiB")]
    Body,
    #[error("its body has more than 16 MiB once it is decompressed")]
    DecodedBody,
    #[error("it has more than 64 KiB of trailers")]
    Trailers,
    #[error("more than {MOST_HEADS} interim responses (1xx) precede it")]
    InterimResponses,
    #[error("its head or trailers continue in more HTTP/2 frames (CONTINUATION) than are allowed")]
    Continuations,
    #[error("other responses come with it (PUSH_PROMISE), although aghook accepts none")]
    Pushes,
    #[error("more than {MOST_SMALL_FRAMES} HTTP/2 frames with hardly any content belong to it")]
    SmallFrames,
}

/// What a connection receives in one exchange besides the content of the response.
#[derive(Debug, Default)]
pub(crate) struct ExchangeLimits {
    heads: AtomicU32,
    continuations: AtomicU32,
    small_frames: AtomicU32,
    /// Whether any byte of a response has arrived.
    begun: AtomicBool,
    /// Whether a frame of HTTP/2 has ended the response.
    ended: AtomicBool,
    exceeded: OnceLock<TooLong>,
}

impl ExchangeLimits {
    pub(crate) fn begin_exchange(&self) {
        self.heads.store(0, Ordering::Relaxed);
        self.continuations.store(0, Ordering::Relaxed);
        self.small_frames.store(0, Ordering::Relaxed);
        self.begun.store(false, Ordering::Relaxed);
        self.ended.store(false, Ordering::Relaxed);
    }

    pub(crate) fn begin_response(&self) {
        self.begun.store(true, Ordering::Relaxed);
    }

    pub(crate) fn response_has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    pub(crate) fn end_response(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Over HTTP/2. The stream may have been reset afterwards, since the receiver no longer needed the
    /// rest of the request.
    pub(crate) fn response_has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    pub(crate) fn add_head(&self) {
        self.add(&self.heads, MOST_HEADS, TooLong::InterimResponses);
    }

    pub(crate) fn add_continuation(&self) {
        self.add(&self.continuations, MOST_HEADS, TooLong::Continuations);
    }

    pub(crate) fn refuse_push(&self) {
        let _ = self.exceeded.set(TooLong::Pushes);
    }

    pub(crate) fn add_small_frame(&self) {
        self.add(&self.small_frames, MOST_SMALL_FRAMES, TooLong::SmallFrames);
    }

    /// The limit that was exceeded. The connection is then of no more use.
    pub(crate) fn exceeded(&self) -> Option<TooLong> {
        self.exceeded.get().copied()
    }

    fn add(&self, count: &AtomicU32, most: u32, too_long: TooLong) {
        if count.fetch_add(1, Ordering::Relaxed) >= most {
            let _ = self.exceeded.set(too_long);
        }
    }
}
