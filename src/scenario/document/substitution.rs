//! Replaces `${name}` in a file's texts with a variable's value.
//!
//! A text that consists only of `${name}` becomes the variable's value, so a number stays a number.
//! Within other text, the value is inserted as text. Write `$${` for a literal `${`. `${captured.name}`
//! stays, because its value is known only when the scenario runs.

use std::collections::BTreeMap;

use super::{DecodeError, Diagnostics, Expansion, Node, NodeValue, SourceFile, nearest};

/// The beginning of the name of a value that an earlier step captures.
const CAPTURED: &str = "captured.";

/// The variables that `${name}` can refer to.
pub(crate) type Variables<'tree> = BTreeMap<&'tree str, &'tree Node>;

/// Replaces all variables in `node`, which must belong to `source`. A text with an invalid reference
/// is reported in `mistakes` and [skipped](NodeValue::Skipped), and so is what does not fit into the
/// `expansion`. A text that uses a skipped variable is skipped without a report.
pub(crate) fn substitute(
    source: &SourceFile,
    node: &Node,
    variables: &Variables<'_>,
    expansion: &mut Expansion,
    mistakes: &mut Diagnostics,
) -> Node {
    // The first value that did not fit is reported.
    if expansion.is_exceeded() {
        return Node {
            value: NodeValue::Skipped,
            span: node.span,
        };
    }
    let mut replace = |node: &Node| substitute(source, node, variables, expansion, mistakes);
    let value = match &node.value {
        NodeValue::Sequence(items) => NodeValue::Sequence(items.iter().map(&mut replace).collect()),
        NodeValue::Mapping(entries) => {
            let entries = entries.iter();
            let replaced = entries.map(|(key, value)| (key.clone(), replace(value)));
            let mut replaced: Vec<_> = replaced.collect();
            for (key, value) in &mut replaced {
                if let Err(error) = expansion.add_pattern(key, &value.value) {
                    mistakes.extend([error.or_span(value.span).into_diagnostic(source)]);
                    value.value = NodeValue::Skipped;
                }
            }
            NodeValue::Mapping(replaced)
        }
        value => replace_in_value(value, variables, expansion).unwrap_or_else(|error| {
            mistakes.extend([error.or_span(node.span).into_diagnostic(source)]);
            NodeValue::Skipped
        }),
    };
    Node {
        value,
        span: node.span,
    }
}

fn replace_in_value(
    value: &NodeValue,
    variables: &Variables<'_>,
    expansion: &mut Expansion,
) -> Result<NodeValue, DecodeError> {
    if let NodeValue::Text(text) = value {
        return replace_in_text(text, variables, expansion);
    }
    expansion.add(value)?;
    Ok(value.clone())
}

fn replace_in_text(
    text: &str,
    variables: &Variables<'_>,
    expansion: &mut Expansion,
) -> Result<NodeValue, DecodeError> {
    if let Some(name) = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        && !name.contains(['$', '}'])
        && !name.starts_with(CAPTURED)
    {
        let value = &variable(name, variables)?.value;
        expansion.add(value)?;
        return Ok(value.clone());
    }
    expansion.add_text(text.len())?;
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find("${") {
        let (before, from_dollar) = rest.split_at(dollar);
        if let Some(escaped) = before.strip_suffix('$') {
            replaced.push_str(escaped);
            replaced.push_str("${");
            rest = &from_dollar[2..];
            continue;
        }
        replaced.push_str(before);
        let Some(end) = from_dollar.find('}') else {
            let help = "write `${name}`, or `$${` for a literal `${`".to_owned();
            return Err(DecodeError::new("`${` without a closing `}`", Some(help)));
        };
        let name = &from_dollar[2..end];
        if name.starts_with(CAPTURED) {
            replaced.push_str(&from_dollar[..=end]);
            rest = &from_dollar[end + 1..];
            continue;
        }
        let value = variable(name, variables)?;
        if value.value == NodeValue::Skipped {
            return Ok(NodeValue::Skipped);
        }
        let text = value.scalar_text().ok_or_else(|| {
            let is_compound = "is a list or mapping, which can't be part of a text";
            DecodeError::new(format!("`${{{name}}}` {is_compound}"), None)
        })?;
        expansion.add_text(text.len())?;
        replaced.push_str(&text);
        rest = &from_dollar[end + 1..];
    }
    replaced.push_str(rest);
    Ok(NodeValue::Text(replaced))
}

fn variable<'tree>(name: &str, variables: &Variables<'tree>) -> Result<&'tree Node, DecodeError> {
    variables.get(name).copied().ok_or_else(|| {
        let help = match nearest(name, variables.keys().copied()) {
            Some(known) => format!("did you mean `${{{known}}}`?"),
            None if variables.is_empty() => "define it under `vars` or `matrix`".to_owned(),
            None => {
                let known: Vec<_> = variables.keys().copied().collect();
                format!("known variables: {}", known.join(", "))
            }
        };
        DecodeError::new(format!("unknown variable `${{{name}}}`"), Some(help))
    })
}
