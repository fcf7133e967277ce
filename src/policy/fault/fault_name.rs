//! Faults in files: a name, or a name with parameters, such as `slow_body: { per_byte: 10ms }`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Error as _, MapAccess, Unexpected};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::Fault;
use crate::policy::fault::{LateRetry, SlowBody, TimeoutOverlap};
use crate::policy::written::{Written, deserialize_written};

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
        let fault = match fault {
            Self::SlowBody(_) => Self::SlowBody(map.next_value()?),
            Self::TimeoutOverlap(_) => Self::TimeoutOverlap(map.next_value()?),
            Self::LateRetry(_) => Self::LateRetry(map.next_value()?),
            other => {
                let message = format_args!("`{other}` takes no parameters");
                return Err(M::Error::custom(message));
            }
        };
        match map.next_key::<FaultName>()? {
            Some(_) => Err(M::Error::invalid_length(2, &Self::EXPECTED)),
            None => Ok(fault),
        }
    }
}

deserialize_written!(Fault);

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.name();
        match self {
            Self::SlowBody(parameters) if *parameters != SlowBody::DEFAULT => {
                serializer.collect_map([(name, parameters)])
            }
            Self::TimeoutOverlap(parameters) if *parameters != TimeoutOverlap::DEFAULT => {
                serializer.collect_map([(name, parameters)])
            }
            Self::LateRetry(parameters) if *parameters != LateRetry::DEFAULT => {
                serializer.collect_map([(name, parameters)])
            }
            _ => serializer.serialize_str(name),
        }
    }
}

impl JsonSchema for Fault {
    fn schema_name() -> Cow<'static, str> {
        "Fault".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = Self::ALL
            .into_iter()
            .map(|fault| json!({ "const": fault.name(), "description": fault.about() }));
        let with_parameters = Self::ALL.into_iter().filter_map(|fault| {
            let parameters = match fault {
                Self::SlowBody(_) => generator.subschema_for::<SlowBody>(),
                Self::TimeoutOverlap(_) => generator.subschema_for::<TimeoutOverlap>(),
                Self::LateRetry(_) => generator.subschema_for::<LateRetry>(),
                _ => return None,
            };
            Some(json!({
                "type": "object",
                "description": fault.about(),
                "properties": { fault.name(): parameters },
                "required": [fault.name()],
                "additionalProperties": false,
            }))
        });
        let one_of: Vec<_> = names.chain(with_parameters).collect();
        json_schema!({
            "description": "A failure between the sender and the receiver. A receiver must handle it \
                and still grant exactly once.",
            "oneOf": one_of,
        })
    }
}
