//! Faults in files: a name, or a name with parameters, such as `slow_body: { per_byte: 10ms }`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;

use super::Fault;
use crate::policy::fault::{LateRetry, SlowBody, TimeoutOverlap};

/// A fault's name.
struct FaultName(Fault);

impl Fault {
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }
}

impl<'de> Deserialize<'de> for FaultName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        let unknown = || de::Error::unknown_variant(&name, Fault::NAMES);
        Fault::from_name(&name).map(Self).ok_or_else(unknown)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrMap;

        impl<'de> Visitor<'de> for NameOrMap {
            type Value = Fault;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(
                    "the name of a fault as text, such as `lost_ack`, or `slow_body: { per_byte: 10ms }`",
                )
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Fault, E> {
                let unknown = || E::unknown_variant(text, Fault::NAMES);
                Fault::from_name(text).ok_or_else(unknown)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fault, A::Error> {
                let Some(FaultName(fault)) = entries.next_key()? else {
                    return Err(de::Error::invalid_length(0, &self));
                };
                let fault = match fault {
                    Fault::SlowBody(_) => Fault::SlowBody(entries.next_value()?),
                    Fault::TimeoutOverlap(_) => Fault::TimeoutOverlap(entries.next_value()?),
                    Fault::LateRetry(_) => Fault::LateRetry(entries.next_value()?),
                    other => {
                        let message = format!("`{other}` takes no parameters");
                        return Err(de::Error::custom(message));
                    }
                };
                if entries.next_key::<FaultName>()?.is_some() {
                    return Err(de::Error::invalid_length(2, &self));
                }
                Ok(fault)
            }
        }

        deserializer.deserialize_any(NameOrMap)
    }
}

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
