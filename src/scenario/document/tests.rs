//! Reading, locating and decoding, with the texts that an author sees.

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
    kind: Option<Kind>,
    #[serde(default)]
    parts: Vec<Located<String>>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Sweet,
    Sour { grams: u64 },
}

fn read(text: &str) -> Result<Recipe, Diagnostics> {
    let source = SourceFile::new("recipe.yaml", text);
    let tree = Node::parse(&source)?;
    decode(&source, &tree).map_err(Diagnostics::from)
}

fn complaint(text: &str) -> String {
    read(text).expect_err("an error").render(false, 90)
}

#[test]
fn decodes_values_and_keeps_their_places() {
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
    assert_eq!(tagged.kind, Some(Kind::Sour { grams: 3 }));
}

#[test]
fn an_unknown_key_names_the_nearest() {
    insta::assert_snapshot!(complaint("name: cake\nquantitty: 3\n"));
}

#[test]
fn an_unknown_word_names_the_nearest() {
    insta::assert_snapshot!(complaint("name: cake\nkind: swet\n"));
}

#[test]
fn a_wrong_type_says_what_was_expected() {
    insta::assert_snapshot!(complaint("name: cake\nquantity: lots\n"));
}

#[test]
fn a_list_is_no_mapping() {
    for text in ["[cake, 3]", "name: cake\nkind: { sour: [3] }\n"] {
        let complaint = complaint(text);
        assert!(
            complaint.contains("expected a mapping, found a list"),
            "{complaint}"
        );
    }
}

#[test]
fn a_number_in_place_of_text_suggests_quotes() {
    insta::assert_snapshot!(complaint("name: 2024\n"));
}

#[test]
fn a_missing_key_points_at_the_mapping() {
    insta::assert_snapshot!(complaint("quantity: 3\n"));
}

#[test]
fn a_syntax_error_points_at_its_place() {
    insta::assert_snapshot!(complaint("name: cake\nparts: [a,\nkind: sweet\n"));
}

#[test]
fn a_document_that_contains_itself_is_refused() {
    insta::assert_snapshot!(complaint("name: cake\nparts: &all [a, *all]\n"));
}

#[test]
fn a_value_that_is_wrong_as_a_whole_is_pointed_at_itself() {
    /// Decodes to nothing but a complaint, as a type with a rule of its own does.
    #[derive(Debug)]
    struct Never;

    impl<'de> Deserialize<'de> for Never {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            serde::de::IgnoredAny::deserialize(deserializer)?;
            Err(serde::de::Error::custom("never right"))
        }
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is never decoded")]
    struct Pair {
        first: u8,
        second: Never,
    }

    let source = SourceFile::new("recipe.yaml", "first: 1\nsecond: { c: 1 }\n");
    let tree = Node::parse(&source).expect("a tree");
    let error = decode::<Pair>(&source, &tree).expect_err("never right");
    assert_eq!(error.location(), "recipe.yaml:2:11");
    assert_eq!(error.message, "second: never right");
}

#[test]
fn of_a_long_line_only_the_surroundings_are_shown() {
    let long = format!(
        "name: \"{}\"\nparts: [{}1, x]\n",
        "é".repeat(4000),
        "y, ".repeat(2000)
    );
    insta::assert_snapshot!(complaint(&long));
    let beside = format!("name: \"{}\"\nkind: swet\n", "é".repeat(4000));
    insta::assert_snapshot!(complaint(&beside));
}

#[test]
fn columns_are_counted_in_characters() {
    let complaint = complaint("{ name: \"Кристалл 💎\", kind: swet }\n");
    assert!(complaint.contains("recipe.yaml:1:29"), "{complaint}");
}

#[test]
fn a_file_can_not_steer_the_terminal() {
    let complaint = complaint("\"na\\e[31mme\": \u{9b}31m # \u{85}\u{1b}[2J\n");
    let steers = |character: char| character.is_control() && character != '\n';
    assert!(!complaint.contains(steers), "{complaint:?}");
}

#[test]
fn hostile_files_are_refused_quickly() {
    let deep = "[".repeat(10_000);
    assert!(
        complaint(&deep).contains("too deep"),
        "{}",
        complaint(&deep)
    );
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (previous, letter) in ('a'..='y').zip('b'..='z') {
        let aliases = vec![format!("*{previous}"); 10].join(", ");
        bomb = format!("{bomb}{letter}: &{letter} [{aliases}]\n");
    }
    assert!(
        complaint(&bomb).contains("too deep or too large"),
        "{}",
        complaint(&bomb)
    );
    assert!(complaint("name: a\nname: b\n").contains("duplicate"));
    assert!(complaint("name: a\n---\nname: b\n").contains("second document"));
    assert!(complaint("  \n").contains("empty"));
    assert!(complaint("# soon\n---\n").contains("nothing in this file but comments"));
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
    let tree = substitute(&source, &tree, &variables, &mut mistakes);
    mistakes.into_result().map(|()| tree)
}

#[test]
fn variables_keep_their_type_alone_and_are_text_in_text() {
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
fn an_unknown_variable_names_the_nearest() {
    let error = substituted("a: ${wrod}\n", &[("word", NodeValue::Null)]).unwrap_err();
    insta::assert_snapshot!(error.render(false, 90));
}
