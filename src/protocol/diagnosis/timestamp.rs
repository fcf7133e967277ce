//! Mistakes in the timestamp: its unit, its text, or another moment altogether.

use jiff::Timestamp;
use serde_json::Value;

use super::Mistake;
use super::freshness::MILLISECONDS_FROM;

/// The timestamp's text, `None` where there is none, and what is wrong with it.
pub(super) struct Stamp {
    pub(super) text: Option<Vec<u8>>,
    pub(super) mistake: Option<Mistake>,
}

impl Stamp {
    fn wrong(text: impl Into<Vec<u8>>, mistake: Mistake) -> Self {
        Self {
            text: Some(text.into()),
            mistake: Some(mistake),
        }
    }
}

/// How far, in seconds, a signature's timestamp is looked for around the header's.
const NEARBY_SECONDS: u64 = 3600;

pub(super) const MISSING: Mistake = Mistake::new(
    "timestamp_missing",
    "There is no X-Aghanim-Signature-Timestamp header, and its text is part of what is signed.",
    "Pass the header on to the receiver. Proxies and gateways may drop headers that they don't \
     know.",
);
const HEADER_TEXT: &str = "Sign the text of X-Aghanim-Signature-Timestamp as it stands there: \
                           whole Unix seconds.";
const MILLISECONDS: Mistake = Mistake::new(
    "timestamp_milliseconds",
    "The signature was made with the time in milliseconds, not in seconds.",
    HEADER_TEXT,
);
const SECONDS: Mistake = Mistake::new(
    "timestamp_seconds",
    "The timestamp given here is in milliseconds, and the signature was made with seconds.",
    HEADER_TEXT,
);
const NEARBY: Mistake = Mistake::new(
    "timestamp_of_another_attempt",
    "The signature is that of this body at another moment, less than an hour away.",
    "Take the signature and the timestamp from the same request: each attempt may carry its own \
     pair. Don't read the clock while verifying.",
);

/// The header's text first, then what else may have been signed in its place.
pub(super) fn variants(timestamp: Option<&[u8]>, body: &[u8]) -> Vec<Stamp> {
    let mut stamps = vec![Stamp {
        text: timestamp.map(<[u8]>::to_vec),
        mistake: None,
    }];
    if let Some(header) = timestamp {
        let trimmed = header.trim_ascii();
        stamps.push(Stamp::wrong(
            trimmed,
            Mistake::new(
                "timestamp_has_whitespace",
                "The timestamp given here has white space around it, and the signature was made \
                 without it.",
                "Trim the header's value: white space around it is not part of it.",
            ),
        ));
        for (before, after) in [(" ", ""), ("", " "), (" ", " "), ("", "\n"), ("", "\r")] {
            let spaced = [before.as_bytes(), trimmed, after.as_bytes()].concat();
            stamps.push(Stamp::wrong(
                spaced,
                Mistake::new(
                    "timestamp_space",
                    "The signature was made with white space around the timestamp.",
                    "Trim the header's value: white space around it is not part of it.",
                ),
            ));
        }
        if let Some(number) = number(trimmed) {
            stamps.extend(of_number(number, trimmed));
        }
    }
    stamps.extend(of_event(body));
    // Each text once: the first explanation is the plainest.
    let mut seen = Vec::new();
    stamps.retain(|stamp| {
        let new = !seen.contains(&stamp.text);
        seen.push(stamp.text.clone());
        new
    });
    stamps
}

/// Moments that the header's text does not give away: the milliseconds of its second, and the
/// seconds around it, nearest first.
pub(super) fn nearby(timestamp: Option<&[u8]>) -> impl Iterator<Item = Stamp> {
    let header = timestamp.and_then(|header| number(header.trim_ascii()));
    header.into_iter().flat_map(|header| {
        let seconds = if header >= MILLISECONDS_FROM {
            header / 1000
        } else {
            header
        };
        let milliseconds = (0..1000)
            .filter_map(move |part| seconds.checked_mul(1000)?.checked_add(part))
            .filter(move |moment| *moment != header)
            .map(|moment| Stamp::wrong(moment.to_string(), MILLISECONDS));
        let around = (1..=NEARBY_SECONDS)
            .flat_map(move |away| [seconds.checked_sub(away), seconds.checked_add(away)])
            .flatten()
            .map(|moment| Stamp::wrong(moment.to_string(), NEARBY));
        milliseconds.chain(around)
    })
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Other units and spellings of the header's number.
fn of_number(number: u64, text: &[u8]) -> Vec<Stamp> {
    let mut stamps = vec![Stamp::wrong([text, b"000"].concat(), MILLISECONDS)];
    let mut seconds = number;
    if number >= MILLISECONDS_FROM {
        seconds = number / 1000;
        stamps.push(Stamp::wrong(seconds.to_string(), SECONDS));
    }
    stamps.push(Stamp::wrong(
        [text, b".0"].concat(),
        Mistake::new(
            "timestamp_float",
            "The signature was made with the timestamp as a floating point number.",
            HEADER_TEXT,
        ),
    ));
    if let Some(moment) = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
    {
        let text = moment.to_string();
        let written_otherwise = [
            text.replace('Z', "+00:00"),
            text.replace('Z', ".000Z"),
            text,
        ];
        stamps.extend(written_otherwise.map(|text| {
            Stamp::wrong(
                text,
                Mistake::new(
                    "timestamp_iso_8601",
                    "The signature was made with the timestamp as a date and time (ISO 8601).",
                    HEADER_TEXT,
                ),
            )
        }));
    }
    stamps
}

/// Times of the event, which may differ from the signature's.
fn of_event(body: &[u8]) -> Vec<Stamp> {
    let Ok(event) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    let time = |pointer: &str, name, happened| {
        let text = event.pointer(pointer)?.as_u64()?.to_string();
        let fix = "Sign the text of the X-Aghanim-Signature-Timestamp header. It may equal a time \
                   of the event, but a later attempt need not.";
        Some(Stamp::wrong(text, Mistake::new(name, happened, fix)))
    };
    [
        time(
            "/event_time",
            "timestamp_from_event_time",
            "The signature was made with the body's `event_time`, not with the timestamp header.",
        ),
        time(
            "/event_data/coupon/redeemed_at",
            "timestamp_from_redeemed_at",
            "The signature was made with the coupon's `redeemed_at`, not with the timestamp \
             header.",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
