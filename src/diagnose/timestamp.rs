//! Mistakes in the timestamp: its unit, its notation, or a different time.

use jiff::Timestamp;
use serde_json::Value;

use super::freshness::MILLISECONDS_FROM;
use super::mistake::Mistake;

/// The text of a timestamp, or `None` if it is missing, and the mistake in it.
pub(super) struct TimestampVariant {
    pub(super) text: Option<Vec<u8>>,
    pub(super) mistake: Option<Mistake>,
}

impl TimestampVariant {
    fn wrong(text: impl Into<Vec<u8>>, mistake: Mistake) -> Self {
        Self {
            text: Some(text.into()),
            mistake: Some(mistake),
        }
    }
}

/// How many seconds before and after the header's timestamp are searched.
const NEARBY_SECONDS: u64 = 3600;

pub(super) const MISSING: Mistake = Mistake::new(
    "timestamp_missing",
    "The X-Aghanim-Signature-Timestamp header is missing, but its text is part of the signed \
     message.",
    "Make sure that the header reaches the receiver: proxies and gateways may drop unknown headers.",
);
const FIX: &str = "Sign the exact text of X-Aghanim-Signature-Timestamp, which is in whole Unix \
                   seconds.";
const MILLISECONDS: Mistake = Mistake::new(
    "timestamp_milliseconds",
    "The timestamp was signed in milliseconds instead of seconds.",
    FIX,
);
const SECONDS: Mistake = Mistake::new(
    "timestamp_seconds",
    "The given timestamp is in milliseconds, but was signed in seconds.",
    FIX,
);
const NEARBY: Mistake = Mistake::new(
    "timestamp_of_another_attempt",
    "The signature was made for this body with a different timestamp, less than an hour away.",
    "Take the signature and the timestamp from the same request, because each attempt may have its \
     own pair. Do not use the current time to verify a signature.",
);

/// The header's text first, then other texts that may have been signed instead.
pub(super) fn variants(timestamp: Option<&[u8]>, body: &[u8]) -> Vec<TimestampVariant> {
    let mut variants = vec![TimestampVariant {
        text: timestamp.map(<[u8]>::to_vec),
        mistake: None,
    }];
    if let Some(header) = timestamp {
        let trimmed = header.trim_ascii();
        variants.push(TimestampVariant::wrong(
            trimmed,
            Mistake::new(
                "timestamp_has_whitespace",
                "The given timestamp has whitespace around it, but was signed without it.",
                "Trim the header's value: whitespace around it is not part of it.",
            ),
        ));
        for (before, after) in [(" ", ""), ("", " "), (" ", " "), ("", "\n"), ("", "\r")] {
            let spaced = [before.as_bytes(), trimmed, after.as_bytes()].concat();
            variants.push(TimestampVariant::wrong(
                spaced,
                Mistake::new(
                    "timestamp_space",
                    "The timestamp was signed with whitespace around it.",
                    "Trim the header's value: whitespace around it is not part of it.",
                ),
            ));
        }
        if let Some(number) = number(trimmed) {
            variants.extend(variants_of_number(number, trimmed));
        }
    }
    variants.extend(times_in_event(body));
    // Keep each text once, with its first and simplest explanation.
    let mut seen = Vec::new();
    variants.retain(|variant| {
        let is_new = !seen.contains(&variant.text);
        seen.push(variant.text.clone());
        is_new
    });
    variants
}

/// Timestamps near the header's: the milliseconds of its second, then the seconds around it, nearest
/// first.
pub(super) fn nearby(timestamp: Option<&[u8]>) -> impl Iterator<Item = TimestampVariant> {
    let header = timestamp.and_then(|header| number(header.trim_ascii()));
    header.into_iter().flat_map(|header| {
        let seconds = if header >= MILLISECONDS_FROM {
            header / 1000
        } else {
            header
        };
        let milliseconds = (0..1000)
            .filter_map(move |part| seconds.checked_mul(1000)?.checked_add(part))
            .filter(move |time| *time != header)
            .map(|time| TimestampVariant::wrong(time.to_string(), MILLISECONDS));
        let around = (1..=NEARBY_SECONDS)
            .flat_map(move |away| [seconds.checked_sub(away), seconds.checked_add(away)])
            .flatten()
            .map(|time| TimestampVariant::wrong(time.to_string(), NEARBY));
        milliseconds.chain(around)
    })
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The header's number in other units and notations.
fn variants_of_number(number: u64, text: &[u8]) -> Vec<TimestampVariant> {
    let mut variants = vec![TimestampVariant::wrong(
        [text, b"000"].concat(),
        MILLISECONDS,
    )];
    let mut seconds = number;
    if number >= MILLISECONDS_FROM {
        seconds = number / 1000;
        variants.push(TimestampVariant::wrong(seconds.to_string(), SECONDS));
    }
    variants.push(TimestampVariant::wrong(
        [text, b".0"].concat(),
        Mistake::new(
            "timestamp_float",
            "The timestamp was signed as a floating-point number.",
            FIX,
        ),
    ));
    if let Some(time) = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
    {
        let text = time.to_string();
        let notations = [
            text.replace('Z', "+00:00"),
            text.replace('Z', ".000Z"),
            text,
        ];
        variants.extend(notations.map(|text| {
            TimestampVariant::wrong(
                text,
                Mistake::new(
                    "timestamp_iso_8601",
                    "The timestamp was signed as a date and time (ISO 8601).",
                    FIX,
                ),
            )
        }));
    }
    variants
}

/// The times in the event, which may differ from the signature's timestamp.
fn times_in_event(body: &[u8]) -> Vec<TimestampVariant> {
    let Ok(event) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    let time = |pointer: &str, name, happened| {
        let text = event.pointer(pointer)?.as_u64()?.to_string();
        let fix = "Sign the text of the X-Aghanim-Signature-Timestamp header. It may equal a time \
                   in the event, but can differ in a later attempt.";
        Some(TimestampVariant::wrong(
            text,
            Mistake::new(name, happened, fix),
        ))
    };
    [
        time(
            "/event_time",
            "timestamp_from_event_time",
            "The body's `event_time` was signed instead of the timestamp header.",
        ),
        time(
            "/event_data/coupon/redeemed_at",
            "timestamp_from_redeemed_at",
            "The coupon's `redeemed_at` was signed instead of the timestamp header.",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
