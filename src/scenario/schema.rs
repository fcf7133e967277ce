//! The JSON Schemas of the files that people write, made from the types that read them, with what
//! an editor explains and offers.

#[cfg(test)]
mod tests;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::document::{Node, SourceFile, decode};
use super::{Config, Scenario};

/// The JSON Schema (draft 2020-12) of a scenario file.
///
/// Wherever a value is wanted, text with `${name}` may stand for it.
pub fn scenario_schema() -> Value {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Scenario>();
    explained(with_variables(schema.to_value()), "Scenario")
}

/// The JSON Schema (draft 2020-12) of `aghook.yaml`.
pub fn config_schema() -> Value {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Config>();
    explained(schema.to_value(), "Config")
}

/// The examples of each key, by type and key.
fn examples() -> Map<String, Value> {
    let source = SourceFile::new("examples.yaml", include_str!("schema/examples.yaml"));
    let tree = Node::parse(&source).ok();
    // A test reads the file, so that it is never anything but a mapping.
    let examples = tree.and_then(|tree| decode(&source, &tree).ok());
    examples.unwrap_or_default()
}

/// The schema of the type `root` with the examples of its keys.
fn explained(mut schema: Value, root: &str) -> Value {
    describe_lone_keys(&mut schema);
    let examples = examples();
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        for (name, definition) in definitions {
            if let Some(of_type) = examples.get(name) {
                add_examples(definition, of_type);
            }
        }
    }
    if let Some(of_root) = examples.get(root) {
        add_examples(&mut schema, of_root);
    }
    schema
}

/// Adds examples to the keys of a type, at any depth but below its definitions.
fn add_examples(schema: &mut Value, examples: &Value) {
    match schema {
        Value::Object(keys) => {
            if let Some(Value::Object(properties)) = keys.get_mut("properties") {
                for (name, property) in properties {
                    if let (Value::Object(property), Some(of_key)) = (property, examples.get(name))
                    {
                        property.insert("examples".to_owned(), of_key.clone());
                    }
                }
            }
            for (key, value) in keys {
                if !["$defs", "examples", "default"].contains(&key.as_str()) {
                    add_examples(value, examples);
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                add_examples(value, examples);
            }
        }
        _ => {}
    }
}

/// Gives the only key of a described object that object's description: what is written about a
/// variant of a type stands there, and an editor looks for it at the key.
pub(crate) fn describe_lone_keys(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            let description = keys.get("description").cloned();
            if let (Some(description), Some(Value::Object(properties))) =
                (description, keys.get_mut("properties"))
                && properties.len() == 1
            {
                for property in properties.values_mut().filter_map(Value::as_object_mut) {
                    property
                        .entry("description")
                        .or_insert_with(|| description.clone());
                }
            }
            keys.values_mut().for_each(describe_lone_keys);
        }
        Value::Array(values) => values.iter_mut().for_each(describe_lone_keys),
        _ => {}
    }
}

/// Lets `${name}` stand wherever a value stands that is not free text anyway.
fn with_variables(mut schema: Value) -> Value {
    allow_variables(&mut schema);
    if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        definitions.insert(
            "Variable".to_owned(),
            json!({
                "type": "string",
                "pattern": r"\$\{[^}]+\}",
                "description": "A variable of `vars` or `matrix`, as `${name}`."
            }),
        );
    }
    schema
}

fn allow_variables(schema: &mut Value) {
    let Some(keys) = schema.as_object_mut() else {
        return;
    };
    for (key, value) in keys {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                properties.values_mut().for_each(allow_a_variable_for);
            }
            ("items" | "additionalProperties", value) => allow_a_variable_for(value),
            ("$defs", Value::Object(definitions)) => {
                definitions.values_mut().for_each(allow_variables);
            }
            ("anyOf" | "oneOf" | "allOf", Value::Array(alternatives)) => {
                alternatives.iter_mut().for_each(allow_variables);
            }
            _ => {}
        }
    }
}

fn allow_a_variable_for(value: &mut Value) {
    allow_variables(value);
    let Some(keys) = value.as_object() else {
        return;
    };
    let constrained = ["enum", "pattern", "format", "const"]
        .iter()
        .any(|key| keys.contains_key(*key));
    let free_text = keys.get("type").is_some_and(|types| types == "string") && !constrained;
    if free_text || keys.is_empty() {
        return;
    }
    let mut plain = value.take();
    // What an editor shows of the key belongs to the whole, not to one of the two.
    let lifted: Vec<(&str, Value)> = plain
        .as_object_mut()
        .map(|keys| {
            let shown = ["description", "default"].into_iter();
            shown
                .filter_map(|key| Some((key, keys.shift_remove(key)?)))
                .collect()
        })
        .unwrap_or_default();
    *value = json!({ "anyOf": [plain, { "$ref": "#/$defs/Variable" }] });
    for (key, lifted) in lifted {
        value[key] = lifted;
    }
}
