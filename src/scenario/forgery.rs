//! The forgeries that a scenario can ask for, by name. How each is made is delivery's work.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// One table: the variant, its name in a file, and the sentence on it.
macro_rules! forgeries {
    ($($variant:ident $name:literal $about:literal;)*) => {
        /// A delivery that does not prove where it comes from. A receiver must refuse it and grant
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
            /// Every forgery, in the order in which they are listed to users.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name in a scenario file and on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One sentence: what is sent, and which mistake of a receiver it reveals.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

forgeries! {
    MissingSignature "missing_signature"
        "No signature header is sent: reveals a receiver that checks a signature only where there is one.";
    MissingTimestamp "missing_timestamp"
        "No timestamp header is sent, with a signature of a timestamp: reveals a receiver that goes on without one.";
    EmptySignature "empty_signature"
        "The signature header is there and empty: reveals a receiver that takes an empty signature for none to check.";
    WrongSecret "wrong_secret"
        "The body is signed with another secret: reveals a receiver that looks at the form of a signature alone, or at nothing.";
    TruncatedSignature "truncated_signature"
        "The first half of the right signature is sent: reveals a receiver that compares no further than the shorter text.";
    GarbageSignature "garbage_signature"
        "64 letters that are no hex digits are sent as the signature: reveals a receiver that breaks, or goes on, when it can't decode it.";
    TamperedBody "tampered_body"
        "The quantity is raised after signing: reveals a receiver that does not check the signature against the bytes it received.";
    SwappedTimestamp "swapped_timestamp"
        "The timestamp header is moved by a second after signing: reveals a receiver that does not check the timestamp with the body.";
    BodyOnlySignature "body_only_signature"
        "The body is signed without the timestamp: reveals a receiver that leaves the timestamp out, so that an old delivery passes as a new one.";
    StaleTimestamp "stale_timestamp"
        "The delivery is rightly signed as of a day ago: reveals a receiver that takes a recorded delivery at any later time.";
    FutureTimestamp "future_timestamp"
        "The delivery is rightly signed as of a day ahead: reveals a receiver that checks the age of a timestamp but not its sign.";
    ExpiredSecret "expired_secret"
        "The delivery is rightly signed with the secret before the present one: reveals a receiver that still takes a secret which was replaced.";
    WrongAlgorithm "wrong_algorithm"
        "The signature is a plain SHA-256 of the timestamp and the body, which anyone can compute: reveals a receiver that uses no key.";
    PrefixedSignature "prefixed_signature"
        "The right signature is sent behind `sha256=`, as Aghanim never does: reveals a receiver that searches the header for a signature.";
    TwoSignatures "two_signatures"
        "Two signature headers are sent, a wrong one and then the right one: reveals a receiver that is content when any of several fits.";
}

impl fmt::Display for Forgery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl JsonSchema for Forgery {
    fn schema_name() -> Cow<'static, str> {
        "Forgery".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one_of: Vec<_> = Self::ALL
            .into_iter()
            .map(|forgery| json!({ "const": forgery.name(), "description": forgery.about() }))
            .collect();
        json_schema!({
            "description": "A delivery that does not prove where it comes from. A receiver must \
                refuse it and grant nothing.",
            "type": "string",
            "oneOf": one_of,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names as the design lists them.
    const NAMES: &str = "missing_signature missing_timestamp empty_signature wrong_secret \
        truncated_signature garbage_signature tampered_body swapped_timestamp body_only_signature \
        stale_timestamp future_timestamp expired_secret wrong_algorithm prefixed_signature \
        two_signatures";

    #[test]
    fn the_names_are_those_of_the_design() {
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
        let error = serde_json::from_str::<Forgery>("\"wrong_secrets\"").expect_err("no such name");
        assert!(error.to_string().contains("`wrong_secret`"), "{error}");
    }

    #[test]
    fn every_sentence_says_what_is_revealed() {
        for forgery in Forgery::ALL {
            let about = forgery.about();
            assert!(
                about.contains(": reveals ") && about.ends_with('.'),
                "{forgery}: {about}"
            );
        }
    }
}
