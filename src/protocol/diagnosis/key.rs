//! Mistakes in the key: the secret of another webhook, or this one with something added, left on
//! or decoded.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretSlice};

use super::{Mistake, Secret};

/// The key's bytes, which secret they come from, and what is wrong with them.
pub(super) struct Key {
    bytes: SecretSlice<u8>,
    pub(super) secret: usize,
    pub(super) mistakes: Vec<Mistake>,
}

impl Key {
    pub(super) fn expose_bytes(&self) -> &[u8] {
        self.bytes.expose_secret()
    }
}

const OTHER_SECRET: Mistake = Mistake::new(
    "other_secret",
    "The signature was made with another of the given secrets.",
    "Give both sides the same secret: it is per webhook, and an expired one stops working. While \
     a secret is being replaced, accept the old and the new.",
);
const WHITESPACE: Mistake = Mistake::new(
    "secret_has_whitespace",
    "The secret given here has white space around it, and the signature was made without it.",
    "Trim the secret where it is read, and write it with `printf %s`, since `echo` adds a newline.",
);
const BASE64_DECODED: Mistake = Mistake::new(
    "secret_base64_decoded",
    "The signature was made with the bytes that the secret stands for in base64, not with its \
     text.",
    "Use the secret's text as it is, as UTF-8 bytes. If a deployment stores it in base64, decode \
     it on both sides.",
);
const PREFIX: Mistake = Mistake::new(
    "secret_prefix_removed",
    "The signature was made with the secret without its prefix up to the first `_`.",
    "Use the whole text of the secret, prefix included.",
);

const HAS_QUOTES: Mistake = Mistake::new(
    "secret_has_quotes",
    "The secret given here has quotation marks or a byte order mark around it, and the signature \
     was made without them.",
    "Strip them where the secret is read: some `.env` readers keep them.",
);
const EMPTY: Mistake = Mistake::new(
    "secret_empty",
    "The signature was made with an empty secret.",
    "Check that the secret's variable is set where the signature is made, and refuse to start \
     without it.",
);
const HEX_DECODED: Mistake = Mistake::new(
    "secret_hex_decoded",
    "The signature was made with the bytes that the secret stands for in hex, not with its text.",
    "Use the secret's text as it is, as UTF-8 bytes.",
);
const BASE64_ENCODED: Mistake = Mistake::new(
    "secret_base64_encoded",
    "The signature was made with the secret's base64 text as the key.",
    "Decode the secret where it is read, or give its text as it is.",
);
const HEX_ENCODED: Mistake = Mistake::new(
    "secret_hex_encoded",
    "The signature was made with the secret's hex text as the key.",
    "Decode the secret where it is read, or give its text as it is.",
);

/// The right key first, then the others, each once.
pub(super) fn variants(secret: &Secret, others: &[Secret]) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    let mut add = |bytes: Vec<u8>, secret, mistakes| {
        if keys.iter().all(|key| key.expose_bytes() != bytes) {
            keys.push(Key {
                bytes: bytes.into(),
                secret,
                mistakes,
            });
        }
    };
    // Every secret as it is comes before every secret changed: the plainer explanation wins.
    let all = || std::iter::once(secret).chain(others).enumerate();
    let of = |nth| if nth == 0 { vec![] } else { vec![OTHER_SECRET] };
    for (nth, secret) in all() {
        add(secret.expose_bytes().to_vec(), nth, of(nth));
    }
    for (nth, secret) in all() {
        for (bytes, mistakes) in changed(secret.expose_text()) {
            add(bytes, nth, [of(nth), mistakes].concat());
        }
    }
    keys
}

/// A key and what is wrong with it.
type Changed = (Vec<u8>, Vec<Mistake>);

/// The secret with something added, left on or decoded.
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

/// The secret with something before or after it that does not belong to it.
fn surrounded(secret: &str) -> Vec<Changed> {
    let fix = "Strip it where the secret is read: files often end in a newline, and some `.env` \
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

/// What `text` stands for in base64 of any alphabet; a newline inside it is taken off as well.
fn add_base64_decoded(text: &str, mistakes: &[Mistake], changed: &mut Vec<Changed>) {
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    let Some(bytes) = engines.iter().find_map(|engine| engine.decode(text).ok()) else {
        return;
    };
    let trimmed = bytes.trim_ascii().to_vec();
    changed.push((bytes, mistakes.to_vec()));
    changed.push((trimmed, [mistakes, &[WHITESPACE]].concat()));
}
