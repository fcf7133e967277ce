//! Bounds the recorded responses of a scenario, which reports, recordings and the memory hold.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::run_event::{AttemptEnded, ResponseRecord};

/// The size of all responses of a scenario that are recorded as they are, in bytes.
const OF_SCENARIO: usize = 128 << 10;
/// The size of a response that is recorded even if there is no more room.
const LEAST: usize = 1 << 10;

/// The room that is left for the responses of a scenario.
#[derive(Debug)]
pub(super) struct RecordRoom(AtomicUsize);

impl Default for RecordRoom {
    fn default() -> Self {
        Self(AtomicUsize::new(OF_SCENARIO))
    }
}

impl RecordRoom {
    /// Cuts the responses of an attempt if there is too little room for them.
    pub(super) fn cut(&self, attempt: &mut AttemptEnded) {
        self.cut_response(&mut attempt.response);
        if let Some(discarded) = &mut attempt.discarded_response {
            self.cut_response(discarded);
        }
    }

    fn cut_response(&self, response: &mut ResponseRecord) {
        let ResponseRecord::Response { headers, body, .. } = response else {
            return;
        };
        let limit = self.0.load(Ordering::Relaxed).max(LEAST);
        let mut left = limit;
        let all = headers.len();
        let fits = |(name, value): &&(String, String)| {
            let rest = left.checked_sub(name.len() + value.len());
            left = rest.unwrap_or_default();
            rest.is_some()
        };
        let kept = headers.iter().take_while(fits).count();
        if kept < all {
            headers.truncate(kept);
            headers.push(("…".to_owned(), format!("{} more headers", all - kept)));
        }
        left -= body.cut(left.max(LEAST)).min(left);
        let used = limit - left;
        let take = |room: usize| Some(room.saturating_sub(used));
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{BodyContent, BodyRecord};

    fn response(headers: usize, body: &[u8]) -> ResponseRecord {
        ResponseRecord::Response {
            status: 200,
            headers: vec![("x-header".to_owned(), "v".repeat(1000)); headers],
            body: BodyRecord::new(body, body.len() as u64, false),
        }
    }

    fn sizes(response: &ResponseRecord) -> (usize, usize, bool) {
        let ResponseRecord::Response { headers, body, .. } = response else {
            panic!("a response");
        };
        let (BodyContent::Text(text) | BodyContent::Base64(text)) = &body.content;
        (headers.len(), text.len(), body.truncated)
    }

    #[test]
    fn the_first_responses_are_whole_and_the_beginning_of_all_others_is_kept() {
        let room = RecordRoom::default();
        let body = vec![b'x'; 60 << 10];
        let recorded: Vec<_> = (0..5)
            .map(|_| {
                let mut response = response(1, &body);
                room.cut_response(&mut response);
                sizes(&response)
            })
            .collect();
        assert_eq!(recorded[..2], [(1, 60 << 10, false); 2]);
        assert!(recorded[2].1 < 8 << 10 && recorded[2].2, "{recorded:?}");
        // A header of 1008 bytes leaves less than the least room for the body, which has that anyway.
        assert_eq!(recorded[3..], [(1, LEAST, true); 2]);
    }

    #[test]
    fn binary_bodies_and_headers_are_cut_too() {
        let room = RecordRoom::default();
        let mut many = response(500, b"ok");
        room.cut_response(&mut many);
        assert_eq!(sizes(&many), (OF_SCENARIO / 1008 + 1, 2, false));
        let mut binary = response(0, &[0xff; 9000]);
        room.cut_response(&mut binary);
        let (_, length, truncated) = sizes(&binary);
        assert!(truncated && length <= LEAST && length % 4 == 0, "{length}");
    }
}
