//! The variables of a scenario file: its constants, and the combinations of its matrix.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::{
    Diagnostic, Diagnostics, Key, Node, NodeValue, SourceFile, Variables, decode,
};

/// The most cases of one file.
const CASE_LIMIT: usize = 1_000;

/// The most characters of a list or mapping that stand in a title.
const SHOWN_LIMIT: usize = 40;

/// One choice of values from the matrix.
#[derive(Clone, Default)]
pub(super) struct Choice {
    /// The values of the file's `vars`, and of one choice of its `matrix`.
    pub(super) variables: Variables,
    /// The choice as titles show it; empty without a matrix.
    pub(super) label: String,
}

/// The variables under `vars`.
fn constants(source: &SourceFile, tree: &Node, problems: &mut Diagnostics) -> Variables {
    // A wrong type here is found, and reported, when the scenario is decoded.
    let entries = tree.get("vars").map_or(&[][..], Node::entries);
    for (name, _) in entries {
        if name.text.contains(['$', '{', '}']) {
            let message = format!("`{}` can't be a variable's name", name.text);
            let help = Some("use letters and `_`".to_owned());
            problems.extend([Diagnostic::at(source, name.span, message, help)]);
        }
    }
    entries
        .iter()
        .map(|(name, value)| (name.text.clone(), value.clone()))
        .collect()
}

/// All combinations of the matrix's values, in the order of the file. Of a matrix with mistakes it
/// is a single one, in which the variables that are wrong have no value.
pub(super) fn choices(source: &SourceFile, tree: &Node, problems: &mut Diagnostics) -> Vec<Choice> {
    let constants = constants(source, tree, problems);
    let entries = tree.get("matrix").map_or(&[][..], Node::entries);
    let mut count: usize = 1;
    let mut sound = Vec::new();
    let mut wrong = Vec::new();
    for (name, values) in entries {
        match values_of(name, values, &constants) {
            Ok(values) => {
                sound.push((name, values));
                // Told once, at the list that makes them too many.
                if count <= CASE_LIMIT {
                    count *= values.len();
                    if count > CASE_LIMIT {
                        let message = format!("the matrix makes more than {CASE_LIMIT} cases");
                        let help = Some("split the file, or leave values out".to_owned());
                        problems.extend([Diagnostic::at(source, name.span, message, help)]);
                    }
                }
            }
            Err((message, help)) => {
                let help = Some(help.to_owned());
                problems.extend([Diagnostic::at(source, name.span, message, help)]);
                wrong.push((name, values));
            }
        }
    }
    let mut choices = vec![Choice {
        variables: constants,
        label: String::new(),
    }];
    for (name, values) in wrong {
        let value = NodeValue::Skipped;
        let unknown = Node {
            value,
            span: values.span,
        };
        choices[0].variables.insert(name.text.clone(), unknown);
    }
    for (name, values) in sound {
        let values = if problems.0.is_empty() {
            values
        } else {
            &values[..1]
        };
        choices = choices
            .iter()
            .flat_map(|choice| {
                values
                    .iter()
                    .map(|value| choice.with(source, &name.text, value))
            })
            .collect();
    }
    number_equal_labels(&mut choices);
    choices
}

/// The values of one list of the matrix, of which there are some; or what is wrong, and what to do.
fn values_of<'node>(
    name: &Key,
    values: &'node Node,
    constants: &Variables,
) -> Result<&'node [Node], (String, &'static str)> {
    let list = "write a list, as in `matrix: { forge: [wrong_secret, tampered_body] }`";
    let NodeValue::Sequence(values) = &values.value else {
        let message = format!("expected a list of values for `{}`", name.text);
        return Err((message, list));
    };
    if values.is_empty() {
        let message = format!("the list of `{}` is empty, so nothing would run", name.text);
        return Err((message, list));
    }
    if constants.contains_key(&name.text) {
        let message = format!("`{}` stands under `vars` too", name.text);
        return Err((message, "remove one of the two"));
    }
    Ok(values)
}

/// Adds a number to each label that an earlier choice has too.
fn number_equal_labels(choices: &mut [Choice]) {
    let mut taken = BTreeSet::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for choice in choices {
        let label = choice.label.clone();
        while !taken.insert(choice.label.clone()) {
            let number = seen.entry(label.clone()).or_insert(1);
            *number += 1;
            choice.label = format!("{label} #{number}");
        }
    }
}

impl Choice {
    fn with(&self, source: &SourceFile, name: &str, value: &Node) -> Self {
        let mut choice = self.clone();
        let shown = match &value.value {
            NodeValue::Text(text) => text.clone(),
            NodeValue::Unsigned(number) => number.to_string(),
            NodeValue::Signed(number) => number.to_string(),
            NodeValue::Float(number) => number.to_string(),
            NodeValue::Boolean(value) => value.to_string(),
            NodeValue::Null | NodeValue::Skipped => "null".to_owned(),
            NodeValue::Sequence(_) | NodeValue::Mapping(_) => {
                // Any tree can be decoded as JSON.
                let json = decode::<Value>(source, value).unwrap_or_default();
                shortened(&json.to_string())
            }
        };
        let separator = if choice.label.is_empty() { "" } else { " " };
        choice.label = format!("{}{separator}{name}={shown}", choice.label);
        choice.variables.insert(name.to_owned(), value.clone());
        choice
    }
}

/// The text, or the beginning of a long one.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
