//! Faults in files: a name, or a name with parameters, such as `slow_body: { per_byte: 10ms }`.

use schemars::SchemaGenerator;
use serde::de::{self, Error as _, MapAccess, Unexpected};
use serde_json::{Value, json};

use super::Fault;
use crate::policy::written::{Written, deserialize_written, written_schema};

impl Fault {
    fn from_name<E: de::Error>(name: &str) -> Result<Self, E> {
        let mut known = Self::ALL.into_iter();
        let fault = known.find(|fault| fault.name() == name);
        fault.ok_or_else(|| E::unknown_variant(name, Self::NAMES))
    }
}

/// A fault's name as the key of its parameters.
struct FaultName(Fault);

impl Written for FaultName {
    const EXPECTED: &'static str = Fault::EXPECTED;

    fn from_scalar<E: de::Error>(name: Unexpected<'_>) -> Result<Self, E> {
        Fault::from_scalar(name).map(Self)
    }
}

deserialize_written!(FaultName);

impl Written for Fault {
    const EXPECTED: &'static str =
        "the name of a fault as text, such as `lost_ack`, or `slow_body: { per_byte: 10ms }`";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(name) => Self::from_name(name),
            other => Err(E::invalid_type(other, &Self::EXPECTED)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        let Some(FaultName(fault)) = map.next_key()? else {
            return Err(M::Error::invalid_length(0, &Self::EXPECTED));
        };
        let fault = fault.with_parameters_of(&mut map)?;
        match map.next_key::<FaultName>()? {
            Some(_) => Err(M::Error::invalid_length(2, &Self::EXPECTED)),
            None => Ok(fault),
        }
    }
}

deserialize_written!(Fault);

written_schema!(Fault, "Fault", |generator| {
    "description": "A failure between the sender and the receiver. A receiver must handle it and still \
        grant exactly once.",
    "oneOf": one_of(generator),
});

fn one_of(generator: &mut SchemaGenerator) -> Vec<Value> {
    let names = Fault::ALL
        .into_iter()
        .map(|fault| json!({ "const": fault.name(), "description": fault.about() }));
    let with_parameters = Fault::ALL.into_iter().filter_map(|fault| {
        Some(json!({
            "type": "object",
            "description": fault.about(),
            "properties": { fault.name(): fault.parameters_schema(generator)? },
            "required": [fault.name()],
            "additionalProperties": false,
        }))
    });
    names.chain(with_parameters).collect()
}
