//! Which sound receivers there are, with the profile that fits each and what is rightly said of it.

use aghook::receiver::Variant;

/// A sound receiver and how it is met.
pub(crate) struct Case {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    /// What is different about it.
    pub(crate) about: &'static str,
    pub(crate) variants: Vec<Variant>,
    /// Lines of the profile besides target, secret, probes and script.
    pub(crate) profile: &'static str,
    /// What TLS offers; none where it is not encrypted.
    pub(crate) protocols: &'static [&'static [u8]],
    /// How many scenarios run at the same time: many, where they mostly wait.
    pub(crate) jobs: &'static str,
    /// The warnings that it lawfully gets, each a scenario's file and a check's subject.
    pub(crate) warned: &'static [(&'static str, &'static str)],
    /// Whether those warnings depend on deliveries that really meet, and so may be missing.
    pub(crate) by_chance: bool,
    /// The scenarios of which it is said that they are not checked.
    pub(crate) not_checked: &'static [&'static str],
}

const POLICY: &str = "policy: { bundles: nested, sandbox: ignore, test: ignore }";
/// As many as a run without `--jobs` has.
const USUAL_JOBS: &str = "8";
const MANY_JOBS: &str = "40";
/// HTTP/2 has no such thing as a connection that breaks with its request.
const NOT_OVER_HTTP2: &[&str] = &["faults/cut_body", "faults/reset"];
const OTHER_ANSWER: &[(&str, &str)] = &[("idempotency/redelivery", "same response")];
/// Those that are simultaneous, or may come to be.
const SIMULTANEOUS: &[(&str, &str)] = &[
    ("faults/reset", "status"),
    ("faults/timeout_overlap", "status"),
    ("idempotency/simultaneous_coupons", "status"),
    ("idempotency/simultaneous_redelivery", "status"),
];

impl Case {
    fn of(variant: Variant) -> Self {
        Self {
            name: variant.name(),
            about: variant.about(),
            variants: vec![variant],
            profile: POLICY,
            protocols: &[],
            jobs: USUAL_JOBS,
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
            protocols: &[],
            jobs: USUAL_JOBS,
            warned: &[],
            by_chance: false,
            not_checked: &[],
        }
    }
}

/// The receiver as it is, by which the others are measured.
pub(crate) fn plain() -> Case {
    Case::plain("", "", POLICY)
}

/// Every sound receiver.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Variant::ALL.into_iter().map(of_variant).collect();
    cases.extend(ways_of_meeting());
    cases
}

fn of_variant(variant: Variant) -> Case {
    let case = Case::of(variant);
    match variant {
        Variant::Forgery400 => Case {
            warned: &[
                ("signature/body_only_signature", "status"),
                ("signature/swapped_timestamp", "status"),
                ("signature/tampered_body", "status"),
                ("signature/wrong_algorithm", "status"),
                ("signature/wrong_secret", "status"),
            ],
            ..case
        },
        Variant::UnknownType200 => Case {
            warned: &[("payload/other_event_type", "status")],
            ..case
        },
        Variant::AsciiIdsOnly => Case {
            warned: &[("payload/player_beyond_ascii", "status")],
            ..case
        },
        Variant::OwnPlayersOnly => Case {
            profile: "players: ['player-{0..199}', player-Zoë-水晶]\n    \
                      policy: { bundles: nested, sandbox: ignore, test: ignore }",
            ..case
        },
        Variant::SandboxDenied => Case {
            warned: &[
                ("context/sandbox", "status"),
                ("context/test_trigger", "status"),
            ],
            ..case
        },
        Variant::RedeliveryDiffers | Variant::AnswersNumbered => Case {
            warned: OTHER_ANSWER,
            ..case
        },
        Variant::RetryAfter => Case {
            profile: "policy: { bundles: nested, sandbox: ignore, test: ignore }\n    \
                      retry: { retry_after: true }",
            ..case
        },
        Variant::RateLimited => Case {
            profile: "policy: { bundles: nested, sandbox: ignore, test: ignore }\n    \
                      max_rate: 8/s",
            ..case
        },
        Variant::HeldOnce => Case {
            profile: "policy: { bundles: nested, sandbox: ignore, test: ignore }\n    \
                      items:\n    \
                      - { sku: hat, stackable: false }\n    \
                      - { sku: cape, stackable: false }\n    \
                      - { sku: boots, stackable: false }",
            ..case
        },
        Variant::AsynchronousGrants => Case {
            profile: "policy: { bundles: nested, sandbox: ignore, test: ignore }\n    settle: 3s",
            jobs: MANY_JOBS,
            ..case
        },
        Variant::UnhurriedAnswers => Case {
            jobs: MANY_JOBS,
            ..case
        },
        Variant::BundleBySku => Case {
            profile: "policy: { bundles: sku, sandbox: ignore, test: ignore }",
            ..case
        },
        Variant::SandboxAndTestGranted => Case {
            profile: "policy: { bundles: nested, sandbox: grant, test: grant }",
            ..case
        },
        Variant::FreshnessUnlimited => Case {
            warned: &[
                ("signature/future_timestamp", "not granted forged"),
                ("signature/future_timestamp", "status"),
                ("signature/stale_timestamp", "not granted forged"),
                ("signature/stale_timestamp", "status"),
            ],
            ..case
        },
        Variant::InProgress409 | Variant::InProgress503 => Case {
            warned: SIMULTANEOUS,
            jobs: MANY_JOBS,
            by_chance: true,
            ..case
        },
        _ => case,
    }
}

/// Receivers that are as usual, and met otherwise.
fn ways_of_meeting() -> Vec<Case> {
    let open = "policy: {}";
    let open_of = |name, about, variant| Case {
        name,
        about,
        profile: open,
        ..Case::of(variant)
    };
    vec![
        Case::plain(
            "open policy",
            "Nothing is known of the game's choices.",
            open,
        ),
        open_of(
            "bundle_by_sku, open policy",
            "A bundle is granted by its own SKU, and the profile does not say so.",
            Variant::BundleBySku,
        ),
        open_of(
            "sandbox_and_test_granted, open policy",
            "Sandbox and test events are granted, and the profile does not say so.",
            Variant::SandboxAndTestGranted,
        ),
        Case {
            jobs: MANY_JOBS,
            ..open_of(
                "asynchronous_grants, no settle",
                "Grants show 300 ms after the answer, and the profile does not say so.",
                Variant::AsynchronousGrants,
            )
        },
        Case {
            variants: vec![
                Variant::AsynchronousGrants,
                Variant::Accepted202,
                Variant::GzipAnswers,
                Variant::FallbackGranted,
            ],
            jobs: MANY_JOBS,
            ..Case::plain(
                "several at once",
                "202, compressed, asynchronous, and the fallback is granted.",
                "settle: 3s",
            )
        },
        Case {
            not_checked: NOT_OVER_HTTP2,
            ..Case::plain(
                "HTTP/2 by prior knowledge",
                "HTTP/2 without encryption.",
                "http_version: '2'\n    policy: { bundles: nested, sandbox: ignore, test: ignore }",
            )
        },
        Case {
            protocols: &[b"h2"],
            not_checked: NOT_OVER_HTTP2,
            ..Case::plain(
                "HTTP/2 over TLS",
                "HTTP/2 alone, by ALPN.",
                "http_version: '2'\n    policy: { bundles: nested, sandbox: ignore, test: ignore }",
            )
        },
        Case {
            protocols: &[b"h2", b"http/1.1"],
            ..Case::plain(
                "either version over TLS",
                "HTTP/2 where it can be had, by ALPN.",
                "http_version: auto\n    policy: { bundles: nested, sandbox: ignore, test: ignore }",
            )
        },
        Case {
            protocols: &[b"http/1.1"],
            ..Case::plain("HTTP/1.1 over TLS", "Encrypted, and else as usual.", POLICY)
        },
    ]
}
