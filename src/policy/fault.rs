//! The faults that a scenario can inject, by name. `delivery`'s plan of a delivery maps them to faults on
//! the wire, which `transport` implements; a plan of a run repeats and reorders deliveries.

use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Error as _, MapAccess, Unexpected};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use super::duration_text::DurationText;
use super::sweep::Sweep;
use super::written::{Written, deserialize_written, written_schema};

/// Each row: the variant, its parameters, its name in files, and its description.
macro_rules! faults {
    ($($variant:ident $(($parameters:ty))? $name:literal $about:literal;)*) => {
        /// A failure between the sender and the receiver. A receiver must handle it and still grant
        /// exactly once.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Fault {
            $(
                #[doc = $about]
                $variant $(($parameters))?,
            )*
        }

        impl Fault {
            /// Every fault with its default parameters, in display order.
            pub const ALL: [Self; [$($name),*].len()] =
                [$(Self::$variant $((<$parameters>::DEFAULT))?),*];

            const NAMES: &[&str] = &[$($name),*];

            /// The name in a scenario file and on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant { .. } => $name,)* }
            }

            /// What happens, and which mistake of a receiver it reveals.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant { .. } => $about,)* }
            }

            /// The same fault with the parameters that are the next value of `map`.
            fn with_parameters_of<'de, M: MapAccess<'de>>(self, map: &mut M) -> Result<Self, M::Error> {
                match self {
                    $($(Self::$variant(_) => map.next_value::<$parameters>().map(Self::$variant),)?)*
                    other => Err(M::Error::custom(format_args!("`{other}` takes no parameters"))),
                }
            }

            fn parameters_schema(self, generator: &mut SchemaGenerator) -> Option<Schema> {
                match self {
                    $($(Self::$variant(_) => Some(generator.subschema_for::<$parameters>()),)?)*
                    _ => None,
                }
            }
        }

        impl Serialize for Fault {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $($(Self::$variant(parameters) if *parameters != <$parameters>::DEFAULT => {
                        serializer.collect_map([(self.name(), parameters)])
                    })?)*
                    _ => serializer.serialize_str(self.name()),
                }
            }
        }
    };
}

faults! {
    LostAck "lost_ack"
        "The connection is closed when the response begins, before it is read, and the delivery is retried: reveals a receiver that grants again because it treats every request as a new event.";
    CutBody "cut_body"
        "The connection is reset in the middle of the body, and the delivery is retried: reveals a receiver that processes half an event, or crashes on it.";
    SlowBody(SlowBody) "slow_body"
        "The body is sent one byte at a time: reveals a receiver that reads only the first part of a body, or that a single slow sender can block.";
    TimeoutOverlap(TimeoutOverlap) "timeout_overlap"
        "The sender times out and retries on a new connection while the receiver is still processing the first attempt: reveals a receiver that checks for an earlier grant and then grants, but not in one atomic step.";
    Reset "reset"
        "The connection is reset as soon as the request is sent, and the delivery is retried: reveals a receiver that stops halfway if the sender disconnects.";
    Duplicate "duplicate"
        "Every delivery is sent twice in a row: reveals a receiver that expects each event only once.";
    OutOfOrder "out_of_order"
        "The response to the first event is lost, the other events are delivered in reverse order, and then the first is retried: reveals a receiver that remembers only the last event, or expects events in the order of their times.";
    LateRetry(LateRetry) "late_retry"
        "The response is lost, and the retry has a valid signature whose timestamp is as old as the retry policy's delays together: reveals a receiver that grants again. It may refuse the old timestamp.";
    RestartInFlight(RestartInFlight) "restart_in_flight"
        "The receiver is restarted while it processes the first attempt, and the delivery is retried: reveals a receiver that is killed between the grant and its key.";
}

impl Fault {
    /// Whether this fault requires HTTP/1.1.
    ///
    /// An HTTP/2 sender aborts a request by resetting its stream, not the connection, which it shares
    /// with other requests.
    pub fn needs_http1(self) -> bool {
        matches!(self, Self::CutBody | Self::Reset)
    }

    /// Whether this fault has no effect without a retry.
    pub fn needs_retry(self) -> bool {
        !matches!(self, Self::SlowBody(_) | Self::Duplicate)
    }

    /// Whether this fault can be combined with a forgery. Forgeries are not retried, so a fault that
    /// needs a retry can't.
    pub fn allows_forgery(self) -> bool {
        !self.needs_retry()
    }

    /// Whether deliveries with this fault can be sent simultaneously: the first request must be sent
    /// completely, and the deliveries must not depend on their order.
    pub fn allows_together(self) -> bool {
        let loses_response = self == Self::LateRetry(LateRetry::DEFAULT);
        matches!(self, Self::LostAck | Self::Reset) || loses_response
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl Written for Fault {
    const EXPECTED: &'static str =
        "the name of a fault as text, such as `lost_ack`, or `slow_body: { per_byte: 10ms }`";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(name) => {
                let fault = Self::ALL.into_iter().find(|fault| fault.name() == name);
                fault.ok_or_else(|| E::unknown_variant(name, Self::NAMES))
            }
            other => Err(E::invalid_type(other, &Self::EXPECTED)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        let Some(fault) = map.next_key::<Self>()? else {
            return Err(M::Error::invalid_length(0, &Self::EXPECTED));
        };
        let fault = fault.with_parameters_of(&mut map)?;
        match map.next_key::<Self>()? {
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

/// How slowly the body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SlowBody {
    /// The wait after each byte of the body. It always takes real time. Default: 1ms.
    pub per_byte: DurationText,
}

/// When the sender times out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TimeoutOverlap {
    /// The real time between the first request and the retry. Default: 0s, so the retry follows as
    /// soon as the first request is sent, and even a fast receiver is still processing it. On the
    /// virtual clock, the time is always the retry policy's timeout and delay.
    pub after: DurationText,
}

/// When the receiver is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RestartInFlight {
    /// The real time between the request and the restart: a list, which the deliveries of the step use
    /// in turn. Default: `[20ms]`.
    pub after: Sweep,
}

/// Which part of the first attempt is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LateRetry {
    /// The lost part. Default: `answer`.
    pub lost: Lost,
}

/// A part of an attempt that is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// The response: the receiver responded, but the sender did not receive it.
    #[default]
    #[serde(rename = "answer")]
    Response,
    /// The request: the receiver saw a connection but no request.
    Request,
}

impl SlowBody {
    pub(super) const DEFAULT: Self = Self {
        per_byte: DurationText(Duration::from_millis(1)),
    };
}

impl TimeoutOverlap {
    pub(super) const DEFAULT: Self = Self {
        after: DurationText(Duration::ZERO),
    };
}

impl RestartInFlight {
    pub(super) const DEFAULT: Self = Self {
        after: Sweep::of_one(DurationText(Duration::from_millis(20))),
    };
}

impl Default for RestartInFlight {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl LateRetry {
    pub(super) const DEFAULT: Self = Self {
        lost: Lost::Response,
    };
}

impl Default for SlowBody {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests;
