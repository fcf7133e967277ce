//! The forgeries that a scenario can send, by name. `delivery` builds them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::written::written_schema;
use crate::protocol::SIGNATURE_HEADER;

/// Each row: the variant, its name in files, and its description.
macro_rules! forgeries {
    ($($variant:ident $name:literal $about:literal;)*) => {
        /// A delivery without a valid proof of its origin. A receiver must refuse it and grant
        /// nothing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Forgery {
            $(
                #[doc = $about]
                #[serde(rename = $name)]
                $variant,
            )*
        }

        impl Forgery {
            /// Every forgery, in display order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name in a scenario file and on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What is sent, and which mistake of a receiver it reveals.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

forgeries! {
    MissingSignature "missing_signature"
        "No signature header is sent: reveals a receiver that checks a signature only if there is one.";
    MissingTimestamp "missing_timestamp"
        "The timestamp header is missing, although the signature covers a timestamp: reveals a receiver that does not require the header.";
    EmptySignature "empty_signature"
        "The signature header is empty: reveals a receiver that skips the check for an empty signature.";
    WrongSecret "wrong_secret"
        "The body is signed with another secret: reveals a receiver that checks only the format of a signature, or nothing.";
    TruncatedSignature "truncated_signature"
        "Only the first half of the valid signature is sent: reveals a receiver that compares only as many characters as the shorter text has.";
    GarbageSignature "garbage_signature"
        "The signature is 64 letters that are not hex digits: reveals a receiver that crashes, or accepts the delivery, if it can't decode the signature.";
    TamperedBody "tampered_body"
        "The quantity is increased after signing: reveals a receiver that does not check the signature against the bytes it received.";
    SwappedTimestamp "swapped_timestamp"
        "The timestamp header is changed by a second after signing: reveals a receiver that does not include the timestamp in the signature check.";
    BodyOnlySignature "body_only_signature"
        "The body is signed without the timestamp: reveals a receiver that ignores the timestamp, so an old delivery can be sent as a new one.";
    StaleTimestamp "stale_timestamp"
        "The delivery is signed correctly, with a timestamp one day in the past: reveals a receiver that accepts a recorded delivery at any later time.";
    FutureTimestamp "future_timestamp"
        "The delivery is signed correctly, with a timestamp one day in the future: reveals a receiver that only rejects old timestamps.";
    ExpiredSecret "expired_secret"
        "The delivery is signed correctly, with the previous secret: reveals a receiver that still accepts a replaced secret.";
    WrongAlgorithm "wrong_algorithm"
        "The signature is a plain SHA-256 of the timestamp and the body, which anyone can compute: reveals a receiver that does not use the secret.";
    PrefixedSignature "prefixed_signature"
        "The valid signature is sent with the prefix `sha256=`, which Aghanim never sends: reveals a receiver that searches the header for a signature.";
    TwoSignatures "two_signatures"
        "Two signature headers are sent, first an invalid and then the valid one: reveals a receiver that accepts a delivery if any of several signatures is valid.";
    EmptySecret "empty_secret"
        "The delivery is signed correctly, with an empty secret: reveals a receiver that also works without its secret, for example if a variable is not set.";
    BlankSecret "blank_secret"
        "The delivery is signed correctly, with a single space as the secret: reveals a receiver whose secret is blank, for example because a template was not filled in.";
    GuessedSecret "guessed_secret"
        "The delivery is signed correctly, with the secret `secret`: reveals a receiver with a default secret that anyone guesses.";
    GuessedChangeme "guessed_changeme"
        "The delivery is signed correctly, with the secret `changeme`: reveals a receiver that still has the secret of a template.";
    GuessedNull "guessed_null"
        "The delivery is signed correctly, with the secret `null`: reveals a receiver that turns a missing secret into a text.";
    GuessedUndefined "guessed_undefined"
        "The delivery is signed correctly, with the secret `undefined`: reveals a receiver that turns a missing secret into a text, as JavaScript does.";
    GuessedHeaderName "guessed_header_name"
        "The delivery is signed correctly, with the signature header's name as the secret: reveals a receiver that mixed up the two settings.";
    TimestampWord "timestamp_word"
        "The timestamp is `abc`, and the signature is valid for it: reveals a receiver that crashes on it, or whose check of the age passes because no comparison with NaN is true.";
    TimestampExponent "timestamp_exponent"
        "The timestamp is the present time with an exponent (`1725548450e0`), and the signature is valid for it: reveals a receiver that reads as much of a number as it can.";
    TimestampNegative "timestamp_negative"
        "The timestamp is `-1`, and the signature is valid for it: reveals a receiver that crashes on a time before 1970, or takes it for a huge one.";
    TimestampHuge "timestamp_huge"
        "The timestamp has 400 digits, and the signature is valid for it: reveals a receiver that crashes, or whose numbers overflow.";
    TimestampMilliseconds "timestamp_milliseconds"
        "The timestamp is the present time in milliseconds, and the signature is valid for it: reveals a receiver that guesses the unit, or crashes on a date that far in the future.";
}

impl Forgery {
    /// The secret that anyone could guess, if the forgery is signed with one.
    pub(crate) fn guessed_secret(self) -> Option<&'static str> {
        match self {
            Self::EmptySecret => Some(""),
            Self::BlankSecret => Some(" "),
            Self::GuessedSecret => Some("secret"),
            Self::GuessedChangeme => Some("changeme"),
            Self::GuessedNull => Some("null"),
            Self::GuessedUndefined => Some("undefined"),
            Self::GuessedHeaderName => Some(SIGNATURE_HEADER),
            _ => None,
        }
    }

    /// The text of the timestamp header, if it is not the number that a receiver expects.
    pub(crate) fn timestamp_text(self, now: u64) -> Option<String> {
        match self {
            Self::TimestampWord => Some("abc".to_owned()),
            Self::TimestampExponent => Some(format!("{now}e0")),
            Self::TimestampNegative => Some("-1".to_owned()),
            Self::TimestampHuge => Some("9".repeat(400)),
            Self::TimestampMilliseconds => Some(format!("{now}000")),
            _ => None,
        }
    }
}

impl fmt::Display for Forgery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

written_schema!(Forgery, "Forgery", |_| {
    "description": "A delivery without a valid proof of its origin. A receiver must refuse it and grant \
        nothing.",
    "type": "string",
    "oneOf": Forgery::ALL
        .map(|forgery| json!({ "const": forgery.name(), "description": forgery.about() }))
        .as_slice(),
});

#[cfg(test)]
mod tests {
    use super::*;

    /// The documented names.
    const NAMES: &str = "missing_signature missing_timestamp empty_signature wrong_secret \
        truncated_signature garbage_signature tampered_body swapped_timestamp body_only_signature \
        stale_timestamp future_timestamp expired_secret wrong_algorithm prefixed_signature \
        two_signatures empty_secret blank_secret guessed_secret guessed_changeme guessed_null \
        guessed_undefined guessed_header_name timestamp_word timestamp_exponent \
        timestamp_negative timestamp_huge timestamp_milliseconds";

    #[test]
    fn the_names_are_as_documented() {
        let names: Vec<_> = Forgery::ALL.into_iter().map(Forgery::name).collect();
        assert_eq!(names, NAMES.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn every_name_reads_back() {
        for forgery in Forgery::ALL {
            let json = serde_json::to_string(&forgery).expect("serialises");
            assert_eq!(json, format!("\"{forgery}\""));
            assert_eq!(serde_json::from_str::<Forgery>(&json).ok(), Some(forgery));
        }
        let error =
            serde_json::from_str::<Forgery>("\"wrong_secrets\"").expect_err("an unknown name");
        assert!(error.to_string().contains("`wrong_secret`"), "{error}");
    }

    #[test]
    fn every_description_says_what_the_forgery_reveals() {
        for forgery in Forgery::ALL {
            let about = forgery.about();
            assert!(
                about.contains(": reveals ") && about.ends_with('.'),
                "{forgery}: {about}"
            );
        }
    }
}
