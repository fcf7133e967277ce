//! The faults that a scenario can inject, by name. `delivery`'s plan of a delivery maps them to faults on
//! the wire, which `transport` implements; a plan of a run repeats and reorders deliveries.

mod fault_name;
mod parameters;

use std::fmt;

use schemars::{Schema, SchemaGenerator};
use serde::de::{Error as _, MapAccess};
use serde::{Serialize, Serializer};

pub(crate) use self::parameters::{LateRetry, Lost, SlowBody, TimeoutOverlap};

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
        let lost_response = LateRetry {
            lost: Lost::Response,
        };
        matches!(self, Self::LostAck | Self::Reset) || self == Self::LateRetry(lost_response)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests;
