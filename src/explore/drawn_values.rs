//! The values that the events of histories are drawn from.

pub(super) const LAYOUTS: [&str; 3] = ["spaced", "indented_crlf", "escaped"];
pub(super) const PLAYER_ENDINGS: [&str; 3] = ["-Łódź", " 🎁", "-ß"];
pub(super) const CODES: [&str; 3] = ["WELCOME", "SUMMER", "welcome"];
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
pub(super) const BUNDLE_SIZES: [usize; 8] = [1, 2, 3, 5, 10, 20, 50, 120];
pub(super) const TEXTS: [&str; 6] = [
    "",
    "Łódź 🎁",
    "it's 100% \\ \"free\"",
    "<b>&amp;</b>",
    "\u{202e}cba",
    "'; --",
];
