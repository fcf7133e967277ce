//! Generated player and order context.
//!
//! No public source names the keys that Aghanim sends here: all of them are our assumption. `[A]`
//! A scenario or a profile can set its own objects instead.

use fake::Fake;
use fake::faker::address::en::CountryCode;
use fake::faker::internet::en::SafeEmail;
use fake::faker::name::raw::FirstName;
use fake::locales::{EN, FR_FR, JA_JP, PT_BR, TR_TR};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::price::{Currency, in_major_units};

/// The objects to send in a context instead of generated ones. In their texts, `{player_id}` is the
/// event's player. `{order_id}` is a new order ID.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContextObjects {
    /// The player, wherever aghook would generate one.
    pub(crate) player: Option<Map<String, Value>>,
    /// The order, wherever aghook would generate one.
    pub(crate) order: Option<Map<String, Value>>,
}

/// Replaces placeholders in all texts of an object.
pub(super) fn filled_in(
    object: &Map<String, Value>,
    values: &[(&str, &str)],
) -> Map<String, Value> {
    let entries = object.iter();
    let entries = entries.map(|(key, value)| (key.clone(), filled(value, values)));
    entries.collect()
}

fn filled(value: &Value, values: &[(&str, &str)]) -> Value {
    match value {
        Value::String(text) => {
            let replace = |text: String, (name, value): &(&str, &str)| text.replace(name, value);
            values.iter().fold(text.clone(), replace).into()
        }
        Value::Array(items) => items.iter().map(|item| filled(item, values)).collect(),
        Value::Object(object) => filled_in(object, values).into(),
        plain => plain.clone(),
    }
}

/// A generated player. `[A]`
pub(crate) fn player(player_id: &str, random: &mut ChaCha8Rng) -> Map<String, Value> {
    let level: u32 = random.random_range(1..=120);
    let name = first_name(random);
    let country: String = CountryCode().fake_with_rng(random);
    object([
        ("id", player_id.into()),
        ("name", name.into()),
        ("level", level.into()),
        ("country", country.into()),
        ("is_paying", random.random::<bool>().into()),
    ])
}

/// A generated order, paid at most one day before `now`. `[A]`
pub(super) fn order(id: String, now: u64, random: &mut ChaCha8Rng) -> Map<String, Value> {
    let currency = Currency::random(random);
    let amount = currency.random_price(random);
    let age: u64 = random.random_range(0..86_400);
    let receipt_email: String = SafeEmail().fake_with_rng(random);
    let amount_decimal = in_major_units(amount, currency.code);
    object([
        ("id", id.into()),
        ("status", "paid".into()),
        ("amount", amount.into()),
        ("amount_decimal", amount_decimal.into()),
        ("currency", currency.code.into()),
        ("receipt_email", receipt_email.into()),
        ("paid_at", now.saturating_sub(age).into()),
    ])
}

fn first_name(random: &mut ChaCha8Rng) -> &'static str {
    match random.random_range(0..8_u32) {
        0 => FirstName(FR_FR).fake_with_rng(random),
        1 => FirstName(JA_JP).fake_with_rng(random),
        2 => FirstName(PT_BR).fake_with_rng(random),
        3 => FirstName(TR_TR).fake_with_rng(random),
        _ => FirstName(EN).fake_with_rng(random),
    }
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    let entries = entries.into_iter();
    entries
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
