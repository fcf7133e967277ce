//! Parsing, spans and decoding, with the messages that an author sees.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Recipe {
    name: String,
    #[serde(default)]
    quantity: Option<u64>,
    #[serde(default)]
    kind: Option<Flavor>,
    #[serde(default)]
    parts: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Flavor {
    Sweet,
    Sour { grams: u64 },
}

fn read(text: &str) -> Result<Recipe, Diagnostics> {
    let source = SourceFile::new("recipe.yaml", text);
    let tree = Node::parse(&source)?;
    decode(&source, &tree).map_err(Diagnostics::from)
}

fn error(text: &str) -> String {
    read(text).expect_err("an error").render(false, 90)
}

#[test]
fn decodes_values_and_their_spans() {
    let recipe = read("name: é\nquantity: 18446744073709551615\nparts: [a, 'bé', c]\n").unwrap();
    assert_eq!(recipe.quantity, Some(u64::MAX));
    let places: Vec<_> = recipe
        .parts
        .iter()
        .map(|part| (part.value.as_str(), part.span))
        .collect();
    let span = |start, length| Span { start, length };
    assert_eq!(places[0], ("a", span(48, 1)));
    assert_eq!(places[2], ("c", span(58, 1)));
    let tagged = read("name: x\nkind: { sour: { grams: 3 } }").unwrap();
    assert_eq!(tagged.kind, Some(Flavor::Sour { grams: 3 }));
}

#[test]
fn an_unknown_key_suggests_the_most_similar() {
    insta::assert_snapshot!(error("name: cake\nquantitty: 3\n"));
}

#[test]
fn an_unknown_value_suggests_the_most_similar() {
    insta::assert_snapshot!(error("name: cake\nkind: swet\n"));
}

#[test]
fn a_wrong_type_says_what_was_expected() {
    insta::assert_snapshot!(error("name: cake\nquantity: lots\n"));
}

#[test]
fn a_list_is_not_a_mapping() {
    for text in ["[cake, 3]", "name: cake\nkind: { sour: [3] }\n"] {
        let error = error(text);
        assert!(
            error.contains("expected a mapping, found a list"),
            "{error}"
        );
    }
}

#[test]
fn a_number_instead_of_text_suggests_quotes() {
    insta::assert_snapshot!(error("name: 2024\n"));
}

#[test]
fn a_missing_key_points_at_the_mapping() {
    insta::assert_snapshot!(error("quantity: 3\n"));
}

#[test]
fn a_syntax_error_points_at_its_location() {
    insta::assert_snapshot!(error("name: cake\nparts: [a,\nkind: sweet\n"));
}

#[test]
fn a_document_that_contains_itself_is_rejected() {
    insta::assert_snapshot!(error("name: cake\nparts: &all [a, *all]\n"));
}

#[test]
fn an_error_about_a_whole_value_points_at_the_value() {
    /// Always fails to decode, like a type with its own validation.
    #[derive(Debug)]
    struct Never;

    impl<'de> Deserialize<'de> for Never {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            serde::de::IgnoredAny::deserialize(deserializer)?;
            Err(serde::de::Error::custom("always invalid"))
        }
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is never decoded")]
    struct NeverInSecond {
        first: u8,
        second: Never,
    }

    let source = SourceFile::new("recipe.yaml", "first: 1\nsecond: { c: 1 }\n");
    let tree = Node::parse(&source).expect("a tree");
    let error = decode::<NeverInSecond>(&source, &tree).expect_err("always invalid");
    assert_eq!(error.location(), "recipe.yaml:2:11");
    assert_eq!(error.message, "second: always invalid");
}

#[test]
fn a_long_line_is_cut_around_the_error() {
    let long = format!(
        "name: \"{}\"\nparts: [{}1, x]\n",
        "é".repeat(4000),
        "y, ".repeat(2000)
    );
    insta::assert_snapshot!(error(&long));
    let next_to_long_line = format!("name: \"{}\"\nkind: swet\n", "é".repeat(4000));
    insta::assert_snapshot!(error(&next_to_long_line));
}

/// The rendering of a diagnostic about a span of a text.
fn rendered(text: &str, start: usize, length: usize) -> String {
    let source = SourceFile::new("recipe.yaml", text);
    let diagnostic = Diagnostic::at(&source, Span { start, length }, "wrong");
    let diagnostics = Diagnostics::from(diagnostic);
    let colored = diagnostics.render(true, 90);
    let plain = diagnostics.render(false, 90);
    assert!(colored.contains('\u{1b}') && !plain.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
    plain
}

#[test]
fn a_long_span_is_shortened() {
    let text = format!("{0}\n{0}\n{0}\n", "é".repeat(4000));
    let long = rendered(&text, 8001 + 4000, 4000);
    assert!(long.contains("recipe.yaml:2:2001\n"), "{long}");
    assert!(long.contains(&format!(" {}\n", "^".repeat(70))), "{long}");
    assert!(
        long.lines().all(|line| line.chars().count() <= 90),
        "{long}"
    );
    let several_lines = rendered("a: 1\nb: 2\nc: 3\n", 3, 9);
    insta::assert_snapshot!(several_lines, @r"
    error: wrong
     --> recipe.yaml:1:4
      |
    1 | a: 1
      |    ^
    2 | b: 2
      |
    ");
}

#[test]
fn an_error_can_be_at_the_end_of_a_line_or_of_the_file() {
    insta::assert_snapshot!(rendered("a: 1\r\nb: 2\r\nc: 3\r\n", 10, 0), @r"
    error: wrong
     --> recipe.yaml:2:5
      |
    1 | a: 1
    2 | b: 2
      |     ^
    3 | c: 3
      |
    ");
    insta::assert_snapshot!(rendered("a: 1\n", 5, 0), @r"
    error: wrong
     --> recipe.yaml:2:1
      |
    1 | a: 1
    2 |
      | ^
    ");
}

#[test]
fn columns_are_counted_in_characters() {
    let error = error("{ name: \"Кристалл 💎\", kind: swet }\n");
    assert!(error.contains("recipe.yaml:1:29"), "{error}");
}

#[test]
fn a_file_can_not_inject_control_characters() {
    let error = error("\"na\\e[31mme\": \u{9b}31m # \u{85}\u{1b}[2J\n");
    let is_unsafe = |character: char| character.is_control() && character != '\n';
    assert!(!error.contains(is_unsafe), "{error:?}");
}

#[test]
fn hostile_files_are_rejected_quickly() {
    let deep = "[".repeat(10_000);
    assert!(error(&deep).contains("too deep"), "{}", error(&deep));
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (previous, letter) in ('a'..='y').zip('b'..='z') {
        let aliases = vec![format!("*{previous}"); 10].join(", ");
        bomb = format!("{bomb}{letter}: &{letter} [{aliases}]\n");
    }
    assert!(
        error(&bomb).contains("too deep or too large"),
        "{}",
        error(&bomb)
    );
    assert!(error("name: a\nname: b\n").contains("duplicate"));
    assert!(error("name: a\n---\nname: b\n").contains("second YAML document"));
    assert!(error("  \n").contains("empty"));
    assert!(error("# soon\n---\n").contains("contains only comments"));
}

fn substituted(text: &str, variables: &[(&str, NodeValue)]) -> Result<Node, Diagnostics> {
    let source = SourceFile::new("recipe.yaml", text);
    let variables: BTreeMap<_, _> = variables
        .iter()
        .map(|(name, value)| {
            (
                (*name).to_owned(),
                Node {
                    value: value.clone(),
                    span: Span::default(),
                },
            )
        })
        .collect();
    let mut mistakes = Diagnostics::default();
    let tree = Node::parse(&source).unwrap();
    let variables = variables.iter().map(|(name, node)| (name.as_str(), node));
    let mut expansion = Expansion::default();
    let tree = substitute(
        &source,
        &tree,
        &variables.collect(),
        &mut expansion,
        &mut mistakes,
    );
    mistakes.into_result().map(|()| tree)
}

#[test]
fn a_variable_keeps_its_type_unless_it_is_part_of_a_text() {
    let variables = [
        ("n", NodeValue::Unsigned(3)),
        ("word", NodeValue::Text("x".to_owned())),
    ];
    let tree = substituted("a: ${n}\nb: n${n}-${word}\nc: $${n}\n", &variables).unwrap();
    assert_eq!(tree.get("a").unwrap().value, NodeValue::Unsigned(3));
    assert_eq!(
        tree.get("b").unwrap().value,
        NodeValue::Text("n3-x".to_owned())
    );
    assert_eq!(
        tree.get("c").unwrap().value,
        NodeValue::Text("${n}".to_owned())
    );
}

#[test]
fn an_unknown_variable_suggests_the_most_similar() {
    let error = substituted("a: ${wrod}\n", &[("word", NodeValue::Null)]).unwrap_err();
    insta::assert_snapshot!(error.render(false, 90));
}
