//! The formats of the IDs, filled from random bytes.
//!
//! The formats come from the examples in `docs/protocol.md` `[S]`. The source does not say which
//! characters Aghanim uses; letters and digits are our reading of the examples. `[A]`

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

pub(super) const LETTERS_AND_DIGITS: &[u8; 62] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const CAPITALS_AND_DIGITS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// Capitals and digits that are not easily confused when typing a code.
const CODE_CHARACTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// The IDs of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventIds {
    pub(crate) event: String,
    pub(crate) idempotency_key: String,
    pub(crate) request: String,
}

impl EventIds {
    pub(crate) fn random(random: &mut impl Rng) -> Self {
        Self {
            event: event_id(random.random()),
            idempotency_key: idempotency_key(random.random()),
            request: uuid(random.random()),
        }
    }

    /// The ID of a transaction, which several events may share.
    pub(crate) fn random_transaction(random: &mut impl Rng) -> String {
        transaction_id(random.random())
    }
}

/// A prefix and 11 letters or digits, as in Aghanim's examples.
pub(crate) fn random_id(prefix: &str, random: &mut impl Rng) -> String {
    prefixed(prefix, &random.random::<[u8; 11]>())
}

/// `whevt_` followed by 26 letters or digits.
pub(super) fn event_id(random: [u8; 26]) -> String {
    prefixed("whevt_", &random)
}

/// `idmpt_` followed by base64. The visible part of the source's example decodes to ASCII, so this
/// is the base64 of 24 letters and digits. `[A]`
pub(super) fn idempotency_key(random: [u8; 24]) -> String {
    let text = random.map(|byte| to_character(byte, LETTERS_AND_DIGITS));
    let mut key = String::with_capacity(6 + 32);
    key.push_str("idmpt_");
    STANDARD.encode_string(text, &mut key);
    key
}

/// `whtx_` followed by 11 letters or digits.
pub(super) fn transaction_id(random: [u8; 11]) -> String {
    prefixed("whtx_", &random)
}

/// `ord_` followed by 11 letters or digits. An assumption: no public source shows an order ID.
/// `[A]`
pub(super) fn order_id(random: [u8; 11]) -> String {
    prefixed("ord_", &random)
}

/// `itm_` followed by 11 letters or digits derived from the SKU, so that an item has the same ID
/// everywhere.
pub(super) fn item_id(sku: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(sku).into();
    prefixed("itm_", &digest[..11])
}

/// A player ID, such as `2D2R-OP3C`.
pub(super) fn player_id(random: [u8; 8]) -> String {
    in_two_halves(random, CAPITALS_AND_DIGITS)
}

/// A personal redeem code, such as `7KX2-QM4P`.
pub(super) fn personal_code(random: [u8; 8]) -> String {
    in_two_halves(random, CODE_CHARACTERS)
}

/// An ID of this many characters, with the prefix if it is longer. Its characters are derived from
/// random bytes.
pub(super) fn of_length(prefix: &str, random: &[u8], length: usize) -> String {
    let prefix = prefix.chars().take(length).collect();
    lengthened(prefix, LETTERS_AND_DIGITS, random, length)
}

/// `id` with characters that are derived from random bytes, until it has `length` bytes.
pub(super) fn lengthened(
    mut id: String,
    characters: &[u8],
    random: &[u8],
    length: usize,
) -> String {
    let mut stream = derived(random);
    while id.len() < length {
        id.push(char::from(to_character(stream.random(), characters)));
    }
    id
}

/// An odd number of 18 digits that is derived from random bytes.
pub(super) fn digits(random: &[u8]) -> String {
    let half = derived(random).random_range(50_000_000_000_000_000..500_000_000_000_000_000_u64);
    (2 * half + 1).to_string()
}

/// A UUID that is derived from random bytes.
pub(super) fn derived_uuid(random: &[u8]) -> String {
    uuid(derived(random).random())
}

fn derived(random: &[u8]) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(Sha256::digest(random).into())
}

pub(super) fn uuid(random: [u8; 16]) -> String {
    let uuid = uuid::Builder::from_random_bytes(random).into_uuid();
    let mut buffer = uuid::Uuid::encode_buffer();
    uuid.hyphenated().encode_lower(&mut buffer).to_owned()
}

fn prefixed(prefix: &str, random: &[u8]) -> String {
    let mut id = String::with_capacity(prefix.len() + random.len());
    id.push_str(prefix);
    let characters = random
        .iter()
        .map(|byte| to_character(*byte, LETTERS_AND_DIGITS));
    id.extend(characters.map(char::from));
    id
}

fn in_two_halves(random: [u8; 8], characters: &[u8]) -> String {
    let mut id = String::with_capacity(9);
    for (position, byte) in random.iter().enumerate() {
        if position == 4 {
            id.push('-');
        }
        id.push(char::from(to_character(*byte, characters)));
    }
    id
}

/// Maps a random byte to a character. The distribution is slightly uneven, which does not matter
/// for test IDs.
fn to_character(byte: u8, characters: &[u8]) -> u8 {
    characters[(usize::from(byte) * characters.len()) >> 8]
}
