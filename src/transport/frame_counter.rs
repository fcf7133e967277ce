//! Counts the HTTP/2 frames of a byte stream that have hardly any content. Libraries queue an entry for
//! many of them, or respond to each, however many there are. Also notices the frame that ends a response.

use super::response_limit::ExchangeLimits;

/// The length, the type and the flags of a frame, and its stream.
const HEADER: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;
/// It begins another response, which a client that accepts none must treat as an error.
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;
/// A DATA frame with less than this has hardly any content.
const SMALL: usize = 128;

#[derive(Debug, Default)]
pub(super) struct FrameCounter {
    /// The header of the next frame, as far as it has arrived.
    header: [u8; HEADER],
    arrived: usize,
    /// How many bytes of the present frame are still to come.
    left: usize,
}

impl FrameCounter {
    pub(super) fn read(&mut self, mut bytes: &[u8], limits: &ExchangeLimits) {
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            self.left -= skipped;
            bytes = &bytes[skipped..];
            let taken = (HEADER - self.arrived).min(bytes.len());
            self.header[self.arrived..][..taken].copy_from_slice(&bytes[..taken]);
            self.arrived += taken;
            bytes = &bytes[taken..];
            if self.arrived < HEADER {
                return;
            }
            self.arrived = 0;
            let [high, middle, low, kind, flags, ..] = self.header;
            self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            if [DATA, HEADERS].contains(&kind) && flags & END_STREAM != 0 {
                limits.end_response();
            }
            match kind {
                HEADERS => limits.add_head(),
                CONTINUATION => limits.add_continuation(),
                PUSH_PROMISE => limits.refuse_push(),
                DATA if self.left >= SMALL => {}
                _ => limits.add_small_frame(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::response_limit::{MOST_HEADS, TooLong};

    fn frame(kind: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, 0, 0, 0, 0, 1];
        frame.resize(HEADER + usize::from(length), kind);
        frame
    }

    /// The limit that these frames exceed, whatever the pieces in which they arrive.
    fn exceeded(frames: &[u8]) -> Option<TooLong> {
        let all = [1, 8, 9, 10, 4096].map(|piece| {
            let (limits, mut counter) = (ExchangeLimits::default(), FrameCounter::default());
            for bytes in frames.chunks(piece) {
                counter.read(bytes, &limits);
            }
            limits.exceeded()
        });
        assert!(all.iter().all(|other| *other == all[0]), "{all:?}");
        all[0]
    }

    #[test]
    fn frames_with_hardly_any_content_are_bounded() {
        for kind in [0, 2, 3, 4, 6, 7, 8, 0x77] {
            assert_eq!(exceeded(&frame(kind, 8).repeat(10_000)), None, "{kind}");
            let flood = frame(kind, 8).repeat(10_001);
            assert_eq!(exceeded(&flood), Some(TooLong::SmallFrames), "{kind}");
        }
        assert_eq!(exceeded(&frame(0, 128).repeat(20_000)), None);
    }

    #[test]
    fn only_a_flag_of_data_or_headers_ends_a_response() {
        for (kind, flags, ends) in [(0, 1, true), (1, 5, true), (0, 8, false), (6, 1, false)] {
            let (limits, mut counter) = (ExchangeLimits::default(), FrameCounter::default());
            let mut frame = frame(kind, 3);
            frame[4] = flags;
            counter.read(&frame, &limits);
            assert_eq!(limits.response_has_ended(), ends, "{kind} {flags}");
            limits.begin_exchange();
            assert!(!limits.response_has_ended());
        }
    }

    #[test]
    fn heads_are_bounded() {
        let most = MOST_HEADS as usize;
        for (kind, too_long) in [
            (HEADERS, TooLong::InterimResponses),
            (CONTINUATION, TooLong::Continuations),
        ] {
            assert_eq!(exceeded(&frame(kind, 1).repeat(most)), None, "{kind}");
            let flood = frame(kind, 1).repeat(most + 1);
            assert_eq!(exceeded(&flood), Some(too_long), "{kind}");
        }
    }

    #[test]
    fn a_pushed_response_is_refused() {
        assert_eq!(exceeded(&frame(PUSH_PROMISE, 4)), Some(TooLong::Pushes));
    }

    #[test]
    fn each_exchange_is_counted_for_itself() {
        let (limits, mut counter) = (ExchangeLimits::default(), FrameCounter::default());
        for _ in 0..3 {
            limits.begin_exchange();
            counter.read(&frame(1, 5).repeat(MOST_HEADS as usize), &limits);
        }
        assert_eq!(limits.exceeded(), None);
    }
}
