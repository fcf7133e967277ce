//! The variants by name, with what each does. How each is done is in the files beside this one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One table: the variant, its name, and what it does.
macro_rules! variants {
    ($($variant:ident $name:literal $about:literal;)*) => {
        /// A way in which sound receivers differ from this one. Whoever blames one for it is wrong.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum Variant {
            $(
                #[doc = $about]
                #[serde(rename = $name)]
                $variant,
            )*
        }

        impl Variant {
            /// Every variant, in the order in which they are listed to users.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One sentence: what is different.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

variants! {
    // The status of the answer.
    Created201 "created_201"
        "Success is answered 201.";
    Accepted202 "accepted_202"
        "Success is answered 202.";
    NoContent204 "no_content_204"
        "Success is answered 204, which has no body.";
    Forgery400 "forgery_400"
        "Forgeries are answered 400.";
    Forgery401 "forgery_401"
        "Forgeries are answered 401.";
    UnknownType200 "unknown_type_200"
        "An event of an unknown type is passed over and answered 200, as by a receiver that is registered for every event.";
    SandboxDenied "sandbox_denied"
        "Sandbox and test events are denied with 403 rather than acknowledged without a grant.";
    AsciiIdsOnly "ascii_ids_only"
        "An event with a player or an SKU beyond ASCII, which the game can't have, is refused with 422.";

    OwnPlayersOnly "own_players_only"
        "An event of a player whose ID does not begin with `player-`, whom the game does not know, is refused with 404.";

    // Its body.
    BodyArray "body_array"
        "The body of an answer is a JSON array.";
    BodyNested "body_nested"
        "The body of an answer is a JSON object in an object.";
    BodyEmptyObject "body_empty_object"
        "The body of an answer is `{}`.";
    BodyText "body_text"
        "The body of an answer is plain text.";
    BodyNone "body_none"
        "An answer has no body, whatever its status.";
    BodyHuge "body_huge"
        "The body of an answer has 300 KiB, more than is kept of it.";
    RedeliveryDiffers "redelivery_differs"
        "A redelivery is answered 200 with a body that says so, and not that of the first answer.";
    AnswersNumbered "answers_numbered"
        "Every answer bears a number of its own, as others do with a request ID or the time.";

    // How it travels.
    GzipAnswers "gzip_answers"
        "Every answer, a probe's as well, is compressed with gzip, with its time of compression inside.";
    ChunkedAnswers "chunked_answers"
        "Every answer is chunked, without a `Content-Length`.";
    ConnectionClosed "connection_closed"
        "Every answer closes its connection (`Connection: close`).";
    Http10Answers "http_1_0_answers"
        "Every answer is of HTTP/1.0, after which the connection is closed.";
    TitleCaseHeaders "title_case_headers"
        "The names of headers are in title case on HTTP/1.1, and not in lower case.";
    ManyHeaders "many_headers"
        "Every answer has 60 more headers, cookies among them.";
    RetryAfter "retry_after"
        "429 and 503 come with `Retry-After: 1`.";
    UnhurriedAnswers "unhurried_answers"
        "Deliveries are answered 150 ms after they were taken.";
    EarlyRefusal "early_refusal"
        "A delivery without a signature or a timestamp is refused before its body is read.";

    // What is granted, and when it shows.
    AsynchronousGrants "asynchronous_grants"
        "Key and grant are written down before the answer, and what a player holds shows the grant 300 ms after it.";
    BundleBySku "bundle_by_sku"
        "A bundle is granted by its own SKU.";
    BundleQuantityIgnored "bundle_quantity_ignored"
        "The quantity of a bundle does not multiply what is in it.";
    FallbackGranted "fallback_granted"
        "The main item of an event that has a fallback is unknown to the game, so the fallback is granted.";
    SandboxAndTestGranted "sandbox_and_test_granted"
        "Sandbox and test events are granted as live ones.";
    HeldOnce "held_once"
        "A player holds one of each item at most: what would make more of it is taken, and changes nothing.";
    NothingHeld404 "nothing_held_404"
        "The probe answers 404 for what a player does not hold.";

    // Who is let in, and when.
    FreshnessUnlimited "freshness_unlimited"
        "A signature is good at any time, as in Aghanim's public template.";
    RateLimited "rate_limited"
        "Ten deliveries a second are taken; more are answered 429 with `Retry-After: 1`, whoever sent them.";
    GrantedSignatureRefused "granted_signature_refused"
        "A signature whose coupon was granted is refused with 403 as a replay, so that each delivery needs one of its own.";
    InProgress409 "in_progress_409"
        "While a first delivery is worked on, for 300 ms, others of its key are answered 409, and 200 afterwards.";
    InProgress503 "in_progress_503"
        "While a first delivery is worked on, for 300 ms, others of its key are answered 503 with `Retry-After`, and 200 afterwards.";
}

impl Variant {
    /// The variant of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.name() == name)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for variant in Variant::ALL {
            let json = serde_json::to_string(&variant).expect("serialises");
            assert_eq!(json, format!("\"{variant}\""));
            assert_eq!(serde_json::from_str::<Variant>(&json).ok(), Some(variant));
            assert_eq!(Variant::from_name(variant.name()), Some(variant));
        }
        assert_eq!(Variant::from_name("gzip"), None);
    }

    #[test]
    fn every_variant_says_what_is_different_in_one_sentence() {
        for variant in Variant::ALL {
            let about = variant.about();
            assert!(about.ends_with('.') && !about.contains('|'), "{variant}");
        }
    }
}
