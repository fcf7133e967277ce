//! The values that histories are drawn from.

use crate::policy::Forgery;

/// The forgeries that a receiver must refuse.
pub(super) const FORGERIES: [Forgery; 18] = [
    Forgery::MissingSignature,
    Forgery::MissingTimestamp,
    Forgery::EmptySignature,
    Forgery::WrongSecret,
    Forgery::TruncatedSignature,
    Forgery::GarbageSignature,
    Forgery::TamperedBody,
    Forgery::SwappedTimestamp,
    Forgery::BodyOnlySignature,
    Forgery::ExpiredSecret,
    Forgery::WrongAlgorithm,
    Forgery::EmptySecret,
    Forgery::BlankSecret,
    Forgery::GuessedSecret,
    Forgery::GuessedChangeme,
    Forgery::GuessedNull,
    Forgery::GuessedUndefined,
    Forgery::GuessedHeaderName,
];
pub(super) const LAYOUTS: [&str; 8] = [
    "spaced",
    "indented",
    "indented_crlf",
    "escaped",
    "escaped_slashes",
    "reordered",
    "trailing_newline",
    "leading_whitespace",
];
/// One has letters with accents, and letters beyond Latin-1.
pub(super) const PLAYER_ENDINGS: [&str; 6] = [POLISH, " 🎁", "-ß", "-Zoé", "%41", "+1"];
pub(super) const POLISH: &str = "-Łódź";
pub(super) const CODES: [&str; 4] = ["WELCOME", "SUMMER", "welcome", "TESTERS"];
pub(super) const TRIGGERS: [Option<&str>; 4] =
    [Some("test"), None, Some("hub.purchase"), Some("s2s.coupon")];
pub(super) const ITEM_TYPES: [&str; 4] = ["currency", "lootbox", "subscription", "vc"];
/// Quantities around the limits of number types, and small ones.
pub(super) const QUANTITIES: [u64; 12] = [
    1,
    2,
    3,
    10,
    127,
    255,
    32_767,
    65_535,
    16_777_217,
    2_147_483_647,
    4_294_967_295,
    5_000_000_000,
];
pub(super) const LENGTHS: [usize; 9] = [1, 64, 255, 256, 1_000, 5_000, 20_000, 70_000, 150_000];
/// The sizes of bundles whose items are listed, and of those whose items are generated.
pub(super) const BUNDLE_SIZES: [usize; 4] = [1, 2, 3, 5];
pub(super) const LARGE_BUNDLE_SIZES: [u64; 5] = [10, 20, 50, 120, 400];
/// How many different SKUs these have.
pub(super) const BUNDLE_SKUS: [u64; 4] = [1, 2, 5, 40];
/// Texts that are awkward in HTML, SQL, templates, logs, spreadsheets and columns, as they are written
/// in a scenario file.
pub(super) const TEXTS: [&str; 8] = [
    "",
    "Łódź 🎁",
    "it's 100% \\ \"free\" %s {0} /a",
    "<script>alert(1)</script> &amp;",
    "\u{202e}cba",
    "' OR '1'='1'; --",
    "$${jndi:ldap://127.0.0.1/a} {{7*7}}",
    "=1+1\n\u{1b}[31mred",
];
pub(super) const CLOCK_OFFSETS: [&str; 4] = ["+2s", "+30s", "-2s", "-1m"];
