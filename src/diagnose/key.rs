//! Mistakes in the key: another webhook's secret, or this one with something added, removed or
//! decoded.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretSlice};

use super::Secret;
use super::mistake::Mistake;

/// A key, the index of the secret it comes from, and the mistakes that led to it.
pub(super) struct KeyVariant {
    bytes: SecretSlice<u8>,
    pub(super) secret: usize,
    pub(super) mistakes: Vec<Mistake>,
}

impl KeyVariant {
    pub(super) fn expose_bytes(&self) -> &[u8] {
        self.bytes.expose_secret()
    }
}

const OTHER_SECRET: Mistake = Mistake::new(
    "other_secret",
    "The signature was made with a different one of the given secrets.",
    "Use the same secret on both sides. Each webhook has its own secret, and an expired one stops \
     working. While you replace a secret, accept both the old and the new one.",
);
const WHITESPACE: Mistake = Mistake::new(
    "secret_has_whitespace",
    "The given secret has whitespace around it, but the signature was made without it.",
    "Trim the secret when you read it, and write it with `printf %s`, because `echo` adds a \
     newline.",
);
const BASE64_DECODED: Mistake = Mistake::new(
    "secret_base64_decoded",
    "The secret was decoded from base64 before signing.",
    "Use the secret's exact text as UTF-8 bytes. If your deployment stores it in base64, decode it \
     on both sides.",
);
const PREFIX: Mistake = Mistake::new(
    "secret_prefix_removed",
    "The secret's prefix up to the first `_` was removed before signing.",
    "Use the whole secret, including its prefix.",
);

const HAS_QUOTES: Mistake = Mistake::new(
    "secret_has_quotes",
    "The given secret has quotation marks or a byte order mark around it, but the signature was \
     made without them.",
    "Remove them when you read the secret: some `.env` readers keep them.",
);
const EMPTY: Mistake = Mistake::new(
    "secret_empty",
    "The signature was made with an empty secret.",
    "Check that the secret's environment variable is set in the program that signs, and refuse to \
     start without it.",
);
const HEX_DECODED: Mistake = Mistake::new(
    "secret_hex_decoded",
    "The secret was decoded from hex before signing.",
    "Use the secret's exact text as UTF-8 bytes.",
);
const BASE64_ENCODED: Mistake = Mistake::new(
    "secret_base64_encoded",
    "The secret was encoded as base64 before signing.",
    "Decode the secret when you read it, or use its exact text.",
);
const HEX_ENCODED: Mistake = Mistake::new(
    "secret_hex_encoded",
    "The secret was encoded as hex before signing.",
    "Decode the secret when you read it, or use its exact text.",
);

/// The correct key first, then the others without duplicates.
pub(super) fn variants(secret: &Secret, others: &[Secret]) -> Vec<KeyVariant> {
    let mut keys: Vec<KeyVariant> = Vec::new();
    let mut add = |bytes: Vec<u8>, secret, mistakes| {
        if keys.iter().all(|key| key.expose_bytes() != bytes) {
            keys.push(KeyVariant {
                bytes: bytes.into(),
                secret,
                mistakes,
            });
        }
    };
    // Unchanged secrets come before changed ones, so that the simpler explanation wins.
    let secrets = || std::iter::once(secret).chain(others).enumerate();
    let other_secret = |nth| if nth == 0 { vec![] } else { vec![OTHER_SECRET] };
    for (nth, secret) in secrets() {
        add(secret.expose_bytes().to_vec(), nth, other_secret(nth));
    }
    for (nth, secret) in secrets() {
        for (bytes, mistakes) in changed(secret.expose_text()) {
            add(bytes, nth, [other_secret(nth), mistakes].concat());
        }
    }
    keys
}

/// A changed key and the mistakes that led to it.
type Changed = (Vec<u8>, Vec<Mistake>);

/// The secret with something added, removed or decoded.
fn changed(text: &str) -> Vec<Changed> {
    let trimmed = text.trim();
    let mut changed = vec![(trimmed.into(), vec![WHITESPACE])];
    changed.extend(surrounded(trimmed));
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

/// The secret with something added before or after it.
fn surrounded(secret: &str) -> Vec<Changed> {
    let fix = "Remove it when you read the secret: files often end with a newline, and some `.env` \
               readers keep quotation marks.";
    let newline = |happened| Mistake::new("secret_newline", happened, fix);
    let space = |happened| Mistake::new("secret_space", happened, fix);
    let quoted = Mistake::new(
        "secret_quoted",
        "The signature was made with quotation marks around the secret.",
        fix,
    );
    let byte_order_mark = Mistake::new(
        "secret_byte_order_mark",
        "The signature was made with a byte order mark before the secret.",
        fix,
    );
    [
        (
            "",
            "\n",
            newline("The signature was made with a newline at the end of the secret."),
        ),
        (
            "",
            "\r\n",
            newline("The signature was made with a Windows newline at the end of the secret."),
        ),
        (
            "",
            " ",
            space("The signature was made with a space at the end of the secret."),
        ),
        (
            " ",
            "",
            space("The signature was made with a space before the secret."),
        ),
        (
            " ",
            " ",
            space("The signature was made with spaces around the secret."),
        ),
        ("\"", "\"", quoted.clone()),
        ("'", "'", quoted),
        ("\u{feff}", "", byte_order_mark),
    ]
    .into_iter()
    .map(|(before, after, mistake)| {
        let bytes = format!("{before}{secret}{after}").into_bytes();
        (bytes, vec![mistake])
    })
    .collect()
}

/// Adds the base64-decoded `text`, in any common alphabet, and the same without whitespace around
/// it.
fn add_base64_decoded(text: &str, mistakes: &[Mistake], changed: &mut Vec<Changed>) {
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    let Some(bytes) = engines.iter().find_map(|engine| engine.decode(text).ok()) else {
        return;
    };
    let trimmed = bytes.trim_ascii().to_vec();
    changed.push((bytes, mistakes.to_vec()));
    changed.push((trimmed, [mistakes, &[WHITESPACE]].concat()));
}
