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
const ESCAPES: [(Escapes, &str, &str); 6] = [
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
        Escapes::DotNet,
        "_dotnet",
        ", with quotes, `<`, `>`, `&`, `+` and non-ASCII characters as \\uXXXX in capitals (as in \
         .NET's JsonSerializer)",
    ),
];
const NUMBERS: [(Numbers, &str, &str); 2] = [
    (Numbers::AsGiven, "", ""),
    (
        Numbers::JavaScript,
        "_javascript_numbers",
        ", with numbers as JavaScript writes them (1.0 as 1)",
    ),
];

/// `value` in every style: the name of the mistake, the description of the style, and the text.
/// Styles with the fewest changes come first.
pub(super) fn in_all_styles(value: &Value) -> Vec<(String, String, Vec<u8>)> {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    let mut texts = Vec::new();
    for (numbers, numbers_name, numbers_words) in NUMBERS {
        for (escapes, escapes_name, escapes_words) in ESCAPES {
            for (sorts, order_name, order_words) in ORDERS {
                for (whitespace, whitespace_name, whitespace_words) in WHITESPACE {
                    let value = if sorts { &sorted } else { value };
                    let style = JsonStyle {
                        whitespace,
                        escapes,
                        numbers,
                    };
                    texts.push((
                        format!("{whitespace_name}{order_name}{escapes_name}{numbers_name}"),
                        format!("{whitespace_words}{order_words}{escapes_words}{numbers_words}"),
                        style.text(value).into_bytes(),
                    ));
                }
            }
        }
    }
    texts
}
