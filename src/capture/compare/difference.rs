//! What is different, how often it was seen, and an example.

use indexmap::IndexMap;
use serde::Serialize;

/// The kinds of differences. Their names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DifferenceName {
    EventType,
    UnknownKey,
    MissingKey,
    NullValue,
    ValueType,
    KeyOrder,
    IdForm,
    Whitespace,
    Escapes,
    SurroundingSpace,
    Method,
    UnknownHeader,
    MissingHeader,
    HeaderCase,
    HeaderOrder,
    HeaderValue,
    Transfer,
    Signature,
    SignatureForm,
    TimestampForm,
    RetriedStatus,
    NotRetried,
    RetryDelay,
    RetryAttempts,
    RetrySignature,
    RetryEventId,
    RetryBody,
    RetryKey,
}

impl DifferenceName {
    pub(crate) fn text(self) -> String {
        let name = serde_json::to_value(self).unwrap_or_default();
        name.as_str().unwrap_or_default().to_owned()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    pub(crate) name: DifferenceName,
    /// The key, the header or the retry that it concerns; empty if it concerns whole deliveries.
    pub(crate) place: String,
    pub(crate) sentence: String,
    /// In how many of `of`.
    pub(crate) seen: u64,
    pub(crate) of: u64,
    /// Of what: `deliveries` or `retries`.
    pub(crate) unit: &'static str,
    pub(crate) example: Option<String>,
}

/// Counts differences.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    found: IndexMap<(DifferenceName, String), Found>,
}

#[derive(Debug)]
struct Found {
    sentence: String,
    example: Option<String>,
    seen: u64,
    /// The delivery that it was last counted in.
    last: Option<usize>,
}

impl Differences {
    /// Counts a difference once for each delivery.
    pub(super) fn add(
        &mut self,
        name: DifferenceName,
        place: impl Into<String>,
        delivery: usize,
        describe: impl FnOnce() -> (String, Option<String>),
    ) {
        let found = self.found.entry((name, place.into())).or_insert_with(|| {
            let (sentence, example) = describe();
            Found {
                sentence,
                example: example.map(shortened),
                seen: 0,
                last: None,
            }
        });
        if found.last != Some(delivery) {
            found.last = Some(delivery);
            found.seen += 1;
        }
    }

    /// Moves the differences to a list. All of them were looked for in `of` deliveries or retries.
    pub(super) fn drain_into(&mut self, list: &mut Vec<Difference>, of: u64, unit: &'static str) {
        let found = std::mem::take(&mut self.found).into_iter();
        list.extend(found.map(|((name, place), found)| Difference {
            name,
            place,
            sentence: found.sentence,
            seen: found.seen,
            of,
            unit,
            example: found.example,
        }));
    }
}

fn shortened(text: String) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
