//! JSON in the styles of common libraries, to recognize a body that was serialized again.

use serde_json::Value;

use crate::protocol::{Escapes, JsonStyle, Numbers, Whitespace};

const fn indented(unit: &'static str) -> Whitespace {
    Whitespace::Indented {
        unit,
        line_break: "\n",
    }
}

const WHITESPACE: [(Whitespace, &str, &str); 5] = [
    (Whitespace::Compact, "json_compact", "without whitespace"),
    (
        Whitespace::Spaced,
        "json_spaced",
        "with a space after each `:` and `,` (as in Python's json.dumps)",
    ),
    (indented("  "), "json_indented_2", "indented by 2 spaces"),
    (indented("    "), "json_indented_4", "indented by 4 spaces"),
    (indented("\t"), "json_indented_tab", "indented by tabs"),
];
const ORDERS: [(bool, &str, &str); 2] = [(false, "", ""), (true, "_sorted", ", with sorted keys")];
const NULLS: [(bool, &str, &str); 2] = [
    (false, "", ""),
    (
        true,
        "_without_nulls",
        ", without keys whose value is null (as in Java's Gson, or Jackson with NON_NULL)",
    ),
];
const ESCAPES: [(Escapes, &str, &str); 8] = [
    (Escapes::None, "", ""),
    (
        Escapes::NonAscii,
        "_ascii",
        ", with non-ASCII characters as \\uXXXX",
    ),
    (Escapes::Slashes, "_slashes", ", with slashes as \\/"),
    (
        Escapes::SlashesAndNonAscii,
        "_slashes_ascii",
        ", with slashes as \\/ and non-ASCII characters as \\uXXXX (as in PHP's json_encode)",
    ),
    (
        Escapes::Html,
        "_html",
        ", with `<`, `>` and `&` as \\uXXXX (as in Go's json.Marshal)",
    ),
    (
        Escapes::Gson,
        "_gson",
        ", with `<`, `>`, `&`, `=` and `'` as \\uXXXX (as in Java's Gson)",
    ),
    (
        Escapes::Jackson,
        "_jackson",
        ", with characters beyond U+FFFF as \\uXXXX in capitals (as in Java's Jackson when it writes \
         bytes)",
    ),
    (
        Escapes::DotNet,
        "_dotnet",
        ", with quotes, `<`, `>`, `&`, `+` and non-ASCII characters as \\uXXXX in capitals (as in \
         .NET's JsonSerializer)",
    ),
];
const NUMBERS: [(Numbers, &str, &str); 3] = [
    (Numbers::AsGiven, "", ""),
    (
        Numbers::JavaScript,
        "_javascript_numbers",
        ", with numbers as JavaScript writes them (1.0 as 1)",
    ),
    (
        Numbers::JavaDoubles,
        "_java_doubles",
        ", with numbers as Java's doubles (1200 as 1200.0, as Gson writes a Map)",
    ),
];

/// `value` in every style: the name of the mistake, the description of the style, and the text.
/// Styles with the fewest changes come first.
pub(super) fn in_all_styles(value: &Value) -> Vec<(String, String, Vec<u8>)> {
    let mut texts = Vec::new();
    for (numbers, numbers_name, numbers_words) in NUMBERS {
        for (escapes, escapes_name, escapes_words) in ESCAPES {
            for (omits_nulls, nulls_name, nulls_words) in NULLS {
                for (sorts, order_name, order_words) in ORDERS {
                    let value = prepared(value, omits_nulls, sorts);
                    for (whitespace, whitespace_name, whitespace_words) in WHITESPACE {
                        let style = JsonStyle {
                            whitespace,
                            escapes,
                            numbers,
                        };
                        if !is_plausible(style, omits_nulls) {
                            continue;
                        }
                        let name = [
                            whitespace_name,
                            order_name,
                            nulls_name,
                            escapes_name,
                            numbers_name,
                        ];
                        let words = [
                            whitespace_words,
                            order_words,
                            nulls_words,
                            escapes_words,
                            numbers_words,
                        ];
                        let text = style.text(&value).into_bytes();
                        texts.push((name.concat(), words.concat(), text));
                    }
                }
            }
        }
    }
    texts
}

/// Java's libraries write no whitespace by default, and only Gson writes all numbers as doubles.
fn is_plausible(style: JsonStyle, omits_nulls: bool) -> bool {
    let is_java =
        omits_nulls || style.numbers == Numbers::JavaDoubles || style.escapes == Escapes::Jackson;
    let is_gson = matches!(style.escapes, Escapes::None | Escapes::Gson);
    (!is_java || style.whitespace == Whitespace::Compact)
        && (is_gson || style.numbers != Numbers::JavaDoubles)
}

fn prepared(value: &Value, omits_nulls: bool, sorts: bool) -> Value {
    let mut value = value.clone();
    if omits_nulls {
        omit_nulls(&mut value);
    }
    if sorts {
        value.sort_all_objects();
    }
    value
}

/// Removes keys whose value is null. A null in an array stays.
fn omit_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(omit_nulls),
        Value::Object(entries) => {
            entries.retain(|_, entry| !entry.is_null());
            entries.values_mut().for_each(omit_nulls);
        }
        _ => {}
    }
}
