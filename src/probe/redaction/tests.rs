//! What is redacted, and in which encodings.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::layer::Layer;
use super::*;
use crate::probe::placeholders::percent_encoded;

#[test]
fn secrets_are_replaced_in_text_and_bytes() {
    let secrets = ["hunter2", "swordfish"].map(|text| Secret::new(text).unwrap());
    let redaction = Redaction::new(secrets);
    assert_eq!(redaction.text("a hunter2 b"), "a [secret not shown] b");
    assert_eq!(redaction.text("nothing here"), "nothing here");
    let bytes = redaction.bytes(b"\xffhunter2\xfeswordfishhunter2");
    let expected = b"\xff[secret not shown]\xfe[secret not shown][secret not shown]";
    assert_eq!(bytes.as_ref(), expected);
    assert!(matches!(redaction.bytes(b"plain"), Cow::Borrowed(_)));
}

/// The time must not grow with the square of the length.
#[test]
fn a_long_response_full_of_secrets_is_redacted() {
    const TIMES: usize = 50_000;
    let redaction = Redaction::new([Secret::new("hunter2").unwrap()]);
    let text = "hunter2é".repeat(TIMES);
    assert_eq!(redaction.text(&text).matches(REDACTED).count(), TIMES);
    let binary = [&b"hunter2\xff".repeat(TIMES)[..], b"\xff"].concat();
    let redacted = redaction.bytes(&binary);
    assert_eq!(redacted.len(), TIMES * (REDACTED.len() + 1) + 1);
}

#[test]
fn encoded_secrets_are_replaced_too() {
    let secret = "whsec/+ \"ж";
    let redaction = Redaction::new([Secret::new(secret).unwrap()]);
    for text in [
        hex::encode(secret),
        hex::encode_upper(secret),
        base64::engine::general_purpose::STANDARD.encode(secret),
        base64::engine::general_purpose::URL_SAFE.encode(secret),
        r#"{"a":"whsec\/+ \"ж"}"#.to_owned(),
        r#"{"a":[{"whs\u0065c/+ \u0022\u0436":1}]}"#.to_owned(),
        percent_encoded(secret),
    ] {
        let hidden = redaction.bytes(text.as_bytes());
        let hidden = String::from_utf8(hidden.into_owned()).unwrap();
        assert!(hidden.contains(REDACTED), "{text}: {hidden}");
    }
}

#[test]
fn encodings_of_a_short_secret_are_not_replaced() {
    let redaction = Redaction::new([Secret::new("abc").unwrap()]);
    assert_eq!(redaction.text("616263 abc"), "616263 [secret not shown]");
}

/// Ways in which a receiver can write a text, and which can be combined.
#[derive(Debug, Clone, Copy)]
enum Encoding {
    JsonString,
    JsonEscapes,
    PercentUpper,
    PercentLower,
    PercentPathKept,
    HtmlNamed,
    HtmlDecimal,
    HtmlHexadecimal,
    Quoted,
}

impl Encoding {
    fn of(self, text: &str) -> String {
        let each = |encode: &dyn Fn(char) -> String| text.chars().map(encode).collect::<String>();
        let percent = |kept: &str, lower: bool| {
            let bytes = text.bytes().map(|byte| match char::from(byte) {
                plain if plain.is_ascii_alphanumeric() || kept.contains(plain) => plain.to_string(),
                _ if lower => format!("%{byte:02x}"),
                _ => format!("%{byte:02X}"),
            });
            bytes.collect::<String>()
        };
        match self {
            Self::JsonString => Value::from(text).to_string(),
            Self::JsonEscapes => each(&|character| {
                let mut units = [0; 2];
                let units = character.encode_utf16(&mut units).iter();
                units
                    .map(|unit| format!("\\u{unit:04X}"))
                    .collect::<Vec<_>>()
                    .concat()
            }),
            Self::PercentUpper => percent("-_.~", false),
            Self::PercentLower => percent("-_.~", true),
            Self::PercentPathKept => percent("-_.~/:@!$&'()*,;=", false),
            Self::HtmlNamed => each(&|character| match character {
                '&' => "&amp;".to_owned(),
                '<' => "&lt;".to_owned(),
                '>' => "&gt;".to_owned(),
                '"' => "&quot;".to_owned(),
                '\'' => "&apos;".to_owned(),
                '+' => "&plus;".to_owned(),
                '/' => "&sol;".to_owned(),
                other => other.to_string(),
            }),
            Self::HtmlDecimal => each(&|character| format!("&#{};", u32::from(character))),
            Self::HtmlHexadecimal => each(&|character| format!("&#x{:x};", u32::from(character))),
            Self::Quoted => format!("{text:?}"),
        }
    }
}

fn encodings() -> impl Strategy<Value = Vec<Encoding>> {
    let one = select(vec![
        Encoding::JsonString,
        Encoding::JsonEscapes,
        Encoding::PercentUpper,
        Encoding::PercentLower,
        Encoding::PercentPathKept,
        Encoding::HtmlNamed,
        Encoding::HtmlDecimal,
        Encoding::HtmlHexadecimal,
        Encoding::Quoted,
    ]);
    vec(one, 0..=3)
}

/// Secrets with characters that encodings change. No part of them occurs in the texts around.
fn secrets() -> impl Strategy<Value = String> {
    "[A-Z+/=%&\\\\\"'<>~ ü€😀]{0,20}[A-Z]{6}[A-Z0-9+/=%&]{0,20}"
        .prop_filter("spaces at the ends", |text| text.trim() == text)
}

fn hidden(secret: &str, text: &[u8]) -> Vec<u8> {
    let redaction = Redaction::new([Secret::new(secret).expect("not empty")]);
    redaction.bytes(text).into_owned()
}

/// The text around the secret as it should remain.
fn expected(before: &str, after: &str) -> String {
    format!("{before}{REDACTED}{after}")
}

proptest! {
    #[test]
    fn escapes_in_any_combination_are_redacted(secret in secrets(), encodings in encodings()) {
        let mut text = secret.clone();
        for encoding in &encodings {
            text = encoding.of(&text);
        }
        let redacted = hidden(&secret, format!("<p> {text} </p>").as_bytes());
        let redacted = String::from_utf8(redacted).expect("UTF-8");
        prop_assert!(redacted.contains(REDACTED), "{encodings:?}: {text}: {redacted}");
        // Only quotes, escaped in any way, remain around it.
        let mut rest = Layer::received(redacted.replace(REDACTED, "").as_bytes());
        while let Some(unescaped) = rest.unescaped() {
            rest = unescaped;
        }
        let shown = rest.bytes.iter().any(u8::is_ascii_uppercase);
        prop_assert!(!shown, "{encodings:?}: {text}: {redacted}");
    }

    #[test]
    fn base64_of_a_text_around_it_is_redacted(
        secret in secrets(), before in "[a-z]{0,7}", after in "[a-z]{0,7}", layout in 0..4_usize,
    ) {
        let whole = format!("{before}{secret}{after}");
        let text = match layout {
            0 => STANDARD.encode(&whole),
            1 => URL_SAFE_NO_PAD.encode(&whole),
            2 => STANDARD.encode(&whole).replace('/', "\\/"),
            _ => {
                let text = STANDARD.encode(&whole);
                let (first, rest) = text.split_at(5);
                format!("{first}\r\n {rest}")
            }
        };
        let redacted = String::from_utf8(hidden(&secret, text.as_bytes())).expect("UTF-8");
        prop_assert!(redacted.contains(REDACTED), "{text}: {redacted}");
        // What remains encodes nothing of the secret.
        let rest: Vec<&str> = redacted.split(REDACTED).collect();
        let decoded = |part: &str| {
            let whole = &part[..part.len() / 4 * 4];
            String::from_utf8_lossy(&STANDARD.decode(whole).unwrap_or_default()).into_owned()
        };
        prop_assert!(before.starts_with(&decoded(rest[0])) || layout == 3, "{text}: {redacted}");
    }

    #[test]
    fn hex_and_utf_16_are_redacted(secret in secrets(), upper in any::<u64>()) {
        let digits = hex::encode(&secret);
        let hex = digits.chars().enumerate().map(|(at, digit)| {
            if upper >> (at % 64) & 1 == 1 { digit.to_ascii_uppercase() } else { digit }
        });
        let hex: String = hex.collect();
        prop_assert_eq!(hidden(&secret, format!("x{hex}y").as_bytes()), expected("x", "y").into_bytes());
        let pairs: Vec<&str> = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
        for separator in [":", " ", ", ", "_", "=", ".", "; "] {
            let text = pairs.join(separator);
            prop_assert_eq!(hidden(&secret, text.as_bytes()), expected("", "").into_bytes());
        }
        let text = format!("[]byte{{0x{}}}", pairs.join(", 0x"));
        prop_assert_eq!(hidden(&secret, text.as_bytes()), expected("[]byte{", "}").into_bytes());
        let numbers: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
        for separator in [",", ", ", " ", ",\n"] {
            let text = format!("[{}]", numbers.join(separator));
            prop_assert_eq!(hidden(&secret, text.as_bytes()), expected("[", "]").into_bytes());
        }
        for unit_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let text: Vec<u8> = format!("a {secret} b").encode_utf16().flat_map(unit_bytes).collect();
            let redacted = hidden(&secret, &text);
            let shown = redacted.windows(REDACTED.len()).any(|window| window == REDACTED.as_bytes());
            prop_assert!(shown, "{redacted:?}");
            prop_assert!(!redacted.iter().any(u8::is_ascii_uppercase), "{redacted:?}");
        }
    }

    #[test]
    fn the_start_of_a_long_secret_is_redacted_at_the_end_of_a_text(
        cut in 8..20_usize, encodings in encodings(), mark in any::<bool>(),
    ) {
        let secret = "WHSEC+ABCDEFGHIJKLMNO";
        let mut text = secret[..cut].to_owned();
        for encoding in encodings.iter().filter(|one| !matches!(one, Encoding::JsonString | Encoding::Quoted)) {
            text = encoding.of(&text);
        }
        let end = if mark { "…" } else { "" };
        let redacted = hidden(secret, format!("x {text}{end}").as_bytes());
        prop_assert_eq!(String::from_utf8(redacted).expect("UTF-8"), expected("x ", end));
    }

    #[test]
    fn other_text_stays(text in "[ -~]{0,200}") {
        let redacted = hidden("jwÜ_9(nowhere)§51", text.as_bytes());
        prop_assert_eq!(String::from_utf8(redacted).expect("UTF-8"), text);
    }
}

#[test]
fn a_body_that_is_cut_within_the_secret_shows_nothing_of_it() {
    let secret = "whsec_0123456789abcdef";
    for (text, shown) in [
        (r#"{"a":"whsec_012345"#, r#"{"a":""#),
        (r#"{"a":"whsec\u005f012345678\u00"#, r#"{"a":""#),
        ("a=whsec%5F0123456%", "a="),
        ("a=whsec&#95;0123456&#5", "a="),
        (&hex::encode("whsec_012345"), ""),
        (&STANDARD_NO_PAD.encode(secret)[..18], ""),
    ] {
        let redacted = hidden(secret, text.as_bytes());
        let redacted = String::from_utf8(redacted).expect("UTF-8");
        let (before, after) = redacted.split_once(REDACTED).expect(text);
        assert_eq!(before, shown, "{text}");
        assert!(after.len() < 6, "{text}: {redacted}");
    }
}

#[test]
fn json_stays_valid_and_the_secret_of_any_case_is_redacted() {
    let secret = "whsec_Zq/9\"x+J'u4pÜ";
    let inner = serde_json::json!({ "secret": secret, "n": 1 }).to_string();
    let body = serde_json::json!({ "inner": inner, "upper": secret.to_uppercase() }).to_string();
    let redacted = hidden(secret, body.as_bytes());
    let json: Value = serde_json::from_slice(&redacted).expect("JSON");
    let inner: Value = serde_json::from_str(json["inner"].as_str().expect("text")).expect("JSON");
    assert_eq!(inner["secret"], REDACTED);
    assert!(!String::from_utf8_lossy(&redacted).contains("ZQ/9"));
    let number = Redaction::new([Secret::new("1234567890").expect("not empty")]);
    let json = serde_json::json!([1_234_567_890]);
    assert_eq!(number.json(&json).to_string(), format!("[\"{REDACTED}\"]"));
}

/// As Python's `shlex.quote` and other wrappers write it, also within JSON.
#[test]
fn a_secret_in_the_quotes_of_a_shell_is_redacted() {
    let secret = "Tr0ub4dor-it's-9zKq";
    for (text, expected) in [
        (
            r#"x 'Tr0ub4dor-it'"'"'s-9zKq' y"#,
            r"x '[secret not shown]' y",
        ),
        (r"x 'Tr0ub4dor-it'\''s-9zKq' y", r"x '[secret not shown]' y"),
        (
            r#"{"a":"'Tr0ub4dor-it'\"'\"'s-9zKq'"}"#,
            r#"{"a":"'[secret not shown]'"}"#,
        ),
    ] {
        let redacted = hidden(secret, text.as_bytes());
        assert_eq!(String::from_utf8(redacted).expect("UTF-8"), expected);
    }
}

#[test]
fn decimal_bytes_can_have_leading_zeros() {
    let secret = "Tr0ub4dor-secret-9zKq";
    let numbers: Vec<String> = secret.bytes().map(|byte| format!("{byte:03}")).collect();
    let text = format!("[{}]", numbers.join(" "));
    assert_eq!(
        hidden(secret, text.as_bytes()),
        expected("[", "]").into_bytes()
    );
}

#[test]
fn capitals_and_small_letters_of_any_alphabet_are_redacted() {
    for secret in ["pä ss wörd-x9zKq", "Пароль-12345", "straße-und-mehr-42"] {
        for text in [secret.to_uppercase(), secret.to_lowercase()] {
            let redacted = hidden(secret, format!("a {text} b").as_bytes());
            let redacted = String::from_utf8(redacted).expect("UTF-8");
            assert_eq!(redacted, expected("a ", " b"), "{text}");
        }
    }
}

/// Of an escape in an escape, the end of a text leaves a part of each.
#[test]
fn a_cut_within_escapes_shows_nothing_of_the_secret() {
    let secret = "Tr0ub4dor-secret-9zKq";
    let decimal = Encoding::HtmlDecimal.of(secret);
    for text in [
        decimal.clone(),
        Encoding::HtmlHexadecimal.of(secret),
        decimal.replace('&', "&amp;"),
        decimal.replace('&', r"\u0026"),
        Encoding::JsonEscapes.of(&decimal),
        Encoding::JsonEscapes.of(&Encoding::JsonEscapes.of(secret)),
    ] {
        let shown = text.len() * 10 / secret.len();
        for cut in shown..text.len() {
            for end in ["", "…", "…\" and more"] {
                let redacted = hidden(secret, format!("x {}{end}", &text[..cut]).as_bytes());
                let redacted = String::from_utf8(redacted).expect("UTF-8");
                assert!(
                    redacted.starts_with("x [secret"),
                    "{}{end}: {redacted}",
                    &text[..cut]
                );
            }
        }
    }
}
