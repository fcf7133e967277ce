use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::run::run_event::{SentRequestRecord, TimingsRecord};

fn response(status: u16, body: &[u8]) -> ResponseRecord {
    ResponseRecord::Response {
        status,
        headers: Vec::new(),
        body: BodyRecord::new(body, body.len() as u64, false),
    }
}

fn failed(name: &'static str) -> ResponseRecord {
    ResponseRecord::Failure {
        name: name.into(),
        message: "it failed".to_owned(),
        hint: "".into(),
    }
}

fn recorded(response: ResponseRecord, discarded: Option<ResponseRecord>) -> AttemptEnded {
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
        request: SentRequestRecord {
            method: "POST".to_owned(),
            url: "http://127.0.0.1/".to_owned(),
            headers: Vec::new(),
            body: BodyRecord::new(b"", 0, false),
            wire: None,
        },
        response,
        discarded_response: discarded.map(Box::new),
    }
}

#[track_caller]
fn assert_comparison(
    then: ResponseRecord,
    now: &ResponseRecord,
    by_body: ResponseComparison,
    by_status: ResponseComparison,
) {
    let then = recorded(then, None);
    assert_eq!(compare(&then, now, CompareBy::Body), by_body);
    assert_eq!(compare(&then, now, CompareBy::Status), by_status);
}

#[test]
fn statuses_and_bodies_are_compared() {
    use ResponseComparison::{BodyDiffers, Same, StatusDiffers};
    let ok = || response(200, b"ok");
    assert_comparison(ok(), &ok(), Same, Same);
    assert_comparison(ok(), &response(200, b"no"), BodyDiffers, Same);
    assert_comparison(ok(), &response(201, b"ok"), StatusDiffers, StatusDiffers);
    assert_comparison(ok(), &failed("timeout"), StatusDiffers, StatusDiffers);
    assert_comparison(failed("timeout"), &ok(), StatusDiffers, StatusDiffers);
    assert_comparison(failed("timeout"), &failed("timeout"), Same, Same);
    assert_comparison(
        failed("timeout"),
        &failed("reset"),
        StatusDiffers,
        StatusDiffers,
    );
}

#[test]
fn json_is_compared_by_content() {
    let then = || response(200, br#"{"a":1,"b":[1,2]}"#);
    let compared = |now: &[u8]| {
        compare(
            &recorded(then(), None),
            &response(200, now),
            CompareBy::Body,
        )
    };
    assert_eq!(
        compared(br#"{ "b": [1, 2], "a": 1 }"#),
        ResponseComparison::Same
    );
    assert_eq!(
        compared(br#"{"a":1,"b":[2,1]}"#),
        ResponseComparison::BodyDiffers
    );
}

#[test]
fn truncated_bodies_are_compared_by_beginning_and_length() {
    let long = |kept: &[u8], length| ResponseRecord::Response {
        status: 200,
        headers: Vec::new(),
        body: BodyRecord::new(kept, length, true),
    };
    let compared =
        |now: &ResponseRecord| compare(&recorded(long(b"[1", 9000), None), now, CompareBy::Body);
    assert_eq!(compared(&long(b"[1", 9000)), ResponseComparison::Same);
    assert_eq!(
        compared(&long(b"[1", 9001)),
        ResponseComparison::BodyDiffers
    );
    assert_eq!(
        compared(&long(b"[2", 9000)),
        ResponseComparison::BodyDiffers
    );
}

#[test]
fn a_lost_response_is_compared_as_far_as_it_was_recorded() {
    let unread = ResponseRecord::Response {
        status: 200,
        headers: Vec::new(),
        body: BodyRecord::new(b"", 0, true),
    };
    let compared = |discarded, now: &ResponseRecord| {
        let then = recorded(failed("answer_lost"), discarded);
        compare(&then, now, CompareBy::Body)
    };
    let now = response(200, b"ok");
    assert_eq!(
        compared(Some(unread.clone()), &now),
        ResponseComparison::Same
    );
    let refused = response(403, b"");
    assert_eq!(
        compared(Some(unread), &refused),
        ResponseComparison::StatusDiffers
    );
    let read = response(200, b"other");
    assert_eq!(compared(Some(read), &now), ResponseComparison::BodyDiffers);
    assert_eq!(compared(None, &now), ResponseComparison::NotRecorded);
}
