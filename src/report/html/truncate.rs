//! Cuts long values so that a page of many scenarios still opens. A cut body has `truncated`, other
//! text ends with an ellipsis.

use crate::report::scenario_record::is_problem;
use crate::run::{
    AttemptEnded, BodyContent, BodyRecord, EffectsEnded, ResponseRecord, SnapshotCompared,
    StepEnded,
};
use crate::verify::Check;

/// How much of a scenario is kept. Sizes are in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The size of one body.
    body: usize,
    /// The size of all bodies of the scenario.
    bodies: usize,
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
    /// The limits while there is room.
    pub(super) const ROOMY: Self = Self {
        body: 16 << 10,
        bodies: 512 << 10,
        text: 4 << 10,
        difference: 32 << 10,
        attempts: 500,
        headers: 100,
    };

    /// The limits while there is little room.
    pub(super) const TIGHT: Self = Self {
        body: 1 << 10,
        bodies: 4 << 10,
        text: 1 << 10,
        difference: 2 << 10,
        attempts: 20,
        headers: 40,
    };

    /// The limits when there is hardly any room.
    pub(super) const BARE: Self = Self {
        body: 0,
        bodies: 0,
        text: 200,
        difference: 0,
        attempts: 5,
        headers: 0,
    };
}

/// Cuts the attempts. If the bodies are too large together, those of the last attempts are cut first.
pub(super) fn attempts(attempts: &[AttemptEnded], limits: Limits) -> Vec<AttemptEnded> {
    let (head, tail) = if attempts.len() > limits.attempts {
        let half = limits.attempts / 2;
        let tail = attempts.len() - (limits.attempts - half);
        (&attempts[..half], &attempts[tail..])
    } else {
        (attempts, &[][..])
    };
    let mut room = limits.bodies;
    let shown = head.iter().chain(tail);
    shown
        .map(|attempt| {
            let mut attempt = attempt.clone();
            cut_headers(&mut attempt.request.headers, limits);
            cut_body(&mut attempt.request.body, limits, &mut room);
            cut_response(&mut attempt.response, limits, &mut room);
            if let Some(lost) = &mut attempt.discarded_response {
                cut_response(lost, limits, &mut room);
            }
            attempt
        })
        .collect()
}

/// Cuts the long texts of a step.
pub(super) fn step(step: &StepEnded, limits: Limits) -> StepEnded {
    let mut step = step.clone();
    if step.deliveries.len() > limits.attempts {
        // Sort deliveries with problems to the front, so that they are kept.
        step.deliveries
            .sort_by_key(|delivery| !delivery.checks.iter().any(is_problem));
        step.deliveries.truncate(limits.attempts);
        step.deliveries.sort_by_key(|delivery| delivery.delivery);
    }
    for delivery in &mut step.deliveries {
        cut_checks(&mut delivery.checks, limits);
    }
    cut_checks(step.not_made.as_mut_slice(), limits);
    step
}

/// Cuts the long texts of the effects.
pub(super) fn effects(effects: &EffectsEnded, limits: Limits) -> EffectsEnded {
    let mut effects = effects.clone();
    cut_checks(&mut effects.checks, limits);
    effects
}

/// Cuts the long texts of a snapshot comparison; the difference is cut after a whole line.
pub(super) fn snapshot(compared: &SnapshotCompared, limits: Limits) -> SnapshotCompared {
    let mut compared = compared.clone();
    cut_checks(compared.check.as_mut_slice(), limits);
    if let Some(difference) = &mut compared.difference
        && difference.len() > limits.difference
    {
        let room = &difference[..difference.floor_char_boundary(limits.difference)];
        let end = room.rfind('\n').map_or(0, |end| end + 1);
        difference.truncate(end);
        difference.push('…');
    }
    compared
}

fn cut_checks(checks: &mut [Check], limits: Limits) {
    for check in checks {
        for text in [&mut check.subject, &mut check.expected, &mut check.observed] {
            cut_text(text, limits.text);
        }
    }
}

fn cut_response(response: &mut ResponseRecord, limits: Limits, room: &mut usize) {
    match response {
        ResponseRecord::Response { headers, body, .. } => {
            cut_headers(headers, limits);
            cut_body(body, limits, room);
        }
        ResponseRecord::Failure { message, .. } => cut_text(message, limits.text),
    }
}

fn cut_headers(headers: &mut Vec<(String, String)>, limits: Limits) {
    let left_out = headers.len().saturating_sub(limits.headers);
    headers.truncate(limits.headers);
    for (name, value) in &mut *headers {
        cut_text(name, limits.text);
        cut_text(value, limits.text);
    }
    if left_out > 0 {
        headers.push(("…".to_owned(), format!("{left_out} more headers")));
    }
}

fn cut_body(body: &mut BodyRecord, limits: Limits, room: &mut usize) {
    let limit = limits.body.min(*room);
    let (text, limit) = match &mut body.content {
        BodyContent::Text(text) => (text, limit),
        // Four characters encode three bytes, and only whole groups can be decoded.
        BodyContent::Base64(text) => (text, limit / 4 * 4),
    };
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        body.truncated = true;
    }
    *room -= text.len();
}

fn cut_text(text: &mut String, limit: usize) {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::SnapshotOutcome;

    #[test]
    fn a_long_difference_is_cut_after_a_line_and_marked() {
        let compared = |difference: String| SnapshotCompared {
            scenario: 1,
            file: "a.snap".to_owned(),
            outcome: SnapshotOutcome::Differs,
            check: None,
            difference: Some(difference),
        };
        let limits = Limits {
            difference: 9,
            ..Limits::ROOMY
        };
        for (whole, shown) in [
            ("-aaa\n+bbb", "-aaa\n+bbb"),
            ("-aaa\n+💎💎\n", "-aaa\n…"),
            ("-aaaaaaaaaaaaa", "…"),
        ] {
            let cut = snapshot(&compared(whole.to_owned()), limits);
            assert_eq!(cut.difference.as_deref(), Some(shown));
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
        cut_body(&mut text, limits, &mut room);
        assert_eq!(text.content, BodyContent::Text("ab💎".to_owned()));
        assert!(text.truncated);
        assert_eq!(text.length, 12);
        // Two bytes of room are left, less than one group of base64.
        let mut bytes = BodyRecord::new(b"\xff\xfe\xfd\xfc", 4, false);
        cut_body(&mut bytes, limits, &mut room);
        assert_eq!(bytes.content, BodyContent::Base64(String::new()));
        let mut short = BodyRecord::new(b"ok", 2, false);
        cut_body(&mut short, limits, &mut room);
        assert!(!short.truncated);
    }
}
