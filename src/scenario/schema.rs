//! JSON Schemas of scenario files and `aghook.yaml`, generated from the types that read them, with
//! descriptions and examples for editors.

#[cfg(test)]
mod tests;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::Config;
use super::document::{Node, SourceFile, decode};
use super::scenario_model::ScenarioKeys;

/// The JSON Schema (draft 2020-12) of a scenario file.
///
/// It accepts text with `${name}` wherever it accepts a value.
pub fn scenario_schema() -> Value {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<ScenarioKeys>();
    with_examples(with_variables(schema.to_value()), "Scenario")
}

/// The JSON Schema (draft 2020-12) of `aghook.yaml`.
pub fn config_schema() -> Value {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Config>();
    with_examples(schema.to_value(), "Config")
}

/// The examples, by type and key.
fn examples() -> Map<String, Value> {
    let source = SourceFile::new("examples.yaml", include_str!("schema/examples.yaml"));
    let tree = Node::parse(&source).ok();
    // A test ensures that the file is a mapping.
    let examples = tree.and_then(|tree| decode(&source, &tree).ok());
    examples.unwrap_or_default()
}

/// Adds the examples and missing descriptions to the schema of the type `root`.
fn with_examples(mut schema: Value, root: &str) -> Value {
    describe_single_keys(&mut schema);
    let examples = examples();
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        for (name, definition) in definitions {
            if let Some(type_examples) = examples.get(name) {
                add_examples(definition, type_examples);
            }
        }
    }
    if let Some(root_examples) = examples.get(root) {
        add_examples(&mut schema, root_examples);
    }
    schema
}

/// Adds examples to the keys of a type at any depth, except in its definitions.
fn add_examples(schema: &mut Value, examples: &Value) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (name, property) in properties {
            if let (true, Some(of_key)) = (property.is_object(), examples.get(name)) {
                property["examples"] = of_key.clone();
            }
        }
    }
    match schema {
        Value::Object(keys) => {
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

/// Copies the description of an object with a single key to that key. schemars puts the description
/// of an enum variant on the object, but editors show the one on the key.
pub(crate) fn describe_single_keys(schema: &mut Value) {
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
            keys.values_mut().for_each(describe_single_keys);
        }
        Value::Array(values) => values.iter_mut().for_each(describe_single_keys),
        _ => {}
    }
}

/// Allows `${name}` instead of every value that is not free text.
fn with_variables(mut schema: Value) -> Value {
    allow_variables(&mut schema);
    if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        definitions.insert(
            "Variable".to_owned(),
            json!({
                "type": "string",
                "pattern": r"\$\{[^}]+\}",
                "description": "A variable from `vars` or `matrix`, such as `${name}`."
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
                properties.values_mut().for_each(allow_variable);
            }
            ("items" | "additionalProperties", value) => allow_variable(value),
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

fn allow_variable(value: &mut Value) {
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
    let mut plain = keys.clone();
    // Editors show the description and default of the whole key, not of one alternative.
    let lifted = ["description", "default"].map(|key| (key, plain.shift_remove(key)));
    *value = json!({ "anyOf": [plain, { "$ref": "#/$defs/Variable" }] });
    for (key, lifted) in lifted {
        if let Some(lifted) = lifted {
            value[key] = lifted;
        }
    }
}
