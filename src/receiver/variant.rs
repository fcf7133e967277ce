//! The names of the variants and what each changes. `imitation::variants` implements them.

use super::named_enum::named_enum;

named_enum! {
    /// A way in which sound receivers differ from this one. A test suite must not fail it.
    Variant {
        // The status of the response.
        Created201 "created_201"
            "Answers success with 201.";
        Accepted202 "accepted_202"
            "Answers success with 202.";
        NoContent204 "no_content_204"
            "Answers success with 204, which has no body.";
        Forgery400 "forgery_400"
            "Answers forgeries with 400.";
        Forgery401 "forgery_401"
            "Answers forgeries with 401.";
        UnknownType200 "unknown_type_200"
            "Ignores events of unknown types and answers them with 200, like a receiver that is registered for every event.";
        UnknownType202 "unknown_type_202"
            "Answers events of unknown types with 202, as Aghanim's scaffolding skill recommends.";
        CouponsOnly "coupons_only"
            "Handles only `coupon.redeemed`: `item.add` and `item.remove` are unknown types.";
        ItemAddDeclined "item_add_declined"
            "Declines `item.add` of a coupon with 400 and `code: declined`, because `coupon.redeemed` grants it.";
        SandboxDenied "sandbox_denied"
            "Denies sandbox and test events with 403 instead of acknowledging them without a grant.";
        AsciiIdsOnly "ascii_ids_only"
            "Refuses an event with a non-ASCII player ID or SKU with 422, because the game can't have such IDs.";
        OwnPlayersOnly "own_players_only"
            "Refuses an event with 404 if its player ID does not start with `player-`, because the game does not know that player.";

        LimitedValues "limited_values"
            "Refuses with 422 what its game can't have: bodies above 64 KiB, idempotency keys above 191 and SKUs above 100 characters, more than 1,000,000 of an item, undocumented item types, zero characters in names, and events without `item`.";
        SimilarPlayersMerged "similar_players_merged"
            "Takes player IDs for equal that differ only in case, accents, a space at the end or zeros at the beginning, because the game's IDs can't differ in these.";

        // The body of the response.
        BodyArray "body_array"
            "Response bodies are JSON arrays.";
        BodyNested "body_nested"
            "Response bodies are nested JSON objects.";
        BodyEmptyObject "body_empty_object"
            "Response bodies are `{}`.";
        BodyText "body_text"
            "Response bodies are plain text.";
        BodyNone "body_none"
            "Responses have no body, whatever their status.";
        BodyHuge "body_huge"
            "Response bodies are 300 KiB, more than aghook keeps.";
        RedeliveryDiffers "redelivery_differs"
            "Answers a redelivery with 200 and a body that says so, instead of repeating the first response's body.";
        AnswersNumbered "answers_numbered"
            "Every response contains a different number, like a request ID or the time.";

        // How the response is sent.
        GzipAnswers "gzip_answers"
            "Compresses every response with gzip, including the probe's, and stores the compression time inside.";
        ChunkedAnswers "chunked_answers"
            "Sends every response chunked, without `Content-Length`.";
        ConnectionClosed "connection_closed"
            "Closes the connection after every response (`Connection: close`).";
        Http10Answers "http_1_0_answers"
            "Responds with HTTP/1.0 and then closes the connection.";
        TitleCaseHeaders "title_case_headers"
            "Sends header names in title case instead of lower case on HTTP/1.1.";
        ManyHeaders "many_headers"
            "Adds 60 headers to every response, including cookies.";
        RetryAfter "retry_after"
            "Adds `Retry-After: 1` to 429 and 503 responses.";
        UnhurriedAnswers "unhurried_answers"
            "Delays the response to every delivery by 150 ms.";
        EarlyRefusal "early_refusal"
            "Refuses a delivery without a signature or timestamp before reading its body.";

        // What is granted, and when the probe shows it.
        AsynchronousGrants "asynchronous_grants"
            "Records the key and the grant before the response, but shows the grant in the inventory only 300 ms later.";
        Mailbox "mailbox"
            "Answers 200 if a player has no room for an item, keeps the item in a mailbox, and grants it as soon as there is room.";
        BundleBySku "bundle_by_sku"
            "Grants a bundle by its own SKU.";
        BundlePartsBySku "bundle_parts_by_sku"
            "Grants each part of a bundle by its own SKU, even if it is a bundle itself.";
        BundleQuantityIgnored "bundle_quantity_ignored"
            "Does not multiply the contents of a bundle by the bundle's quantity.";
        FallbackGranted "fallback_granted"
            "Grants the fallback of every item that has one, as if the game did not know the main item.";
        CreditsOnItemAdd "credits_on_item_add"
            "Credits a coupon on `item.add`, and nothing on `coupon.redeemed`.";
        CreditsOnEither "credits_on_either"
            "Credits a coupon on `coupon.redeemed` or `item.add`, whichever arrives first.";
        SandboxAndTestGranted "sandbox_and_test_granted"
            "Grants sandbox and test events like live ones.";
        HeldOnce "held_once"
            "A player can hold at most one of each item, and further grants are accepted but change nothing.";
        NothingHeld404 "nothing_held_404"
            "The probe returns 404 for an item that the player does not hold.";

        // Which deliveries are refused, and when.
        FreshnessUnlimited "freshness_unlimited"
            "Accepts a signature of any age, like Aghanim's public template.";
        LittleAheadAccepted "little_ahead_accepted"
            "Refuses a timestamp that is more than 5 s ahead of its clock, while it may be 5 min old.";
        RateLimited "rate_limited"
            "Accepts ten deliveries per second and answers more with 429 and `Retry-After: 1`, whoever sent them.";
        GrantedSignatureRefused "granted_signature_refused"
            "Refuses the signature of a granted coupon as a replay with 403, so each delivery needs a new signature.";
        InProgress409 "in_progress_409"
            "Needs 300 ms to process a first delivery and meanwhile answers others with the same key with 409, later with 200.";
        InProgress503 "in_progress_503"
            "Needs 300 ms to process a first delivery and meanwhile answers others with the same key with 503 and `Retry-After`, later with 200.";
        KeysKeptADay "keys_kept_a_day"
            "Remembers idempotency keys for a day, which is longer than most senders retry.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_round_trips() {
        for variant in Variant::ALL {
            let json = serde_json::to_string(&variant).expect("serialises");
            assert_eq!(json, format!("\"{variant}\""));
            assert_eq!(serde_json::from_str::<Variant>(&json).ok(), Some(variant));
            assert_eq!(Variant::from_name(variant.name()), Some(variant));
        }
        assert_eq!(Variant::from_name("gzip"), None);
    }

    #[test]
    fn every_description_is_one_sentence() {
        for variant in Variant::ALL {
            let about = variant.about();
            assert!(about.ends_with('.') && !about.contains('|'), "{variant}");
        }
    }
}
