use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::harness::{RequestRecord, TimingsRecord};

fn answered(status: u16, body: &[u8]) -> AnswerRecord {
    AnswerRecord::Response {
        status,
        headers: Vec::new(),
        body: BodyRecord::new(body, body.len() as u64, false),
    }
}

fn failed(name: &'static str) -> AnswerRecord {
    AnswerRecord::Failure {
        name: name.into(),
        message: "it did not work".to_owned(),
        hint: "".into(),
    }
}

fn recorded(answer: AnswerRecord, unheard: Option<AnswerRecord>) -> AttemptEnded {
    AttemptEnded {
        scenario: 1,
        step: 1,
        delivery: 1,
        event_name: Some("welcome".to_owned()),
        forgery: None,
        fault: None,
        attempt: 1,
        started_at: Timestamp::UNIX_EPOCH,
        virtual_offset: Duration::ZERO,
        delay_before: Duration::ZERO,
        took: Duration::ZERO,
        timings: TimingsRecord::default(),
        connection: None,
        request: RequestRecord {
            method: "POST".to_owned(),
            url: "http://127.0.0.1/".to_owned(),
            headers: Vec::new(),
            body: BodyRecord::new(b"", 0, false),
        },
        answer,
        unheard_answer: unheard.map(Box::new),
    }
}

#[track_caller]
fn comes_to(then: AnswerRecord, now: &AnswerRecord, by_body: Comparison, by_status: Comparison) {
    let then = recorded(then, None);
    assert_eq!(compare(&then, now, CompareBy::Body), by_body);
    assert_eq!(compare(&then, now, CompareBy::Status), by_status);
}

#[test]
fn statuses_and_bodies_are_compared() {
    use Comparison::{BodyDiffers, Same, StatusDiffers};
    let ok = || answered(200, b"ok");
    comes_to(ok(), &ok(), Same, Same);
    comes_to(ok(), &answered(200, b"no"), BodyDiffers, Same);
    comes_to(ok(), &answered(201, b"ok"), StatusDiffers, StatusDiffers);
    comes_to(ok(), &failed("timeout"), StatusDiffers, StatusDiffers);
    comes_to(failed("timeout"), &ok(), StatusDiffers, StatusDiffers);
    comes_to(failed("timeout"), &failed("timeout"), Same, Same);
    comes_to(
        failed("timeout"),
        &failed("reset"),
        StatusDiffers,
        StatusDiffers,
    );
}

#[test]
fn json_is_compared_by_what_it_says() {
    let then = || answered(200, br#"{"a":1,"b":[1,2]}"#);
    let compared = |now: &[u8]| {
        compare(
            &recorded(then(), None),
            &answered(200, now),
            CompareBy::Body,
        )
    };
    assert_eq!(compared(br#"{ "b": [1, 2], "a": 1 }"#), Comparison::Same);
    assert_eq!(compared(br#"{"a":1,"b":[2,1]}"#), Comparison::BodyDiffers);
}

#[test]
fn of_a_long_body_the_beginning_and_the_length_count() {
    let long = |kept: &[u8], length| AnswerRecord::Response {
        status: 200,
        headers: Vec::new(),
        body: BodyRecord::new(kept, length, true),
    };
    let compared =
        |now: &AnswerRecord| compare(&recorded(long(b"[1", 9000), None), now, CompareBy::Body);
    assert_eq!(compared(&long(b"[1", 9000)), Comparison::Same);
    assert_eq!(compared(&long(b"[1", 9001)), Comparison::BodyDiffers);
    assert_eq!(compared(&long(b"[2", 9000)), Comparison::BodyDiffers);
}

#[test]
fn an_answer_that_was_not_heard_counts_as_far_as_it_is_known() {
    let unread = AnswerRecord::Response {
        status: 200,
        headers: Vec::new(),
        body: BodyRecord::new(b"", 0, true),
    };
    let compared = |unheard, now: &AnswerRecord| {
        let then = recorded(failed("answer_lost"), unheard);
        compare(&then, now, CompareBy::Body)
    };
    let now = answered(200, b"ok");
    assert_eq!(compared(Some(unread.clone()), &now), Comparison::Same);
    let refused = answered(403, b"");
    assert_eq!(compared(Some(unread), &refused), Comparison::StatusDiffers);
    let read = answered(200, b"other");
    assert_eq!(compared(Some(read), &now), Comparison::BodyDiffers);
    assert_eq!(compared(None, &now), Comparison::NotHeard);
}
