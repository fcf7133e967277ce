//! The variables of a scenario file: its constants and the combinations of its matrix values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::{
    Diagnostic, Diagnostics, Node, NodeValue, SourceFile, Spanned, Variables, decode, shortened,
};

const CASE_LIMIT: usize = 1_000;

/// The maximum number of characters of a list or mapping in a title.
const LABEL_LIMIT: usize = 40;

/// One combination of matrix values.
#[derive(Clone, Default)]
pub(super) struct MatrixChoice {
    /// The values of the file's `vars` and of this combination.
    pub(super) variables: Variables,
    /// The combination as titles show it; empty without a matrix.
    pub(super) label: String,
}

fn constants(source: &SourceFile, tree: &Node, problems: &mut Diagnostics) -> Variables {
    // Decoding the scenario reports an invalid type here.
    let entries = tree.get("vars").map_or(&[][..], Node::entries);
    for (name, _) in entries {
        if name.value.contains(['$', '{', '}']) {
            let message = format!("invalid variable name `{}`", name.value);
            let problem = Diagnostic::at(source, name.span, message);
            problems.extend([problem.with_help("use letters, digits and `_`")]);
        }
    }
    let value_of = |(name, value): &(Spanned<String>, Node)| (name.value.clone(), value.clone());
    entries.iter().map(value_of).collect()
}

/// All combinations of the matrix values, in the order of the file. For a matrix with mistakes, a
/// single combination, in which invalid variables have no value.
pub(super) fn choices(
    source: &SourceFile,
    tree: &Node,
    problems: &mut Diagnostics,
) -> Vec<MatrixChoice> {
    let constants = constants(source, tree, problems);
    let entries = tree.get("matrix").map_or(&[][..], Node::entries);
    let mut first = MatrixChoice {
        variables: constants.clone(),
        label: String::new(),
    };
    let mut count: usize = 1;
    let mut valid = Vec::new();
    for (name, values) in entries {
        let mistake = match values_of(name, values, &constants) {
            Ok(values) => {
                valid.push((name, values));
                let was_within = count <= CASE_LIMIT;
                count = count.saturating_mul(values.len());
                // Report this only once, at the list that exceeds the limit.
                (was_within && count > CASE_LIMIT).then(|| {
                    let message = format!("the matrix has more than {CASE_LIMIT} combinations");
                    (message, "split the file, or remove values")
                })
            }
            Err(mistake) => {
                let unknown = Node {
                    value: NodeValue::Skipped,
                    span: values.span,
                };
                first.variables.insert(name.value.clone(), unknown);
                Some(mistake)
            }
        };
        if let Some((message, help)) = mistake {
            let problem = Diagnostic::at(source, name.span, message);
            problems.extend([problem.with_help(help)]);
        }
    }
    let mut choices = vec![first];
    for (name, values) in valid {
        let used = if problems.0.is_empty() {
            values
        } else {
            &values[..1]
        };
        let with_each = |choice: &MatrixChoice| {
            let with = used.iter().map(|value| choice.with(source, name, value));
            with.collect::<Vec<_>>()
        };
        choices = choices.iter().flat_map(with_each).collect();
    }
    number_equal_labels(&mut choices);
    choices
}

/// The values of one list of the matrix; or a message and help if it is invalid or empty.
fn values_of<'node>(
    name: &Spanned<String>,
    values: &'node Node,
    constants: &Variables,
) -> Result<&'node [Node], (String, &'static str)> {
    let list = "write a list, as in `matrix: { forge: [wrong_secret, tampered_body] }`";
    let NodeValue::Sequence(values) = &values.value else {
        let message = format!("expected a list of values for `{}`", name.value);
        return Err((message, list));
    };
    if values.is_empty() {
        let message = format!(
            "the list for `{}` is empty, so nothing would run",
            name.value
        );
        return Err((message, list));
    }
    if constants.contains_key(&name.value) {
        let message = format!("`{}` is also defined under `vars`", name.value);
        return Err((message, "remove one of the two"));
    }
    Ok(values)
}

/// Adds a number to each label that repeats an earlier one.
fn number_equal_labels(choices: &mut [MatrixChoice]) {
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

impl MatrixChoice {
    fn with(&self, source: &SourceFile, name: &str, value: &Node) -> Self {
        let mut choice = self.clone();
        let shown = value.scalar_text().unwrap_or_else(|| {
            // Every tree can be decoded as JSON.
            let json = decode::<Value>(source, value).unwrap_or_default();
            shortened(&json.to_string(), LABEL_LIMIT)
        });
        let separator = if choice.label.is_empty() { "" } else { " " };
        choice.label = format!("{}{separator}{name}={shown}", choice.label);
        choice.variables.insert(name.to_owned(), value.clone());
        choice
    }
}
