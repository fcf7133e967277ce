//! The JSON Schemas of the files that people write, made from the types that read them.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{Config, Scenario};

/// The JSON Schema (draft 2020-12) of a scenario file.
///
/// Wherever a value is wanted, text with `${name}` may stand for it.
pub fn scenario_schema() -> Value {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Scenario>();
    with_variables(schema.to_value())
}

/// The JSON Schema (draft 2020-12) of `aghook.yaml`.
pub fn config_schema() -> Value {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Config>()
        .to_value()
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
    let description = plain
        .as_object_mut()
        .and_then(|keys| keys.shift_remove("description"));
    *value = json!({ "anyOf": [plain, { "$ref": "#/$defs/Variable" }] });
    if let (Some(description), Some(keys)) = (description, value.as_object_mut()) {
        keys.insert("description".to_owned(), description);
    }
}
