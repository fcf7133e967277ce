//! Mistakes in the timestamp: its unit, its notation, or a different time.

use jiff::Timestamp;
use serde_json::Value;

use super::freshness::MILLISECONDS_FROM;
use super::mistake::{Candidate, Candidates, Mistake, mistakes};

/// The text of a timestamp, or `None` if it is missing.
pub(super) type TimestampText = Option<Vec<u8>>;

/// How many seconds before and after the header's timestamp are searched.
const NEARBY_SECONDS: u64 = 3600;

const TRIM: &str = "Trim the header's value: whitespace around it is not part of it.";
const OF_EVENT: &str = "Sign the text of the X-Aghanim-Signature-Timestamp header. It may equal a \
                        time in the event, but can differ in a later attempt.";

mistakes! {
    "Sign the exact text of X-Aghanim-Signature-Timestamp, which is in whole Unix seconds.";
    MISSING "timestamp_missing"
        "The X-Aghanim-Signature-Timestamp header is missing, but its text is part of the signed \
         message."
        "Make sure that the header reaches the receiver: proxies and gateways may drop unknown headers.";
    HAS_WHITESPACE "timestamp_has_whitespace"
        "The given timestamp has whitespace around it, but was signed without it." TRIM;
    SPACE "timestamp_space" "The timestamp was signed with whitespace around it." TRIM;
    MILLISECONDS "timestamp_milliseconds"
        "The timestamp was signed in milliseconds instead of seconds.";
    SECONDS "timestamp_seconds"
        "The given timestamp is in milliseconds, but was signed in seconds.";
    FLOAT "timestamp_float" "The timestamp was signed as a floating-point number.";
    ISO_8601 "timestamp_iso_8601" "The timestamp was signed as a date and time (ISO 8601).";
    EVENT_TIME "timestamp_from_event_time"
        "The body's `event_time` was signed instead of the timestamp header." OF_EVENT;
    REDEEMED_AT "timestamp_from_redeemed_at"
        "The coupon's `redeemed_at` was signed instead of the timestamp header." OF_EVENT;
    NEARBY "timestamp_of_another_attempt"
        "The signature was made for this body with a different timestamp, less than an hour away."
        "Take the signature and the timestamp from the same request, because each attempt may have its \
         own pair. Do not use the current time to verify a signature.";
}

pub(super) fn candidates(timestamp: Option<&[u8]>, body: &[u8]) -> Candidates<TimestampText> {
    let mut timestamps = Candidates::correct(timestamp.map(<[u8]>::to_vec));
    let mut add = |text: Vec<u8>, mistake| timestamps.add(Some(text), [mistake]);
    if let Some(header) = timestamp {
        let trimmed = header.trim_ascii();
        add(trimmed.to_vec(), HAS_WHITESPACE);
        for (before, after) in [(" ", ""), ("", " "), (" ", " "), ("", "\n"), ("", "\r")] {
            add(
                [before.as_bytes(), trimmed, after.as_bytes()].concat(),
                SPACE,
            );
        }
        if let Some(number) = number(trimmed) {
            add_notations(number, trimmed, &mut add);
        }
    }
    if let Ok(event) = serde_json::from_slice::<Value>(body) {
        for (pointer, mistake) in [
            ("/event_time", EVENT_TIME),
            ("/event_data/coupon/redeemed_at", REDEEMED_AT),
        ] {
            if let Some(time) = event.pointer(pointer).and_then(Value::as_u64) {
                add(time.to_string().into_bytes(), mistake);
            }
        }
    }
    timestamps
}

fn add_notations(number: u64, text: &[u8], add: &mut impl FnMut(Vec<u8>, Mistake)) {
    add([text, b"000"].concat(), MILLISECONDS);
    let seconds = in_seconds(number);
    if seconds != number {
        add(seconds.to_string().into_bytes(), SECONDS);
    }
    add([text, b".0"].concat(), FLOAT);
    let time = i64::try_from(seconds).map(Timestamp::from_second);
    if let Ok(Ok(time)) = time {
        let text = time.to_string();
        for suffix in ["+00:00", ".000Z", "Z"] {
            add(text.replace('Z', suffix).into_bytes(), ISO_8601);
        }
    }
}

/// Timestamps near the header's: the milliseconds of its second, then the seconds around it, nearest
/// first.
pub(super) fn nearby(timestamp: Option<&[u8]>) -> impl Iterator<Item = Candidate<TimestampText>> {
    let header = timestamp.and_then(|header| number(header.trim_ascii()));
    header.into_iter().flat_map(|header| {
        let seconds = in_seconds(header);
        let milliseconds = (0..1000)
            .filter_map(move |part| seconds.checked_mul(1000)?.checked_add(part))
            .filter(move |time| *time != header)
            .map(|time| (time, MILLISECONDS));
        let around = (1..=NEARBY_SECONDS)
            .flat_map(move |away| [seconds.checked_sub(away), seconds.checked_add(away)])
            .flatten()
            .map(|time| (time, NEARBY));
        milliseconds.chain(around).map(|(time, mistake)| Candidate {
            value: Some(time.to_string().into_bytes()),
            mistakes: vec![mistake],
        })
    })
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn in_seconds(number: u64) -> u64 {
    if number >= MILLISECONDS_FROM {
        number / 1000
    } else {
        number
    }
}
