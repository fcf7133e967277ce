//! Tests that the schemas describe every key and give valid examples.

use std::collections::BTreeSet;

use super::*;

/// A key of a type: the type's name, the key, and its schema.
type Property<'schema> = (String, &'schema str, &'schema Value);

/// All keys of a schema and its definitions.
fn properties<'schema>(schema: &'schema Value, root: &str) -> Vec<Property<'schema>> {
    let mut found = Vec::new();
    collect(schema, root, &mut found);
    for (name, definition) in definitions(schema) {
        collect(definition, name, &mut found);
    }
    found
}

fn definitions(schema: &Value) -> &Map<String, Value> {
    schema["$defs"].as_object().expect("definitions")
}

fn collect<'schema>(schema: &'schema Value, owner: &str, found: &mut Vec<Property<'schema>>) {
    match schema {
        Value::Object(keys) => {
            let properties = keys.get("properties").and_then(Value::as_object);
            for (key, property) in properties.into_iter().flatten() {
                found.push((owner.to_owned(), key, property));
            }
            for (key, value) in keys {
                if !["$defs", "examples", "default"].contains(&key.as_str()) {
                    collect(value, owner, found);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, owner, found)),
        _ => {}
    }
}

fn schemas() -> [(Value, &'static str); 2] {
    [(scenario_schema(), "Scenario"), (config_schema(), "Config")]
}

/// Whether the schema lists all values of a key (constants, booleans or null), so that editors can
/// complete them without examples.
fn has_known_values(property: &Value, schema: &Value) -> bool {
    let is_known = |property| has_known_values(property, schema);
    if let Some(reference) = property["$ref"].as_str() {
        let name = reference.trim_start_matches("#/$defs/");
        return name == "Variable" || is_known(&definitions(schema)[name]);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(alternatives) = property[key].as_array() {
            return alternatives.iter().all(is_known);
        }
    }
    let types = match &property["type"] {
        Value::Array(types) => types.iter().collect(),
        one => vec![one],
    };
    property.get("enum").is_some()
        || property.get("const").is_some()
        || types
            .iter()
            .all(|name| *name == "boolean" || *name == "null")
}

#[test]
fn every_key_has_a_description() {
    for (schema, root) in schemas() {
        for (owner, key, property) in properties(&schema, root) {
            let description = property["description"].as_str().unwrap_or_default();
            assert!(description.len() > 10, "{owner}.{key}: {description:?}");
        }
    }
}

#[test]
fn every_key_has_an_example_unless_its_values_are_known() {
    for (schema, root) in schemas() {
        for (owner, key, property) in properties(&schema, root) {
            let examples = property["examples"].as_array().map_or(0, Vec::len);
            assert!(
                examples > 0 || has_known_values(property, &schema),
                "{owner}.{key} has no example: add one to schema/examples.yaml"
            );
        }
    }
}

#[test]
fn every_example_is_valid_for_its_key() {
    for (schema, root) in schemas() {
        for (owner, key, property) in properties(&schema, root) {
            let key_schema = json!({ "$defs": schema["$defs"], "allOf": [property] });
            let validator = jsonschema::validator_for(&key_schema).expect("a schema");
            for example in property["examples"].as_array().into_iter().flatten() {
                if let Err(error) = validator.validate(example) {
                    panic!("{owner}.{key}: {example}: {error}");
                }
            }
        }
    }
}

#[test]
fn every_example_belongs_to_a_key() {
    let schemas = schemas();
    let known: BTreeSet<(String, &str)> = schemas
        .iter()
        .flat_map(|(schema, root)| properties(schema, root))
        .map(|(owner, key, _)| (owner, key))
        .collect();
    let examples = examples();
    assert!(!examples.is_empty());
    for (owner, type_examples) in &examples {
        for key in type_examples.as_object().expect("a mapping").keys() {
            let property = (owner.clone(), key.as_str());
            assert!(known.contains(&property), "unknown key {owner}.{key}");
        }
    }
}
