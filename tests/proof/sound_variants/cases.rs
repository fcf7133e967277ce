//! The sound receivers, each with its profile and the warnings and gaps that are allowed for it.

use aghook::internals::receiver::Variant;

/// A sound receiver and how the suite runs against it.
pub(crate) struct SoundReceiver {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// How it differs from the plain receiver.
    pub(crate) about: &'static str,
    pub(crate) variants: Vec<Variant>,
    /// More lines of the profile, after target, secret, probes and script.
    pub(crate) profile: &'static str,
    /// Whether the sender obeys `Retry-After`.
    pub(crate) retry_after: bool,
    /// The ALPN protocols that it offers over TLS; empty without TLS.
    pub(crate) protocols: &'static [&'static [u8]],
    /// The number of simultaneous scenarios: more for receivers that make them wait.
    pub(crate) jobs: &'static str,
    /// The allowed warnings, each a scenario file and the subject of a check.
    pub(crate) warned: &'static [(&'static str, &'static str)],
    /// Whether these warnings may be missing, since they need deliveries that really overlap.
    pub(crate) by_chance: bool,
    /// The scenarios that are not checked.
    pub(crate) not_checked: &'static [&'static str],
}

const POLICY: &str =
    "policy: { bundles: nested, sandbox: ignore, test: ignore, item_remove: take }";
/// The default of `--jobs`.
const DEFAULT_JOBS: &str = "8";
const MANY_JOBS: &str = "40";
/// Over HTTP/2, a request can't be cut off together with its connection, and HTTP/1.1's ways to write
/// one do not exist.
const NOT_OVER_HTTP2: &[&str] = &[
    "faults/cut_body",
    "faults/reset",
    "wire/chunked_body",
    "wire/expect_continue",
    "wire/header_names",
];
const DIFFERENT_RESPONSE: &[(&str, &str)] = &[("idempotency/redelivery", "same response")];
/// The scenarios with deliveries that overlap or may overlap.
const SIMULTANEOUS: &[(&str, &str)] = &[
    ("faults/reset", "status"),
    ("faults/restart_in_flight", "status"),
    ("faults/restart_under_load", "status"),
    ("faults/timeout_overlap", "status"),
    ("faults/timeout_overlap_of_large_bundle", "status"),
    ("idempotency/no_late_grant", "status"),
    ("idempotency/simultaneous_redelivery", "status"),
];

/// The scenarios with values that a game may not be able to have.
const BEYOND_LIMITS: &[(&str, &str)] = &[
    ("idempotency/long_keys", "status"),
    ("payload/huge_bundle", "status"),
    ("payload/items_without_item", "status"),
    ("payload/large_quantity", "status"),
    ("payload/long_sku", "status"),
    ("payload/other_item_type", "status"),
    ("payload/zero_character", "status"),
];
/// The scenarios with players that a game may take for one.
const SIMILAR_PLAYERS: &[(&str, &str)] = &[
    ("payload/leading_zeros", "grant of `one`"),
    ("payload/leading_zeros", "grant of `other`"),
    ("payload/similar_players", "grant of `one`"),
    ("payload/similar_players", "grant of `other`"),
    ("payload/similar_players_beyond_ascii", "grant of `one`"),
    ("payload/similar_players_beyond_ascii", "grant of `other`"),
];

impl SoundReceiver {
    fn of(variant: Variant) -> Self {
        Self {
            name: variant.name(),
            about: variant.about(),
            variants: vec![variant],
            profile: POLICY,
            retry_after: false,
            protocols: &[],
            jobs: DEFAULT_JOBS,
            warned: &[],
            by_chance: false,
            not_checked: &[],
        }
    }

    fn plain(name: &'static str, about: &'static str, profile: &'static str) -> Self {
        Self {
            name,
            about,
            variants: Vec::new(),
            profile,
            retry_after: false,
            protocols: &[],
            jobs: DEFAULT_JOBS,
            warned: &[],
            by_chance: false,
            not_checked: &[],
        }
    }
}

/// The plain receiver, the baseline for the others.
pub(crate) fn plain() -> SoundReceiver {
    SoundReceiver::plain("", "", POLICY)
}

/// Every sound receiver.
pub(crate) fn cases() -> Vec<SoundReceiver> {
    let mut cases: Vec<SoundReceiver> = Variant::ALL.into_iter().map(of_variant).collect();
    cases.extend(other_setups());
    cases
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn of_variant(variant: Variant) -> SoundReceiver {
    let case = SoundReceiver::of(variant);
    match variant {
        Variant::Forgery400 => SoundReceiver {
            warned: &[
                ("signature/body_only_signature", "status"),
                ("signature/swapped_timestamp", "status"),
                ("signature/tampered_body", "status"),
                ("signature/wrong_algorithm", "status"),
                ("signature/wrong_secret", "status"),
            ],
            ..case
        },
        Variant::CreditsOnItemAdd => SoundReceiver {
            profile: "policy: { bundles: nested, credit_on: item.add, item_remove: take }",
            ..case
        },
        Variant::CreditsOnEither => SoundReceiver {
            profile: "policy: { bundles: nested, credit_on: either, item_remove: take }",
            ..case
        },
        Variant::CouponsOnly | Variant::ItemAddDeclined => SoundReceiver {
            profile: "policy: { bundles: nested, credit_on: coupon.redeemed }",
            ..case
        },
        Variant::AsciiIdsOnly => SoundReceiver {
            warned: &[
                ("payload/player_beyond_ascii", "status"),
                ("payload/similar_players_beyond_ascii", "status"),
                ("wire/split_letters_of_player", "status"),
            ],
            ..case
        },
        Variant::OwnPlayersOnly => SoundReceiver {
            profile: "players: ['player-{0..299}', player-Zoë-水晶, player-a, player-A, 'player-a ', \
                      player-é, player-e, \"player-e\\u0301\", player-水, player-氶, \
                      player-z, 'player-z:eu', 'player-z-eu', player-z_eu, 'player-z|eu', \
                      'player-%41', player-+1]\n    \
                      policy: { bundles: nested, sandbox: ignore, test: ignore }",
            not_checked: &["payload/leading_zeros", "payload/player_like_number"],
            ..case
        },
        Variant::LimitedValues => SoundReceiver {
            warned: BEYOND_LIMITS,
            ..case
        },
        Variant::SimilarPlayersMerged => SoundReceiver {
            warned: SIMILAR_PLAYERS,
            ..case
        },
        Variant::SandboxDenied => SoundReceiver {
            warned: &[
                ("context/sandbox", "status"),
                ("context/test_trigger", "status"),
            ],
            ..case
        },
        Variant::RedeliveryDiffers | Variant::AnswersNumbered => SoundReceiver {
            warned: DIFFERENT_RESPONSE,
            ..case
        },
        Variant::RetryAfter => SoundReceiver {
            profile: "policy: { bundles: nested, sandbox: ignore, test: ignore }",
            retry_after: true,
            ..case
        },
        Variant::RateLimited => SoundReceiver {
            profile: "policy: { bundles: nested, sandbox: ignore, test: ignore }\n    \
                      max_rate: 8/s",
            ..case
        },
        Variant::HeldOnce => SoundReceiver {
            profile: "policy: { bundles: nested, sandbox: ignore, test: ignore }\n    \
                      items:\n    \
                      - { sku: hat, stackable: false }\n    \
                      - { sku: cape, stackable: false }\n    \
                      - { sku: boots, stackable: false }",
            not_checked: &[
                "payload/joined_ids",
                "payload/long_sku",
                "redemption/coupon_after_removal",
                "redemption/item_remove",
                "redemption/redelivery_after_removal",
            ],
            ..case
        },
        Variant::AsynchronousGrants => SoundReceiver {
            profile: "policy: { bundles: nested, sandbox: ignore, test: ignore }\n    settle: 3s",
            jobs: MANY_JOBS,
            ..case
        },
        Variant::KeysKeptADay => SoundReceiver {
            warned: &[("idempotency/redelivery_after_days", "grant of `coupon`")],
            ..case
        },
        Variant::UnhurriedAnswers => SoundReceiver {
            jobs: MANY_JOBS,
            ..case
        },
        Variant::BundleBySku => SoundReceiver {
            profile: "policy: { bundles: sku, sandbox: ignore, test: ignore }",
            ..case
        },
        Variant::BundlePartsBySku => SoundReceiver {
            profile: "policy: { bundles: parts, sandbox: ignore, test: ignore }",
            ..case
        },
        Variant::SandboxAndTestGranted => SoundReceiver {
            profile: "policy: { bundles: nested, sandbox: grant, test: grant }",
            ..case
        },
        Variant::FreshnessUnlimited => SoundReceiver {
            warned: &[
                ("signature/future_timestamp", "no grant of `coupon`"),
                ("signature/future_timestamp", "status"),
                ("signature/malformed_timestamp", "no grant of `coupon`"),
                ("signature/malformed_timestamp", "status"),
                ("signature/stale_timestamp", "no grant of `coupon`"),
                ("signature/stale_timestamp", "status"),
            ],
            ..case
        },
        Variant::LittleAheadAccepted => SoundReceiver {
            warned: &[
                ("signature/clock_ahead", "grant of `coupon`"),
                ("signature/clock_ahead", "status"),
            ],
            ..case
        },
        Variant::InProgress409 | Variant::InProgress503 => SoundReceiver {
            warned: SIMULTANEOUS,
            jobs: MANY_JOBS,
            by_chance: true,
            ..case
        },
        _ => case,
    }
}

/// Receivers with other profiles or protocols, or with several variants.
fn other_setups() -> Vec<SoundReceiver> {
    let open = "policy: {}";
    let open_of = |name, about, variant| SoundReceiver {
        name,
        about,
        profile: open,
        ..SoundReceiver::of(variant)
    };
    vec![
        SoundReceiver::plain("open policy", "The profile has no policy.", open),
        open_of(
            "bundle_by_sku, open policy",
            "A bundle is granted by its own SKU, but the profile does not state this.",
            Variant::BundleBySku,
        ),
        open_of(
            "bundle_parts_by_sku, open policy",
            "Each part of a bundle is granted by its own SKU, but the profile does not state this.",
            Variant::BundlePartsBySku,
        ),
        open_of(
            "sandbox_and_test_granted, open policy",
            "Sandbox and test events are granted, but the profile does not state this.",
            Variant::SandboxAndTestGranted,
        ),
        open_of(
            "credits_on_either, open policy",
            "A coupon is credited on whichever event arrives first, but the profile does not state this.",
            Variant::CreditsOnEither,
        ),
        open_of(
            "coupons_only, open policy",
            "`item.add` and `item.remove` are unknown types, but the profile does not state this.",
            Variant::CouponsOnly,
        ),
        SoundReceiver {
            jobs: MANY_JOBS,
            ..open_of(
                "asynchronous_grants, no settle",
                "Grants show 300 ms after the response, but the profile does not state this.",
                Variant::AsynchronousGrants,
            )
        },
        SoundReceiver {
            variants: vec![
                Variant::AsynchronousGrants,
                Variant::Accepted202,
                Variant::GzipAnswers,
                Variant::FallbackGranted,
            ],
            jobs: MANY_JOBS,
            ..SoundReceiver::plain(
                "several variants",
                "It responds with 202 and a compressed body, grants asynchronously, and grants the fallback.",
                "settle: 3s",
            )
        },
        SoundReceiver {
            not_checked: NOT_OVER_HTTP2,
            ..SoundReceiver::plain(
                "HTTP/2 by prior knowledge",
                "HTTP/2 without TLS.",
                "http_version: '2'\n    policy: { bundles: nested, sandbox: ignore, test: ignore }",
            )
        },
        SoundReceiver {
            protocols: &[b"h2"],
            not_checked: NOT_OVER_HTTP2,
            ..SoundReceiver::plain(
                "HTTP/2 over TLS",
                "Only HTTP/2, selected by ALPN.",
                "http_version: '2'\n    policy: { bundles: nested, sandbox: ignore, test: ignore }",
            )
        },
        SoundReceiver {
            protocols: &[b"h2", b"http/1.1"],
            ..SoundReceiver::plain(
                "either version over TLS",
                "HTTP/2 if possible, selected by ALPN.",
                "http_version: auto\n    policy: { bundles: nested, sandbox: ignore, test: ignore }",
            )
        },
        SoundReceiver {
            protocols: &[b"http/1.1"],
            ..SoundReceiver::plain("HTTP/1.1 over TLS", "TLS, otherwise plain.", POLICY)
        },
    ]
}
