//! The variables of a scenario file: its constants and the combinations of its matrix values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::{
    Diagnostic, Diagnostics, Node, NodeValue, SourceFile, Span, Spanned, Variables, decode,
    shortened,
};

const CASE_LIMIT: usize = 1_000;

/// More lists of two values each would exceed that.
const LIST_LIMIT: usize = 10;

/// The maximum number of characters of a list or mapping in a title.
const LABEL_LIMIT: usize = 40;

/// The maximum number of characters of any other value in a title.
const SCALAR_LABEL_LIMIT: usize = 1_000;

/// The value of a variable with an invalid list.
static UNKNOWN: Node = Node {
    value: NodeValue::Skipped,
    span: Span {
        start: 0,
        length: 0,
    },
};

/// One combination of matrix values.
#[derive(Clone, Default)]
pub(super) struct MatrixChoice<'tree> {
    /// The values of the file's `vars` and of this combination.
    pub(super) variables: Variables<'tree>,
    /// The combination as titles show it; empty without a matrix.
    pub(super) label: String,
}

fn constants<'tree>(
    source: &SourceFile,
    tree: &'tree Node,
    problems: &mut Diagnostics,
) -> Variables<'tree> {
    // Decoding the scenario reports an invalid type here.
    let entries = tree.get("vars").map_or(&[][..], Node::entries);
    for (name, _) in entries {
        if name.value.contains(['$', '{', '}']) {
            let message = format!("invalid variable name `{}`", name.value);
            let problem = Diagnostic::at(source, name.span, message);
            problems.extend([problem.with_help("use letters, digits and `_`")]);
        }
    }
    let entries = entries.iter();
    entries
        .map(|(name, value)| (name.as_str(), value))
        .collect()
}

/// All combinations of the matrix values, in the order of the file. For a matrix with mistakes, a
/// single combination, in which invalid variables have no value.
pub(super) fn choices<'tree>(
    source: &SourceFile,
    tree: &'tree Node,
    problems: &mut Diagnostics,
) -> Vec<MatrixChoice<'tree>> {
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
                first.variables.insert(name, &UNKNOWN);
                Some(mistake)
            }
        };
        if let Some((message, help)) = mistake {
            let problem = Diagnostic::at(source, name.span, message);
            problems.extend([problem.with_help(help)]);
        }
    }
    if let (Some((name, _)), true) = (valid.get(LIST_LIMIT), problems.0.is_empty()) {
        let message = format!("the matrix has more than {LIST_LIMIT} lists");
        let problem = Diagnostic::at(source, name.span, message);
        problems.extend([problem.with_help("write a variable with a single value under `vars`")]);
    }
    let mut choices = vec![first];
    for (name, values) in valid {
        let used = if problems.0.is_empty() {
            values
        } else {
            &values[..1]
        };
        let with_each = |choice: &MatrixChoice<'tree>| {
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
    constants: &Variables<'_>,
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
    if constants.contains_key(name.as_str()) {
        let message = format!("`{}` is also defined under `vars`", name.value);
        return Err((message, "remove one of the two"));
    }
    Ok(values)
}

/// Adds a number to each label that repeats an earlier one.
fn number_equal_labels(choices: &mut [MatrixChoice<'_>]) {
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

impl<'tree> MatrixChoice<'tree> {
    fn with(&self, source: &SourceFile, name: &'tree str, value: &'tree Node) -> Self {
        let mut choice = self.clone();
        let scalar = value.scalar_text();
        let shown = scalar.map(|text| shortened(&text, SCALAR_LABEL_LIMIT));
        let shown = shown.unwrap_or_else(|| {
            // Every tree can be decoded as JSON.
            let json = decode::<Value>(source, value).unwrap_or_default();
            shortened(&json.to_string(), LABEL_LIMIT)
        });
        let separator = if choice.label.is_empty() { "" } else { " " };
        choice.label = format!("{}{separator}{name}={shown}", choice.label);
        choice.variables.insert(name, value);
        choice
    }
}
