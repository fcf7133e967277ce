//! Cuts long values so that a page of many scenarios still opens, and a run of many scenarios fits into
//! memory. A cut body has `truncated`, other text ends with an ellipsis.

use crate::run::{AttemptEnded, BodyRecord, ResponseRecord, RunEvent, SnapshotCompared, StepEnded};
use crate::verify::Check;

/// How much of a scenario is kept. Sizes are in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    body: usize,
    /// The size of all bodies of the scenario.
    pub(super) bodies: usize,
    /// The size of any other text.
    text: usize,
    /// The size of the difference to a reviewed snapshot.
    difference: usize,
    /// The number of attempts. The first and the last ones are kept, since expectations are about the
    /// last one.
    attempts: usize,
    /// The number of headers of a request or a response.
    headers: usize,
}

impl Limits {
    /// The limits of a page while there is room.
    pub(super) const ROOMY: Self = Self {
        body: 16 << 10,
        bodies: 512 << 10,
        text: 4 << 10,
        difference: 32 << 10,
        attempts: 500,
        headers: 100,
    };

    /// The limits of a page while there is little room.
    pub(super) const TIGHT: Self = Self {
        body: 1 << 10,
        bodies: 4 << 10,
        text: 1 << 10,
        difference: 2 << 10,
        attempts: 20,
        headers: 40,
    };

    /// The limits of a page when there is hardly any room.
    pub(super) const BARE: Self = Self {
        body: 0,
        bodies: 0,
        text: 200,
        difference: 0,
        attempts: 5,
        headers: 0,
    };

    /// The limits in memory for a page.
    pub(super) const KEPT: Self = Self {
        bodies: usize::MAX,
        headers: usize::MAX,
        ..Self::ROOMY
    };

    /// The limits in memory of attempts of which only the heads are shown.
    pub(super) const HEADS: Self = Self {
        body: 0,
        headers: 0,
        text: usize::MAX,
        ..Self::KEPT
    };

    pub(super) fn shown_attempts(
        self,
        attempts: &[AttemptEnded],
    ) -> impl Iterator<Item = &AttemptEnded> {
        let left_out = attempts.len().saturating_sub(self.attempts);
        let half = if left_out > 0 { self.attempts / 2 } else { 0 };
        let (head, rest) = attempts.split_at(half);
        head.iter().chain(rest.iter().skip(left_out))
    }

    /// Cuts an event. `room` is what is left for the bodies of its scenario.
    pub(super) fn cut_event(self, event: &mut RunEvent, room: &mut usize) {
        match event {
            RunEvent::AttemptEnded(attempt) => self.cut_attempt(attempt, room),
            RunEvent::StepEnded(step) => self.cut_step(step),
            RunEvent::EffectsEnded(effects) => self.cut_checks(&mut effects.checks),
            RunEvent::SnapshotCompared(compared) => self.cut_snapshot(compared),
            _ => {}
        }
    }

    /// Cuts an attempt. `room` is what is left for the bodies of its scenario.
    pub(super) fn cut_attempt(self, attempt: &mut AttemptEnded, room: &mut usize) {
        self.cut_headers(&mut attempt.request.headers);
        self.cut_body(&mut attempt.request.body, room);
        self.cut_response(&mut attempt.response, room);
        if let Some(lost) = &mut attempt.discarded_response {
            self.cut_response(lost, room);
        }
    }

    /// Cuts the long texts of a step. Deliveries with problems are kept first.
    fn cut_step(self, step: &mut StepEnded) {
        if step.deliveries.len() > self.attempts {
            let is_harmless = |check: &Check| check.verdict.is_passed_or_not_checked();
            step.deliveries
                .sort_by_key(|delivery| delivery.checks.iter().all(is_harmless));
            step.deliveries.truncate(self.attempts);
            step.deliveries.sort_by_key(|delivery| delivery.delivery);
        }
        for delivery in &mut step.deliveries {
            self.cut_checks(&mut delivery.checks);
        }
        self.cut_checks(step.not_made.as_mut_slice());
    }

    /// Cuts the long texts of a snapshot comparison; the difference is cut after a whole line.
    fn cut_snapshot(self, compared: &mut SnapshotCompared) {
        self.cut_checks(compared.check.as_mut_slice());
        if let Some(difference) = &mut compared.difference
            && difference.len() > self.difference
        {
            let room = &difference[..difference.floor_char_boundary(self.difference)];
            let end = room.rfind('\n').map_or(0, |end| end + 1);
            difference.truncate(end);
            difference.push('…');
        }
    }

    fn cut_checks(self, checks: &mut [Check]) {
        for check in checks {
            for text in [&mut check.subject, &mut check.expected, &mut check.observed] {
                self.cut_text(text);
            }
        }
    }

    fn cut_response(self, response: &mut ResponseRecord, room: &mut usize) {
        match response {
            ResponseRecord::Response { headers, body, .. } => {
                self.cut_headers(headers);
                self.cut_body(body, room);
            }
            ResponseRecord::Failure { message, .. } => self.cut_text(message),
        }
    }

    fn cut_headers(self, headers: &mut Vec<(String, String)>) {
        let left_out = headers.len().saturating_sub(self.headers);
        headers.truncate(self.headers);
        for (name, value) in &mut *headers {
            self.cut_text(name);
            self.cut_text(value);
        }
        if left_out > 0 {
            headers.push(("…".to_owned(), format!("{left_out} more headers")));
        }
    }

    fn cut_body(self, body: &mut BodyRecord, room: &mut usize) {
        *room -= body.cut(self.body.min(*room));
    }

    fn cut_text(self, text: &mut String) {
        if text.len() > self.text {
            text.truncate(text.floor_char_boundary(self.text));
            text.push('…');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{BodyContent, SnapshotOutcome};

    #[test]
    fn a_long_difference_is_cut_after_a_line_and_marked() {
        let limits = Limits {
            difference: 9,
            ..Limits::ROOMY
        };
        for (whole, shown) in [
            ("-aaa\n+bbb", "-aaa\n+bbb"),
            ("-aaa\n+💎💎\n", "-aaa\n…"),
            ("-aaaaaaaaaaaaa", "…"),
        ] {
            let mut compared = SnapshotCompared {
                scenario: 1,
                file: "a.snap".to_owned(),
                outcome: SnapshotOutcome::Differs,
                check: None,
                difference: Some(whole.to_owned()),
            };
            limits.cut_snapshot(&mut compared);
            assert_eq!(compared.difference.as_deref(), Some(shown));
        }
    }

    #[test]
    fn a_long_body_keeps_its_beginning_and_is_marked() {
        let limits = Limits {
            body: 6,
            ..Limits::ROOMY
        };
        let mut room = 8;
        let mut text = BodyRecord::new("ab💎cd💎".as_bytes(), 12, false);
        limits.cut_body(&mut text, &mut room);
        assert_eq!(text.content, BodyContent::Text("ab💎".to_owned()));
        assert!(text.truncated);
        assert_eq!(text.length, 12);
        // Two bytes of room are left, less than one group of base64.
        let mut bytes = BodyRecord::new(b"\xff\xfe\xfd\xfc", 4, false);
        limits.cut_body(&mut bytes, &mut room);
        assert_eq!(bytes.content, BodyContent::Base64(String::new()));
        let mut short = BodyRecord::new(b"ok", 2, false);
        limits.cut_body(&mut short, &mut room);
        assert!(!short.truncated);
    }

    #[test]
    fn many_headers_are_counted_once() {
        let header = ("X-Header".to_owned(), "value".to_owned());
        let mut headers = vec![header; 150];
        Limits::KEPT.cut_headers(&mut headers);
        Limits::ROOMY.cut_headers(&mut headers);
        assert_eq!(headers.len(), 101);
        assert_eq!(headers[100].1, "50 more headers");
    }
}
