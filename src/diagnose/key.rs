//! Mistakes in the key: another webhook's secret, or this one with something added, removed or
//! decoded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretSlice};

use crate::protocol::Secret;

use super::mistake::{Candidates, Mistake, mistakes};
use super::notation::decode_base64;

/// A key, and the index of the secret that it comes from.
pub(super) struct Key {
    bytes: SecretSlice<u8>,
    pub(super) secret: usize,
}

impl Key {
    pub(super) fn expose_bytes(&self) -> &[u8] {
        self.bytes.expose_secret()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.expose_bytes() == other.expose_bytes()
    }
}

const ADDED: &str = "Remove it when you read the secret: files often end with a newline, and some \
                     `.env` readers keep quotation marks.";

mistakes! {
    "Use the secret's exact text as UTF-8 bytes.";
    OTHER_SECRET "other_secret" "The signature was made with a different one of the given secrets."
        "Use the same secret on both sides. Each webhook has its own secret, and an expired one stops \
         working. While you replace a secret, accept both the old and the new one.";
    WHITESPACE "secret_has_whitespace"
        "The given secret has whitespace around it, but the signature was made without it."
        "Trim the secret when you read it, and write it with `printf %s`, because `echo` adds a newline.";
    NEWLINE "secret_newline" "The signature was made with a newline at the end of the secret." ADDED;
    WINDOWS_NEWLINE "secret_newline"
        "The signature was made with a Windows newline at the end of the secret." ADDED;
    SPACE_AFTER "secret_space" "The signature was made with a space at the end of the secret." ADDED;
    SPACE_BEFORE "secret_space" "The signature was made with a space before the secret." ADDED;
    SPACES_AROUND "secret_space" "The signature was made with spaces around the secret." ADDED;
    QUOTED "secret_quoted" "The signature was made with quotation marks around the secret." ADDED;
    BYTE_ORDER_MARK "secret_byte_order_mark"
        "The signature was made with a byte order mark before the secret." ADDED;
    HAS_QUOTES "secret_has_quotes"
        "The given secret has quotation marks or a byte order mark around it, but the signature was \
         made without them."
        "Remove them when you read the secret: some `.env` readers keep them.";
    EMPTY "secret_empty" "The signature was made with an empty secret."
        "Check that the secret's environment variable is set in the program that signs, and refuse to \
         start without it.";
    HEX_DECODED "secret_hex_decoded" "The secret was decoded from hex before signing.";
    BASE64_DECODED "secret_base64_decoded" "The secret was decoded from base64 before signing."
        "Use the secret's exact text as UTF-8 bytes. If your deployment stores it in base64, decode it \
         on both sides.";
    PREFIX "secret_prefix_removed"
        "The secret's prefix up to the first `_` was removed before signing."
        "Use the whole secret, including its prefix.";
    BASE64_ENCODED "secret_base64_encoded" "The secret was encoded as base64 before signing."
        "Decode the secret when you read it, or use its exact text.";
    HEX_ENCODED "secret_hex_encoded" "The secret was encoded as hex before signing."
        "Decode the secret when you read it, or use its exact text.";
}

/// What may have been added before and after a secret.
const SURROUNDINGS: [(&str, &str, Mistake); 8] = [
    ("", "\n", NEWLINE),
    ("", "\r\n", WINDOWS_NEWLINE),
    ("", " ", SPACE_AFTER),
    (" ", "", SPACE_BEFORE),
    (" ", " ", SPACES_AROUND),
    ("\"", "\"", QUOTED),
    ("'", "'", QUOTED),
    ("\u{feff}", "", BYTE_ORDER_MARK),
];

pub(super) fn candidates(secret: &Secret, others: &[Secret]) -> Candidates<Key> {
    let key = |bytes: Vec<u8>, secret| Key {
        bytes: bytes.into(),
        secret,
    };
    // Unchanged secrets come before changed ones, so that the simpler explanation wins.
    let mut keys = Candidates::correct(key(secret.expose_bytes().to_vec(), 0));
    for (nth, other) in (1..).zip(others) {
        keys.add(key(other.expose_bytes().to_vec(), nth), [OTHER_SECRET]);
    }
    for (nth, secret) in std::iter::once(secret).chain(others).enumerate() {
        for (bytes, mistakes) in changed(secret.expose_text()) {
            let other_secret = (nth > 0).then_some(OTHER_SECRET);
            let mistakes: Vec<_> = other_secret.into_iter().chain(mistakes).collect();
            keys.add(key(bytes, nth), mistakes);
        }
    }
    keys
}

type Changed = (Vec<u8>, Vec<Mistake>);

fn changed(text: &str) -> Vec<Changed> {
    let trimmed = text.trim();
    let mut changed = vec![(trimmed.into(), vec![WHITESPACE])];
    changed.extend(SURROUNDINGS.map(|(before, after, mistake)| {
        let text = format!("{before}{trimmed}{after}");
        (text.into_bytes(), vec![mistake])
    }));
    let bare = trimmed.trim_matches(['"', '\'', '\u{feff}']);
    changed.push((bare.into(), vec![HAS_QUOTES]));
    changed.push((Vec::new(), vec![EMPTY]));
    if let Ok(bytes) = hex::decode(trimmed) {
        changed.push((bytes, vec![HEX_DECODED]));
    }
    add_base64_decoded(trimmed, &[BASE64_DECODED], &mut changed);
    if let Some((_, rest)) = trimmed.split_once('_') {
        changed.push((rest.into(), vec![PREFIX]));
        add_base64_decoded(rest, &[PREFIX, BASE64_DECODED], &mut changed);
    }
    let base64 = STANDARD.encode(trimmed).into_bytes();
    changed.push((base64, vec![BASE64_ENCODED]));
    changed.push((hex::encode(trimmed).into_bytes(), vec![HEX_ENCODED]));
    changed
}

/// Adds the base64-decoded `text`, and the same without whitespace around it.
fn add_base64_decoded(text: &str, mistakes: &[Mistake], changed: &mut Vec<Changed>) {
    if let Some(bytes) = decode_base64(text) {
        let trimmed = bytes.trim_ascii().to_vec();
        changed.push((bytes, mistakes.to_vec()));
        changed.push((trimmed, [mistakes, &[WHITESPACE]].concat()));
    }
}
